/** Resident memory of the real program while many short notes pass through it. Reads /proc, so Linux only. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
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
import { residentBytesOf } from './process-use.ts';

export interface MemoryResult {
  readonly notes: number;
  /** Median resident bytes over each tenth of the notes: the first ones show the heap growing to its working size. */
  readonly tenthsBytes: readonly number[];
  readonly peakBytes: number;
}

const MAIN = resolve(import.meta.dirname, '../../main.ts');
const SAMPLE_MS = 250;

export async function measureMemory(
  config: Config,
  notes: readonly Note[],
  count: number,
  io: Io,
): Promise<MemoryResult> {
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
  const samples: { done: number; bytes: number }[] = [];
  try {
    await ensureTopics(log, config);
    const topic = config.topics.notes;
    const to = { transport: log, codec: singleObjectCodecs().notes(topic), topic, now: io.now };
    let appended: Note[] = [];
    for (const note of shortNotes(notes, count)) {
      appended.push(note);
      if (appended.length < 500) continue;
      await appendNotes(to, appended);
      appended = [];
    }
    await appendNotes(to, appended);
    const child = spawn(
      process.execPath,
      [MAIN, 'run', '--until-drained', '--quiet', '--data', directory, '--model', config.model],
      {
        stdio: ['ignore', 'ignore', 'inherit'],
        env: { ...io.env, CLINSTREAM_TELEMETRY_LEVEL: 'error' },
      },
    );
    const ended = once(child, 'exit');
    while (child.exitCode === null) {
      const lags = await log.lags();
      const done =
        lags.length < config.topics.partitions ? 0 : count - lags.reduce((sum, each) => sum + Number(each.lag), 0);
      const bytes = residentBytesOf(child.pid);
      if (!Number.isNaN(bytes)) samples.push({ done, bytes });
      progress.update(done);
      await Promise.race([sleep(SAMPLE_MS), ended]);
    }
    progress.end();
  } finally {
    await log.close();
    rmSync(directory, { recursive: true, force: true });
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
function* shortNotes(notes: readonly Note[], count: number): Iterable<Note> {
  const next = sourceOf('short', notes, Math.random);
  for (let i = 0; i < count; i++) yield next();
}
