/**
 * `distill annotate`: teachers' labels on a corpus, a file a teacher in the corpus's own format. A reply is kept before it is used, so
 * what was cut off goes on where it was, and a second run costs nothing.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { type Config, ConfigError } from '../config.ts';
import type { Task } from '../core/span.ts';
import { type Annotations, annotate } from '../distill/annotate.ts';
import { byId } from '../distill/annotators.ts';
import { type CorpusDocument, corpusHash, readCorpus, type Split } from '../distill/corpus.ts';
import { DistillError } from '../distill/distill-error.ts';
import { readJson } from '../distill/json-file.ts';
import { writeWhole } from '../distill/write-whole.ts';
import type { Teacher } from '../teachers/teacher.ts';
import { AskedTeacher } from './asked-teacher.ts';
import { EXIT } from './exit.ts';
import { fallback } from './fallback.ts';
import { readGuidelines } from './guidelines-file.ts';
import { type Io, write } from './io.ts';
import { createProgress } from './progress.ts';
import { currentCommit } from './provenance.ts';
import { withPublished } from './published-teachers.ts';
import { onInterrupt } from './signals.ts';
import { buildTeacher } from './teachers.ts';

export interface AnnotateFlags {
  readonly corpus: string;
  readonly file: string;
  readonly split: Split;
  readonly teacher: readonly string[];
  readonly task: readonly Task[];
  readonly out: string;
  /** Of each teacher, in `out`, ever. */
  readonly maxUsd: number;
  readonly deidentified?: string;
  /** A file of guidelines instead of the teachers' own. */
  readonly guidelines?: string;
  readonly quiet?: boolean;
}

/**
 * @returns the exit code: of success, of documents that stay without labels, or of an interruption.
 * @throws ConfigError, TeacherError, EscalationError; DistillError, of which COST_CAP_REACHED once what was afforded is written.
 */
export async function distillAnnotate(config: Config, flags: AnnotateFlags, io: Io): Promise<number> {
  check(flags);
  const documents = readCorpus(resolve(flags.corpus), flags.file, flags.split);
  if (documents.length === 0) throw new DistillError('CORPUS_MISSING', `${flags.file} has no ${flags.split} document`);
  byId(documents, flags.file);
  const teachers: Teacher[] = [];
  const guidelines = flags.guidelines === undefined ? undefined : readGuidelines(flags.guidelines);
  const { createTeacher } = fallback;
  const named = withPublished(config, flags.teacher, io.env);
  for (const name of flags.teacher)
    teachers.push(await buildTeacher(named, name, { createTeacher, env: io.env, now: io.now, guidelines }));
  checkTeachers(teachers, flags);
  const interrupt = onInterrupt();
  const stopping = interrupt.signal;
  stopping.addEventListener('abort', () => io.stderr.write('interrupted: waiting for replies that are paid for\n'));
  try {
    const job: Job = { config, documents, flags, stopping, io };
    await sayCosts(teachers, job);
    const results: Annotations[] = [];
    for (const teacher of teachers) results.push(await annotateBy(teacher, job));
    requireAll(results, flags);
    return results.some(({ undecided }) => undecided.length > 0) ? EXIT.input : EXIT.ok;
  } catch (error) {
    if (!stopping.aborted || error !== stopping.reason) throw error;
    io.stderr.write('what was answered is kept, so run it again to go on\n');
    return EXIT.interrupted;
  } finally {
    interrupt.dispose();
  }
}

function check({ teacher, task, corpus, file, out, deidentified }: AnnotateFlags): void {
  for (const [option, values] of Object.entries({ teacher, task })) {
    const twice = values.find((value, i) => values.indexOf(value) !== i);
    if (twice !== undefined) throw refused(`--${option}: ${twice} stands there twice`);
  }
  const own = teacher.find(name => join(resolve(out), `${name}.jsonl`) === join(resolve(corpus), file));
  if (own !== undefined) throw refused(`--out: the labels of ${own} would replace ${file}, which they are about`);
  if (deidentified?.trim() === '') throw refused('--deidentified: it says nothing');
}

function checkTeachers(teachers: readonly Teacher[], { task, deidentified }: AnnotateFlags): void {
  const unknown = task.find(each => teachers.every(({ tasks }) => !tasks.includes(each)));
  if (unknown !== undefined) throw refused(`--task: no --teacher can be asked about ${unknown}`);
  const idle = teachers.find(({ tasks }) => !task.some(each => tasks.includes(each)));
  if (idle !== undefined) throw refused(`--task: ${idle.name} knows none of these`);
  const sender = teachers.find(({ host }) => host !== null);
  if (sender === undefined || deidentified !== undefined) return;
  const why = `${sender.name} sends the documents to ${sender.host}`;
  throw refused(`--deidentified is missing: ${why}, so say how they were de-identified`);
}

function refused(what: string): ConfigError {
  return new ConfigError('CONFIG_INVALID', what);
}

interface Job {
  readonly config: Config;
  readonly documents: readonly CorpusDocument[];
  readonly flags: AnnotateFlags;
  readonly stopping: AbortSignal;
  readonly io: Io;
}

function ask(teacher: Teacher, { config, documents, flags, stopping, io }: Job): AskedTeacher {
  const { maxUsd, deidentified = 'read on this machine only' } = flags;
  return new AskedTeacher(config, {
    documents,
    teacher,
    tasks: tasksOf(teacher, flags),
    directory: join(flags.out, 'state', teacher.name),
    maxUsd,
    deidentified,
    stopping,
    tell: line => tell(line, { flags, io }),
    now: io.now,
  });
}

function tasksOf(teacher: Teacher, { task }: AnnotateFlags): Task[] {
  return task.filter(each => teacher.tasks.includes(each));
}

function tell(line: string, { flags, io }: Pick<Job, 'flags' | 'io'>): void {
  if (flags.quiet !== true) io.stderr.write(`${line}\n`);
}

/** Before the first of them is asked: what each and all may cost, and that no labels would be replaced unasked. @throws ConfigError */
async function sayCosts(teachers: readonly Teacher[], job: Job): Promise<void> {
  const { flags } = job;
  const paid = { teachers: 0, atMost: 0, before: 0 };
  for (const teacher of teachers) {
    const asked = ask(teacher, job);
    try {
      const { prompts, models } = asked;
      requireSameRun(teacher, tasksOf(teacher, flags), { ...flags, prompts, models });
      const { requests, stored, usd } = asked.estimate;
      const before = asked.usdInAll === 0 ? '' : `; ${dollars(asked.usdInAll)} were spent here before`;
      tell(`${teacher.name}: ${requests} requests, ${stored} answered before, at most ${dollars(usd)}${before}`, job);
      if (usd + asked.usdInAll > 0) paid.teachers++;
      paid.atMost += usd;
      paid.before += asked.usdInAll;
    } finally {
      await asked.close();
    }
  }
  if (teachers.length === 1) return;
  const cap = `--max-usd ${flags.maxUsd} for each of ${paid.teachers} that are paid is ${dollars(flags.maxUsd * paid.teachers)} in all`;
  const before = paid.before === 0 ? '' : `, of which ${dollars(paid.before)} were spent before`;
  tell(`all teachers: at most ${dollars(paid.atMost)}; ${cap}${before}`, job);
}

async function annotateBy(teacher: Teacher, job: Job): Promise<Annotations> {
  const { config, documents, flags, io } = job;
  const { maxUsd, quiet = false } = flags;
  const { now, stderr } = io;
  const tasks = tasksOf(teacher, flags);
  const asked = ask(teacher, job);
  try {
    const shown = { label: teacher.name, unit: 'documents', total: documents.length, quiet, stream: stderr, now };
    const progress = createProgress(shown);
    const annotations = await annotate({
      documents,
      tasks,
      concurrency: config.escalation.concurrency,
      label: (document, task) => asked.label(document, task),
      atMostUsd: document => asked.atMostUsd(document),
      spentUsd: () => asked.usdInAll,
      maxUsd,
      onDone: progress.update,
    }).finally(progress.end);
    const { prompts, models } = asked;
    const about = { tasks, prompts, models, usdInAll: asked.usdInAll, thisRun: asked.asked };
    const file = writeRun(teacher, annotations, about, flags);
    await write(io.stdout, `${file}: ${sentence(annotations, documents.length)}, ${dollars(asked.asked.usd)}\n`);
    return annotations;
  } finally {
    await asked.close();
  }
}

const runFile = (out: string, teacher: string): string => join(out, `${teacher}.run.json`);

/** Labels of other documents or tasks, or by another prompt or model, are not replaced unasked. @throws ConfigError */
function requireSameRun(
  { name }: Teacher,
  tasks: readonly Task[],
  { out, file, split, prompts, models }: AnnotateFlags & Pick<AskedTeacher, 'prompts' | 'models'>,
): void {
  const path = runFile(out, name);
  if (!existsSync(path)) return;
  const own = 'give each such run a folder of its own';
  const found = z.record(z.string(), z.unknown()).safeParse(readJson(path));
  if (!found.success) throw refused(`--out: ${path} is no run of 'distill annotate': move it away, or ${own}`);
  const before = found.data;
  if (JSON.stringify([before.file, before.split, before.tasks]) !== JSON.stringify([file, split, tasks]))
    throw refused(`--out: ${path} is of ${before.file}, ${before.split}, ${before.tasks}: ${own}`);
  if (JSON.stringify(before.prompts) !== JSON.stringify(prompts))
    throw refused(`--out: ${path} is of another prompt (guidelines, or the teacher's settings): ${own}`);
  if (JSON.stringify(before.models) !== JSON.stringify(models))
    throw refused(`--out: ${path} is of another model: ${own}`);
}

/** Never less than it is. */
function dollars(usd: number): string {
  return `$${(Math.ceil(usd * 1e4 - 1e-6) / 1e4).toFixed(4)}`;
}

/** Notes stand in it. */
const OWNER = 0o600;

/** The labels, and beside them what was done; each is there whole or not at all. */
function writeRun(
  { name, provider, host }: Teacher,
  { labelled, undecided, left }: Annotations,
  about: object,
  { out, corpus, file, split }: AnnotateFlags,
): string {
  const path = join(out, `${name}.jsonl`);
  const report = {
    ...{ teacher: name, provider, host, file, split },
    corpusSha256: corpusHash(resolve(corpus), file),
    commit: currentCommit(),
    ...about,
    ...{ labelled: labelled.length, undecided, left },
  };
  writeWhole(path, labelled.map(each => `${JSON.stringify(each)}\n`).join(''), OWNER);
  writeWhole(runFile(out, name), `${JSON.stringify(report, null, 1)}\n`, OWNER);
  return path;
}

function sentence({ labelled, undecided, left }: Annotations, documents: number): string {
  const counts = new Map<string, number>();
  for (const { task, reason } of undecided) counts.set(`${task} ${reason}`, (counts.get(`${task} ${reason}`) ?? 0) + 1);
  const reasons = [...counts].map(([what, count]) => `, ${count} × ${what}`).join('');
  return `${labelled.length} of ${documents} documents labelled${reasons}${left > 0 ? `, ${left} left` : ''}`;
}

function requireAll(results: readonly Annotations[], { teacher, maxUsd }: AnnotateFlags): void {
  const short = results.flatMap(({ left }, i) => (left > 0 ? [`${left} of ${teacher[i]}`] : []));
  if (short.length === 0) return;
  throw new DistillError(
    'COST_CAP_REACHED',
    `documents are left (${short.join(', ')}) that may cost more than --max-usd ${maxUsd} leaves: what is done is kept, so raise it and run again`,
  );
}
