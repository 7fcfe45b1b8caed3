/**
 * `distill annotate`: teachers' labels on a corpus, a file a teacher in the corpus's own format. A reply is kept before it is used, so
 * what was cut off goes on where it was, and a second run costs nothing.
 */
import { join, resolve } from 'node:path';
import { type Config, ConfigError } from '../config.ts';
import type { Task } from '../core/span.ts';
import { type Annotations, annotate } from '../distill/annotate.ts';
import { type CorpusDocument, corpusHash, readCorpus, type Split } from '../distill/corpus.ts';
import { DistillError } from '../distill/distill-error.ts';
import type { Teacher } from '../teachers/teacher.ts';
import { Annotator } from './annotating.ts';
import { currentCommit } from './commit.ts';
import { EXIT } from './exit.ts';
import { fallback } from './fallback.ts';
import { type Io, write } from './io.ts';
import { createProgress } from './progress.ts';
import { onInterrupt } from './signals.ts';
import { buildTeacher } from './teachers.ts';
import { writeWhole } from './write-whole.ts';

export interface AnnotateFlags {
  readonly corpus: string;
  readonly file: string;
  readonly split: Split;
  readonly teacher: readonly string[];
  readonly task: readonly Task[];
  readonly out: string;
  /** Of each teacher. */
  readonly maxUsd: number;
  readonly deidentified?: string;
  readonly quiet?: boolean;
}

/**
 * @returns the exit code: of an interruption, or of success.
 * @throws ConfigError, TeacherError, EscalationError; DistillError COST_CAP_REACHED once what was afforded is written.
 */
export async function distillAnnotate(config: Config, flags: AnnotateFlags, io: Io): Promise<number> {
  const documents = readCorpus(resolve(flags.corpus), flags.file, flags.split);
  const teachers: Teacher[] = [];
  for (const name of flags.teacher) teachers.push(await teacherOf(config, name, io));
  const sender = teachers.find(({ host }) => host !== null);
  if (sender !== undefined && flags.deidentified === undefined) {
    const why = `${sender.name} sends the documents to ${sender.host}`;
    throw new ConfigError('CONFIG_INVALID', `--deidentified is missing: ${why}, so say how they were de-identified`);
  }
  const interrupt = onInterrupt();
  const stopping = interrupt.signal;
  try {
    for (const teacher of teachers) await annotateBy(teacher, { config, documents, flags, stopping, io });
    return EXIT.ok;
  } catch (error) {
    if (!stopping.aborted) throw error;
    io.stderr.write('interrupted: what was answered is kept, so run it again to go on\n');
    return EXIT.interrupted;
  } finally {
    interrupt.dispose();
  }
}

/** `dictionary` needs no configuration. */
function teacherOf(config: Config, name: string, io: Io): Promise<Teacher> {
  const { createTeacher } = fallback;
  const unknown = config.escalation.teachers.every(each => each.name !== name);
  return name === 'dictionary' && unknown
    ? createTeacher({ config: { name, kind: 'dictionary' }, egressAllow: [], now: io.now })
    : buildTeacher(config, name, { createTeacher, env: io.env, now: io.now });
}

interface Job {
  readonly config: Config;
  readonly documents: readonly CorpusDocument[];
  readonly flags: AnnotateFlags;
  readonly stopping: AbortSignal;
  readonly io: Io;
}

async function annotateBy(teacher: Teacher, { config, documents, flags, stopping, io }: Job): Promise<void> {
  const tasks = flags.task.filter(task => teacher.tasks.includes(task));
  if (tasks.length === 0) throw new ConfigError('CONFIG_INVALID', `--task: ${teacher.name} knows none of these`);
  const { maxUsd, deidentified = 'read on this machine only' } = flags;
  const directory = join(flags.out, 'state');
  const annotator = new Annotator(config, { teacher, tasks, directory, maxUsd, deidentified, stopping, now: io.now });
  const { quiet = false } = flags;
  const shown = { label: teacher.name, unit: 'documents', total: documents.length, stream: io.stderr, now: io.now };
  try {
    const { requests, stored, usd } = annotator.estimate(documents);
    if (!quiet)
      await write(
        io.stderr,
        `${teacher.name}: ${requests} requests, ${stored} answered before, at most $${usd.toFixed(2)}\n`,
      );
    const progress = createProgress({ ...shown, quiet });
    const annotations = await annotate({
      documents,
      tasks,
      concurrency: config.escalation.concurrency,
      label: (document, task) => annotator.label(document, task),
      atMostUsd: document => annotator.atMostUsd(document),
      spentUsd: () => annotator.spent.usd,
      maxUsd,
      onDone: progress.update,
    }).finally(progress.end);
    const about = { tasks, prompts: annotator.prompts(documents), spent: annotator.spent };
    const file = writeRun(teacher, annotations, about, flags);
    await write(io.stdout, `${file}: ${sentence(annotations, documents.length)}, $${annotator.spent.usd.toFixed(4)}\n`);
    requireAll(teacher, annotations, flags);
  } finally {
    await annotator.close();
  }
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
  writeWhole(join(out, `${name}.run.json`), `${JSON.stringify(report, null, 1)}\n`, OWNER);
  return path;
}

function sentence({ labelled, undecided, left }: Annotations, documents: number): string {
  const counts = new Map<string, number>();
  for (const { reason } of undecided) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const reasons = [...counts].map(([reason, count]) => `, ${count} × ${reason}`).join('');
  return `${labelled.length} of ${documents} documents labelled${reasons}${left > 0 ? `, ${left} left` : ''}`;
}

function requireAll({ name }: Teacher, { left }: Annotations, { maxUsd }: AnnotateFlags): void {
  if (left === 0) return;
  throw new DistillError(
    'COST_CAP_REACHED',
    `${name}: ${left} documents are left, which may cost more than --max-usd ${maxUsd} leaves: what is done is kept, so raise it and run again`,
  );
}
