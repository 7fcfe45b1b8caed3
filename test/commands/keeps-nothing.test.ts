/** If this fails, the tagger keeps something of every note that has passed through it, and a process that runs for months dies of it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { embedded } from '../../src/commands/bench/place.ts';
import { appendNotes } from '../../src/commands/produce.ts';
import { serveModel } from '../../src/commands/serve-model.ts';
import { startTagger } from '../../src/commands/tagger-role.ts';
import { loadConfig } from '../../src/config.ts';
import { unobserved } from '../../src/core/facts.ts';
import { median } from '../../src/evaluation/median.ts';
import { note } from '../contract/corpus.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const ROUNDS = 10;
const NOTES = 500;
/** Bytes. An id in a set came to 88; what the engine learns of its code, which lies there too, to 5 to 8 a note of these few thousand. */
const ALLOWED = 30;
/** Where objects are; compiled code is in spaces of its own. */
const OBJECTS = ['old_space', 'large_object_space'];

/** Bytes in use after two collections: half a megabyte is let go only in a turn of the event loop after the first. */
async function inUse(): Promise<number> {
  collect();
  await setImmediate();
  collect();
  const spaces = new Map(
    getHeapSpaceStatistics().map(({ space_name, space_used_size }) => [space_name, space_used_size]),
  );
  return OBJECTS.reduce((sum, name) => sum + (spaces.get(name) ?? Number.NaN), 0);
}

describe('memory', { timeout: 240_000 }, () => {
  it('keeps nothing of a note that has passed', async () => {
    const config = loadConfig({ env: {} });
    const serving = await serveModel(config, unobserved);
    const kept = await embedded(config, { now: Date.now }, async ({ transport, codecs }) => {
      const topic = config.topics.notes;
      const to = { transport, codec: codecs.notes(topic), topic, now: Date.now };
      const running = await startTagger(config, { transport, codecs, serving, observe: unobserved, now: Date.now });
      const used: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        const notes = Array.from({ length: NOTES }, (_, i) =>
          note(round * NOTES + i, { text: 'Takes aspirin for a headache.' }),
        );
        await appendNotes(to, notes);
        await running.subscription.drained();
        used.push(await inUse());
      }
      await running.stop();
      return used;
    });
    await serving.stop();
    // medians of three; what the first thousand notes leave is start-up's
    const [early, late] = [median(kept.slice(2, 5)), median(kept.slice(-3))];
    const ofOne = (late - early) / (NOTES * (ROUNDS - 5));
    assert.ok(ofOne < ALLOWED, `${ofOne} bytes kept of a note; in use after every ${NOTES}: ${kept.join(', ')}`);
  });
});
