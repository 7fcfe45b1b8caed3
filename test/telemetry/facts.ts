/** One example of every fact, and a telemetry whose lines a test can read. */
import type { Fact } from '../../src/core/facts.ts';
import type { LogLevel } from '../../src/telemetry/logger.ts';
import type { FactKind, FactOf } from '../../src/telemetry/report.ts';
import { createTelemetry, type Telemetry } from '../../src/telemetry/telemetry.ts';

/** Must never be seen in a line or a metric. */
export const CANARY = 'Zyxcanary';

const PLACE = { group: 'taggers', topic: 'clinical.notes', partition: 2 };

export const FACTS: { readonly [Kind in FactKind]: FactOf<Kind> } = {
  'model.loaded': { kind: 'model.loaded', name: 'notes-minilm', version: '1', sha256: 'ab'.repeat(32) },
  'device.chosen': {
    kind: 'device.chosen',
    device: 'cpu',
    requested: 'auto',
    reason: 'no CUDA provider',
    workers: 2,
    threadsPerWorker: 1,
  },
  'worker.replaced': { kind: 'worker.replaced', worker: 1, code: 'THREAD_DIED' },
  'batch.run': { kind: 'batch.run', windows: 4, tokens: 900, paddedTokens: 1_000, queueMs: 2, runMs: 30 },
  'batch.retried': { kind: 'batch.retried', windows: 4, code: 'THREAD_DIED' },
  'queue.changed': { kind: 'queue.changed', windows: 7, tokens: 1_500 },
  'note.tagged': {
    kind: 'note.tagged',
    noteId: 'note-1',
    tokens: 300,
    windows: 2,
    entities: { medication: 3, disease: 1, symptom: 0 },
    stageMs: { decode: 1, tokenize: 2, infer: 30, assemble: 1 },
  },
  'record.dead-lettered': {
    kind: 'record.dead-lettered',
    stage: 'decode',
    code: 'NOT_AVRO',
    topic: 'clinical.notes',
    partition: 2,
    offset: 9_007_199_254_740_993n,
  },
  'note.shadowed': {
    kind: 'note.shadowed',
    noteId: 'note-1',
    words: 200,
    apart: { medication: 0, disease: 2, symptom: 3 },
  },
  'record.passed-over': {
    kind: 'record.passed-over',
    code: 'NOTE_NOT_ATTESTED',
    topic: 'clinical.notes',
    partition: 2,
    offset: 8n,
  },
  'note.escalated': { kind: 'note.escalated', noteId: 'note-1', tasks: ['disease', 'symptom'] },
  'note.too-large': { kind: 'note.too-large', noteId: 'note-2', tasks: ['disease', 'symptom'] },
  'escalation.taken': { kind: 'escalation.taken', partition: 2, offset: 7n },
  'escalation.ended': { kind: 'escalation.ended', partition: 2, offset: 7n, outcome: 'reviewed', reason: 'TOO_OLD' },
  'teacher.asked': {
    kind: 'teacher.asked',
    teacher: 'first',
    task: 'symptom',
    outcome: 'OK',
    inputTokens: 900,
    outputTokens: 80,
    usd: 0.25,
    ms: 700,
  },
  'reply.reused': { kind: 'reply.reused', teacher: 'first', task: 'symptom' },
  'teacher.disabled': { kind: 'teacher.disabled', teacher: 'second', code: 'TEACHER_DENIED' },
  'provider.busy': { kind: 'provider.busy', provider: 'openai', ms: 2_000 },
  'breaker.changed': { kind: 'breaker.changed', provider: 'openai', state: 'open' },
  'fallback.blocked': { kind: 'fallback.blocked', blocked: true },
  'fallback.warned': { kind: 'fallback.warned', reason: 'BUDGET_SPENT' },
  'budget.used': { kind: 'budget.used', usdToday: 1.5 },
  'quotes.grounded': {
    kind: 'quotes.grounded',
    teacher: 'first',
    task: 'symptom',
    aligned: { exact: 3, fuzzy: 1 },
    dropped: { absent: 2 },
  },
  'partition.assigned': { kind: 'partition.assigned', ...PLACE, position: 12n },
  'partition.lost': { kind: 'partition.lost', ...PLACE, reason: 'stopped' },
  'partition.lag': { kind: 'partition.lag', ...PLACE, lag: 40n },
  'partition.truncated': { kind: 'partition.truncated', ...PLACE, records: 3n },
  'partition.phase': { kind: 'partition.phase', ...PLACE, phase: 'fenced' },
  'group.settled': { kind: 'group.settled', group: 'taggers', partitions: 4 },
  'group.unsettled': { kind: 'group.unsettled', group: 'taggers', code: 'REBALANCING' },
  'group.left': { kind: 'group.left', group: 'taggers' },
  'transaction.committed': { kind: 'transaction.committed', ...PLACE, records: 10, outputs: 11, ms: 5 },
  'transaction.failed': { kind: 'transaction.failed', ...PLACE, code: 'GROUP_LOST', retryable: true },
  'role.state': { kind: 'role.state', role: 'tagger', state: 'ready' },
};

export const ALL_FACTS: readonly Fact[] = Object.values(FACTS);

export interface Line {
  readonly level: string;
  readonly msg: string;
  readonly fact?: string;
  readonly [field: string]: unknown;
}

/** A telemetry, and what it has logged so far: as text and as objects. */
export function watched(level: LogLevel = 'debug'): { telemetry: Telemetry; text(): string; lines(): Line[] } {
  const written: string[] = [];
  const telemetry = createTelemetry({ log: { level, destination: { write: line => void written.push(line) } } });
  return {
    telemetry,
    text: () => written.join(''),
    lines: () => written.map(line => JSON.parse(line) as Line),
  };
}

/** The samples of our own metrics, as `name{labels} value`. */
export async function samples(telemetry: Telemetry): Promise<string[]> {
  const text = await telemetry.registry.metrics();
  return text.split('\n').filter(line => line.startsWith('clinstream_'));
}
