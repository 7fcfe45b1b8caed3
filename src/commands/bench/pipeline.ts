/**
 * `bench pipeline`: how much of the bare session's speed the whole pipeline keeps, in one run, in turns; and whether memory stays
 * flat while 20,000 notes pass.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repeated } from '../../benchmark/repeated.ts';
import type { Config } from '../../config.ts';
import { type Fact, unobserved } from '../../core/facts.ts';
import type { Note } from '../../core/note.ts';
import { median } from '../../evaluation/median.ts';
import { singleObjectCodecs } from '../../events/codecs.ts';
import type { Batch } from '../../model/batch.ts';
import { readDemoNotes } from '../demo.ts';
import { type Io, write } from '../io.ts';
import { ensureTopics, openTransport } from '../open-transport.ts';
import { appendNotes } from '../produce.ts';
import { currentCommit, thisMachine } from '../provenance.ts';
import { serveModel } from '../serve-model.ts';
import { startTagger } from '../tagger-role.ts';
import { runBare } from './bare-session.ts';
import { type MemoryResult, measureMemory } from './memory.ts';
import { writeResults } from './results.ts';

interface Round {
  readonly pipelineTokensPerSecond: number;
  readonly bareTokensPerSecond: number;
  readonly ratio: number;
}

export interface PipelineResult {
  readonly command: string;
  readonly commit: string;
  readonly machine: string;
  readonly settings: Config['inference'];
  readonly notesPerRound: number;
  readonly paddedTokensPerRound: number;
  readonly paddedShare: number;
  readonly rounds: readonly Round[];
  readonly medianRatio: number;
  readonly memory: MemoryResult;
}

export async function benchPipeline(
  config: Config,
  options: { rounds: number; notes: number; memoryNotes: number; write: boolean },
  io: Io,
): Promise<void> {
  const notes = repeated(await readDemoNotes(), options.notes);
  const rounds: Round[] = [];
  let last: Awaited<ReturnType<typeof runPipeline>> | undefined;
  for (let round = 1; round <= options.rounds; round++) {
    last = await runPipeline(config, notes, io);
    const bare = await runBare(last.session, last.workers, last.batches);
    const pipelineTokensPerSecond = last.paddedTokens / last.seconds;
    const bareTokensPerSecond = last.paddedTokens / bare;
    const ratio = pipelineTokensPerSecond / bareTokensPerSecond;
    rounds.push({ pipelineTokensPerSecond, bareTokensPerSecond, ratio });
    await write(
      io.stdout,
      `round ${round}: pipeline ${Math.round(pipelineTokensPerSecond)} tokens/s, bare session ${Math.round(bareTokensPerSecond)} tokens/s, ratio ${ratio.toFixed(3)}\n`,
    );
  }
  const memory = await measureMemory(config, await readDemoNotes(), options.memoryNotes, io);
  const result: PipelineResult = {
    command: `npm run bench -- pipeline --rounds ${options.rounds} --notes ${options.notes} --memory-notes ${options.memoryNotes}`,
    commit: currentCommit(),
    machine: thisMachine(),
    settings: config.inference,
    notesPerRound: options.notes,
    paddedTokensPerRound: last?.paddedTokens ?? 0,
    paddedShare: 1 - (last?.tokens ?? 0) / (last?.paddedTokens ?? 1),
    rounds,
    medianRatio: median(rounds.map(each => each.ratio)),
    memory,
  };
  await write(io.stdout, summary(result));
  if (!options.write) return;
  await writeResults('pipeline', { json: result }, io);
}

/** The notes through a fresh log and the tagger role, from the first fetch to the last commit. */
async function runPipeline(config: Config, notes: readonly Note[], io: Io) {
  const directory = mkdtempSync(join(tmpdir(), 'clinstream-bench-'));
  const batches: Batch[] = [];
  let [tokens, paddedTokens] = [0, 0];
  const serving = await serveModel(
    config,
    (fact: Fact) => {
      if (fact.kind !== 'batch.run') return;
      tokens += fact.tokens;
      paddedTokens += fact.paddedTokens;
    },
    batch => batches.push(batch),
  );
  const transport = await openTransport(
    { ...config, transport: 'embedded', data: directory },
    { create: true, now: io.now },
  );
  try {
    await ensureTopics(transport, config);
    const codecs = singleObjectCodecs();
    const topic = config.topics.notes;
    const to = { transport, codec: codecs.notes(topic), topic, now: io.now };
    for (let i = 0; i < notes.length; i += 200) await appendNotes(to, notes.slice(i, i + 200));
    const began = performance.now();
    const running = await startTagger(config, { transport, codecs, serving, observe: unobserved, now: io.now });
    await Promise.race([running.subscription.drained(), running.done]);
    const seconds = (performance.now() - began) / 1000;
    await running.stop();
    const session = {
      graph: join(serving.model.directory, serving.model.manifest.graphs.int8),
      provider: 'cpu',
      threads: config.inference.threadsPerWorker,
      output: 'logits',
    };
    return { batches, seconds, tokens, paddedTokens, workers: serving.pool.workers, session };
  } finally {
    await serving.stop();
    await transport.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

function summary({ medianRatio, memory, paddedShare, machine }: PipelineResult): string {
  const mb = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;
  return [
    `pipeline / bare session: ${medianRatio.toFixed(3)} (median), ${(100 * paddedShare).toFixed(1)} % padding`,
    `memory over ${memory.notes} notes, by tenths: ${memory.tenthsBytes.map(mb).join(', ')}; peak ${mb(memory.peakBytes)}`,
    `on ${machine}`,
    '',
  ].join('\n');
}
