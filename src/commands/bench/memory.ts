/** Resident memory of the real program while many short notes pass through it. Reads /proc, so Linux only. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { sourceOf } from '../../benchmark/workloads.ts';
import type { Config } from '../../config.ts';
import type { Note } from '../../core/note.ts';
import { median } from '../../evaluation/median.ts';
import { singleObjectCodecs } from '../../events/codecs.ts';
import type { Io } from '../io.ts';
import { ensureTopics, openTransport } from '../open-transport.ts';
import { appendNotes } from '../produce.ts';
import { createProgress } from '../progress.ts';
import { interruption, onInterrupt } from '../signals.ts';
import { BenchError } from './bench-error.ts';
import { residentBytesOf } from './process-use.ts';
import { type Program, startProgram } from './program.ts';

export interface MemoryResult {
  readonly notes: number;
  /** Median resident bytes over each tenth of the notes: the first ones show the heap growing to its working size. */
  readonly tenthsBytes: readonly number[];
  readonly peakBytes: number;
}

const SAMPLE_MS = 250;

/** @throws BenchError PROGRAM_FAILED, Interrupted */
export async function measureMemory(
  config: Config,
  notes: readonly Note[],
  count: number,
  io: Io,
): Promise<MemoryResult> {
  const interrupt = onInterrupt();
  const interrupted = interruption(interrupt.signal);
  const directory = mkdtempSync(join(tmpdir(), 'clinstream-memory-'));
  const log = await openTransport({ ...config, transport: 'embedded', data: directory }, { create: true, now: io.now });
  const progress = createProgress({
    label: 'memory',
    unit: 'notes',
    total: count,
    quiet: false,
    stream: io.stderr,
    now: io.now,
  });
  const settings = mkdtempSync(join(tmpdir(), 'clinstream-memory-'));
  let program: Program | undefined;
  const samples: { done: number; bytes: number }[] = [];
  try {
    await ensureTopics(log, config);
    const topic = config.topics.notes;
    const to = { transport: log, codec: singleObjectCodecs().notes(topic), topic, now: io.now };
    await appendNotes(to, shortNotes(notes, count));
    const file = join(settings, 'config.json');
    const { model, inference, stream, topics, limits } = config;
    const own = { transport: 'embedded', data: directory, model, inference, stream, topics, limits };
    writeFileSync(file, JSON.stringify({ ...own, telemetry: { level: 'error' } }));
    program = startProgram(['run', '--until-drained', '--quiet', '--config', file], {});
    let end: number | string | undefined;
    void program.ended.then(code => {
      end = code;
    });
    while (end === undefined) {
      const lags = await log.lags();
      const done =
        lags.length < config.topics.partitions ? 0 : count - lags.reduce((sum, each) => sum + Number(each.lag), 0);
      const bytes = residentBytesOf(program.pid);
      if (!Number.isNaN(bytes)) samples.push({ done, bytes });
      progress.update(done);
      await Promise.race([sleep(SAMPLE_MS), program.ended, interrupted]);
    }
    if (end !== 0) throw new BenchError('PROGRAM_FAILED', `the program ended with ${end}: ${program.lastWords()}`);
    progress.end();
  } finally {
    program?.kill('SIGKILL');
    await program?.ended;
    await log.close();
    for (const each of [directory, settings]) rmSync(each, { recursive: true, force: true });
    interrupt.dispose();
  }
  const between = (from: number, to: number): number =>
    median(samples.filter(({ done }) => done >= from * count && done < to * count).map(each => each.bytes));
  return {
    notes: count,
    tenthsBytes: Array.from({ length: 10 }, (_, i) => between(i / 10, (i + 1) / 10)),
    peakBytes: samples.reduce((peak, { bytes }) => Math.max(peak, bytes), 0),
  };
}

/** Paragraphs of the notes, over and over: each a note of its own. */
function shortNotes(notes: readonly Note[], count: number): Note[] {
  return Array.from({ length: count }, sourceOf('short', notes, Math.random));
}
