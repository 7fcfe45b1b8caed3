/** If this fails, a tagger that broke down is published as one that was very fast. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runEmbedded } from '../../src/commands/bench/embedded-run.ts';
import { loadConfig } from '../../src/config.ts';
import { note } from '../contract/corpus.ts';
import { MODEL_DIRECTORY } from '../support/model.ts';

const config = loadConfig({ env: {}, overrides: { model: MODEL_DIRECTORY, 'inference.workers': 1 } });
const notes = Array.from({ length: 12 }, (_, i) => note(i));
const broken = new Error('the clock broke');

describe('a run over the embedded log', { timeout: 60_000 }, () => {
  it('reads all notes, and those that are sent alone', async () => {
    let read = 0;
    const { seconds, tokens } = await runEmbedded(config, notes, { now: Date.now }, async place => {
      await place.sendAlone([{ ...note(0), noteId: 'alone' }]);
      read = (await place.read('entities')).length + (await place.read('deadLetters')).length;
    });
    assert.ok(seconds > 0 && tokens > 0);
    assert.equal(read, notes.length + 1);
  });

  it('fails with what ended the tagger while notes wait', async () => {
    let calls = 0;
    const now = (): number => {
      // once for each note that is appended, once for all of them, and then the tagger asks for the first times
      if (++calls > notes.length + 3) throw broken;
      return Date.now();
    };
    await assert.rejects(runEmbedded(config, notes, { now }), broken);
  });

  it('fails with what ended it while a note is read alone', async () => {
    let asked: (() => void) | undefined;
    const now = (): number => {
      asked?.();
      return Date.now();
    };
    const run = runEmbedded(config, notes, { now }, async place => {
      let calls = 0;
      // the note's own time, that of its record, and then the tagger's
      asked = () => {
        if (++calls > 2) throw broken;
      };
      await place.sendAlone([{ ...note(0), noteId: 'alone' }]);
    });
    await assert.rejects(run, broken);
  });
});
