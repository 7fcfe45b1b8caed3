/** If this fails, the tagger keeps something of every note that has passed through it, and a process that runs for months dies of it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { embedded } from '../../src/commands/bench/place.ts';
import { appendNotes } from '../../src/commands/produce.ts';
import { serveModel } from '../../src/commands/serve-model.ts';
import { startTagger } from '../../src/commands/tagger-role.ts';
import { loadConfig } from '../../src/config.ts';
import { unobserved } from '../../src/core/facts.ts';
import { note } from '../contract/corpus.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const ROUNDS = 10;
const NOTES = 500;

describe('memory', { timeout: 240_000 }, () => {
  it('holds no more after thousands of notes than after the first two thousand', async () => {
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
        collect();
        used.push(process.memoryUsage().heapUsed);
      }
      await running.stop();
      return used;
    });
    await serving.stop();
    // half a megabyte comes and goes by itself: what is kept of every note must have come to more
    const [early, late] = [Math.max(...kept.slice(2, 5)), Math.min(...kept.slice(-3))];
    assert.ok(late <= early, `bytes in use after every ${NOTES} notes: ${kept.join(', ')}`);
  });
});
