/** Teachers asked about the notes of `bench llm`, one request after the other, over the escalator's own chain: budget, audit and all. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CostBasis } from '../../benchmark/llm-comparison.ts';
import type { MachinePrice } from '../../benchmark/published.ts';
import type { Config } from '../../config.ts';
import type { Fact } from '../../core/facts.ts';
import type { Span, Task } from '../../core/span.ts';
import type { CorpusDocument } from '../../distill/corpus.ts';
import { median } from '../../evaluation/median.ts';
import type { Teacher } from '../../teachers/teacher.ts';
import { AskedTeacher } from '../asked-teacher.ts';
import { type DemoEmulator, startEmulator } from '../demo-emulator.ts';
import { KEY_FROM, MODEL, PROVIDER, TEACHER } from '../demo-fallback-settings.ts';
import { fallback } from '../fallback.ts';
import type { Io } from '../io.ts';
import { withPublished } from '../published-teachers.ts';
import { buildTeacher } from '../teachers.ts';
import type { GoldNotes } from './llm-notes.ts';
import type { Findings } from './llm-quality.ts';

export interface Asked {
  readonly teacher: string;
  readonly host: string | null;
  readonly findings: Findings;
  /** Of each note that was wholly answered: its requests one after the other, from sending to the last byte. */
  readonly seconds: readonly number[];
  readonly requests: number;
  readonly failed: number;
  /** Of the notes in `seconds`, each. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly usd: number;
  readonly undecided: number;
}

export interface AskOptions {
  readonly config: Config;
  readonly notes: GoldNotes;
  readonly tasks: readonly Task[];
  /** Of each teacher. */
  readonly maxUsd: number;
  readonly stopping: AbortSignal;
  readonly io: Io;
}

/** Nobody waits for a provider for longer, whatever the configuration gives an escalation. */
const NOTE_MS = 120_000;
const STATE = '.clinstream/bench-llm';

/** The real provider of a teacher of the configuration, or a published one. @throws ConfigError, TeacherError, EscalationError. */
export async function askLive(name: string, options: AskOptions): Promise<Asked> {
  const { io } = options;
  const teacher = await teacherOf(name, options);
  // a new folder each time, or replies of before would be timed as none; kept, since an audit trail is
  const directory = join(STATE, `${new Date(io.now()).toISOString().replaceAll(':', '-')}-${name}`);
  return ask(teacher, directory, options);
}

/** One of the configuration, or a published one. @throws ConfigError for a name that is neither. */
export function teacherOf(name: string, { config, io }: Pick<AskOptions, 'config' | 'io'>): Promise<Teacher> {
  const { env, now } = io;
  return buildTeacher(withPublished(config, [name], env), name, { createTeacher: fallback.createTeacher, env, now });
}

/** An emulated OpenAI on this machine that answers with the gold labels. @throws DemoError outside a checkout. */
export async function askSimulated(options: AskOptions): Promise<Asked> {
  const { notes, io } = options;
  const directory = mkdtempSync(join(tmpdir(), 'clinstream-llm-'));
  try {
    const files = { notes: join(directory, 'notes.jsonl'), labels: join(directory, 'labels.jsonl') };
    writeFileSync(files.notes, jsonLines(notes.documents.map(({ id, text }) => ({ noteId: id, text }))));
    writeFileSync(files.labels, jsonLines(notes.documents.map(document => quotesOf(document, options.tasks))));
    const emulator = await startEmulator({ ...files, latencyMs: 0, env: io.env });
    try {
      return await askEmulator(emulator, join(directory, 'state'), options);
    } finally {
      await emulator.stop();
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function askEmulator(emulator: DemoEmulator, directory: string, options: AskOptions): Promise<Asked> {
  const { config, io } = options;
  const { baseUrl, host, apiKey } = emulator;
  const named = {
    name: TEACHER,
    kind: 'openai',
    model: MODEL,
    provider: PROVIDER,
    baseUrl,
    keyFrom: KEY_FROM,
  } as const;
  const teachers = [{ ...named, measured: {} }];
  const own: Config = {
    ...config,
    escalation: { ...config.escalation, teachers, tasks: {} },
    egress: { allow: [host] },
  };
  const env = { [KEY_FROM]: apiKey };
  const teacher = await buildTeacher(own, TEACHER, { createTeacher: fallback.createTeacher, env, now: io.now });
  return ask(teacher, directory, { ...options, config: own });
}

async function ask(teacher: Teacher, directory: string, options: AskOptions): Promise<Asked> {
  const { config, notes, maxUsd, stopping, io } = options;
  const tasks = options.tasks.filter(task => teacher.tasks.includes(task));
  const tell = (line: string): void => void io.stderr.write(`${line}\n`);
  const meter = new Meter();
  mkdirSync(directory, { recursive: true });
  const asked = new AskedTeacher(
    { ...config, escalation: { ...config.escalation, concurrency: 1, deadlineMs: NOTE_MS } },
    {
      ...{ documents: notes.documents, teacher, tasks, directory, maxUsd, stopping, tell, now: io.now },
      deidentified: notes.deidentified,
      observe: meter.observe,
    },
  );
  try {
    const { requests, usd } = asked.estimate;
    tell(
      `${teacher.name}: ${requests} requests, one after the other, at most $${usd.toFixed(4)} (and --max-usd ${maxUsd})`,
    );
    const findings = new Map<string, Map<Task, readonly Span[]>>();
    let undecided = 0;
    for (const document of notes.documents) {
      meter.begin();
      const found = await askNote(asked, document, tasks);
      if (found === 'out-of-money') {
        tell(`${teacher.name}: --max-usd is reached, the notes that are left are not asked about`);
        break;
      }
      if (found.size < tasks.length) undecided++;
      else meter.keep();
      findings.set(document.id, found);
    }
    if (undecided > 0) tell(`${teacher.name}: ${undecided} notes stay without a whole answer`);
    return { teacher: teacher.name, host: teacher.host, findings, ...meter.total, undecided };
  } finally {
    await asked.close();
  }
}

/** A task that stays undecided has no entry. */
async function askNote(
  asked: AskedTeacher,
  document: CorpusDocument,
  tasks: readonly Task[],
): Promise<Map<Task, readonly Span[]> | 'out-of-money'> {
  const found = new Map<Task, readonly Span[]>();
  for (const task of tasks) {
    const labels = await asked.label(document, task);
    if (labels.kind === 'out-of-money') return labels.kind;
    if (labels.kind === 'labelled') found.set(task, labels.spans);
  }
  return found;
}

/** What the requests of one note came to, kept only for notes that were wholly answered. */
class Meter {
  readonly #kept = { seconds: [] as number[], inputTokens: 0, outputTokens: 0, usd: 0 };
  #requests = 0;
  #failed = 0;
  #note = nothing();

  readonly observe = (fact: Fact): void => {
    if (fact.kind !== 'teacher.asked') return;
    this.#requests++;
    if (fact.outcome !== 'OK') this.#failed++;
    this.#note.seconds += fact.ms / 1000;
    this.#note.inputTokens += fact.inputTokens;
    this.#note.outputTokens += fact.outputTokens;
    this.#note.usd += fact.usd;
  };

  begin(): void {
    this.#note = nothing();
  }

  keep(): void {
    const { seconds, inputTokens, outputTokens, usd } = this.#note;
    this.#kept.seconds.push(seconds);
    this.#kept.inputTokens += inputTokens;
    this.#kept.outputTokens += outputTokens;
    this.#kept.usd += usd;
  }

  get total(): Pick<Asked, 'seconds' | 'requests' | 'failed' | 'inputTokens' | 'outputTokens' | 'usd'> {
    return { ...this.#kept, requests: this.#requests, failed: this.#failed };
  }
}

function nothing(): { seconds: number; inputTokens: number; outputTokens: number; usd: number } {
  return { seconds: 0, inputTokens: 0, outputTokens: 0, usd: 0 };
}

/** Figures a note. A model that runs here costs what the machine does while it answers. */
export function figuresOf(
  { host, seconds, usd }: Asked,
  price: MachinePrice,
): { secondsPerNote: number; secondsAlone: number; usdPerNote: number | null; cost: CostBasis } {
  const secondsPerNote = seconds.reduce((sum, each) => sum + each, 0) / seconds.length;
  const times = { secondsPerNote, secondsAlone: median(seconds) };
  if (usd > 0) return { ...times, usdPerNote: usd / seconds.length, cost: 'tokens' };
  if (host === null || /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/.test(host))
    return { ...times, usdPerNote: (price.usdPerHour / 3600) * secondsPerNote, cost: 'machine' };
  return { ...times, usdPerNote: null, cost: 'unknown' };
}

function quotesOf({ id, text, entities }: CorpusDocument, tasks: readonly Task[]): Record<string, string | string[]> {
  const points = Array.from(text);
  const quotes = (task: Task): string[] => [
    ...new Set(entities.filter(each => each.type === task).map(({ start, end }) => points.slice(start, end).join(''))),
  ];
  return { noteId: id, ...Object.fromEntries(tasks.map(task => [task, quotes(task)])) };
}

function jsonLines(rows: readonly object[]): string {
  return rows.map(row => `${JSON.stringify(row)}\n`).join('');
}
