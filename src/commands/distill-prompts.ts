/**
 * `distill prompts`: versions of a teacher's prompt on gold documents, each a run in a folder of its own, and a table of what they are
 * worth and cost. A reply is kept by text and prompt, so a second run costs nothing and no version ever gets another's answers.
 */
import { join, resolve } from 'node:path';
import { type Config, ConfigError } from '../config.ts';
import type { Task } from '../core/span.ts';
import { SEED } from '../distill/ahead.ts';
import { type Annotations, annotate } from '../distill/annotate.ts';
import { byId, requireEnough, scorable } from '../distill/annotators.ts';
import { comparePrompts, figuresOf, measureLabels, type PromptComparison } from '../distill/compare-prompts.ts';
import { type CorpusDocument, corpusHash, readCorpus, type Split } from '../distill/corpus.ts';
import { DistillError } from '../distill/distill-error.ts';
import { renderPrompts, type VersionSummary } from '../distill/prompts-table.ts';
import { writeWhole } from '../distill/write-whole.ts';
import { RESAMPLES } from '../evaluation/bootstrap.ts';
import { loadServing } from '../model/store.ts';
import { TextTokenizer } from '../model/tokenizer.ts';
import type { GuidelineText } from '../teachers/guideline-text.ts';
import type { Teacher } from '../teachers/teacher.ts';
import { AskedTeacher } from './asked-teacher.ts';
import { EXIT } from './exit.ts';
import { fallback } from './fallback.ts';
import { readGuidelines } from './guidelines-file.ts';
import { type Io, write } from './io.ts';
import { createProgress } from './progress.ts';
import {
  BUILT_IN,
  type RunSubject,
  requireSameRun,
  roundedButMoney,
  type Usage,
  usageOf,
  writePromptRun,
} from './prompt-run.ts';
import { currentCommit, thisMachine } from './provenance.ts';
import { withPublished } from './published-teachers.ts';
import { onInterrupt } from './signals.ts';
import { buildTeacher } from './teachers.ts';

export interface PromptsFlags {
  readonly corpus: string;
  readonly file: string;
  readonly split: Split;
  /** Gold types that stand for each. */
  readonly task: ReadonlyMap<Task, readonly string[]>;
  readonly teacher: string;
  /** Files of guidelines by the version's name; undefined for the built-in ones. */
  readonly prompt: ReadonlyMap<string, string | undefined>;
  readonly out: string;
  /** Of all versions together, in `out`, ever. */
  readonly maxUsd: number;
  readonly deidentified?: string;
  readonly quiet?: boolean;
}

/** @returns the exit code. @throws ConfigError, TeacherError, EscalationError; DistillError, of which COST_CAP_REACHED once what was afforded is written. */
export async function distillPrompts(given: Config, flags: PromptsFlags, io: Io): Promise<number> {
  const config = withPublished(given, [flags.teacher], io.env);
  const gold = readCorpus(resolve(flags.corpus), flags.file, flags.split);
  if (gold.length === 0) throw new DistillError('CORPUS_MISSING', `${flags.file} has no ${flags.split} document`);
  byId(gold, flags.file);
  requireEnough(gold, flags.task); // before anybody is asked and paid
  const versions = await versionsOf(config, flags, io);
  const model = loadServing(config.model);
  const tokenizer = new TextTokenizer(join(model.directory, model.manifest.tokenizer));
  const interrupt = onInterrupt();
  const stopping = interrupt.signal;
  stopping.addEventListener('abort', () => io.stderr.write('interrupted: waiting for replies that are paid for\n'));
  try {
    const job: Job = { config, gold, flags, tokenizer, stopping, io };
    await sayCosts(versions, job);
    const runs: Run[] = [];
    for (const version of versions) runs.push(await runVersion(version, job));
    requireAll(runs, flags);
    await compareRuns(runs, job, { ...model.identity });
    return EXIT.ok;
  } catch (error) {
    if (!stopping.aborted || error !== stopping.reason) throw error;
    io.stderr.write('what was answered is kept, so run it again to go on\n');
    return EXIT.interrupted;
  } finally {
    interrupt.dispose();
  }
}

interface Version {
  readonly name: string;
  /** Null for the built-in ones. */
  readonly guidelines: GuidelineText | null;
  readonly teacher: Teacher;
}

interface Job {
  readonly config: Config;
  readonly gold: readonly CorpusDocument[];
  readonly flags: PromptsFlags;
  readonly tokenizer: TextTokenizer;
  readonly stopping: AbortSignal;
  readonly io: Io;
}

interface Run {
  readonly version: Version;
  readonly annotations: Annotations;
  readonly usage: Usage;
  readonly quotes: AskedTeacher['quotes'];
}

async function versionsOf(config: Config, flags: PromptsFlags, io: Io): Promise<Version[]> {
  const { prompt, task, teacher: name, deidentified } = flags;
  if (prompt.size < 2) throw refused('--prompt: one version is nothing to compare: give at least two');
  if (deidentified?.trim() === '') throw refused('--deidentified: it says nothing');
  const versions: Version[] = [];
  for (const [version, path] of prompt) {
    if (version.startsWith('.') || RESERVED.includes(version))
      throw refused(`--prompt: ${version} cannot be the name of a version`);
    const guidelines = path === undefined ? null : readGuidelines(path);
    const { createTeacher } = fallback;
    const teacher = await buildTeacher(config, name, { createTeacher, env: io.env, now: io.now, guidelines });
    const unknown = [...task.keys()].find(each => !teacher.tasks.includes(each));
    if (unknown !== undefined) throw refused(`--task: ${name} cannot be asked about ${unknown} by ${version}`);
    if (deidentified === undefined)
      throw refused(`--deidentified is missing: ${name} sends the documents to ${teacher.host}, so say how they were`);
    versions.push({ name: version, guidelines, teacher });
  }
  return versions;
}

/** Files and folders of the comparison itself. */
const RESERVED = ['state', 'comparison.json'];

function refused(what: string): ConfigError {
  return new ConfigError('CONFIG_INVALID', what);
}

/** One folder of replies for all versions: what makes two requests the same is in their keys, and the money is counted once. */
function ask({ teacher }: Version, { config, gold, flags, stopping, io }: Job): AskedTeacher {
  return new AskedTeacher(config, {
    documents: gold,
    teacher,
    tasks: [...flags.task.keys()],
    directory: join(flags.out, 'state'),
    maxUsd: flags.maxUsd,
    deidentified: flags.deidentified as string,
    stopping,
    tell: line => tell(line, { flags, io }),
    now: io.now,
  });
}

function tell(line: string, { flags, io }: Pick<Job, 'flags' | 'io'>): void {
  if (flags.quiet !== true) io.stderr.write(`${line}\n`);
}

/** Before the first request: what is to come, and that no folder is of something else. */
async function sayCosts(versions: readonly Version[], job: Job): Promise<void> {
  let most = 0;
  for (const version of versions) {
    const asked = ask(version, job);
    try {
      requireSameRun(job.flags.out, subjectOf(version, asked, job));
      const { requests, stored, usd } = asked.estimate;
      most += usd;
      tell(`${version.name}: ${requests} requests, ${stored} answered before, at most $${usd.toFixed(4)}`, job);
    } finally {
      await asked.close();
    }
  }
  tell(`all versions: at most $${most.toFixed(4)}, of --max-usd ${job.flags.maxUsd}`, job);
}

function subjectOf({ name }: Version, { prompts, models }: AskedTeacher, { flags }: Job): RunSubject {
  const { teacher, file, split, task } = flags;
  return { version: name, teacher, file, split, tasks: [...task.keys()], prompts, models };
}

async function runVersion(version: Version, job: Job): Promise<Run> {
  const { config, gold, flags, tokenizer, io } = job;
  const { maxUsd, quiet = false, deidentified } = flags;
  const asked = ask(version, job);
  try {
    const shown = { label: version.name, unit: 'documents', total: gold.length, quiet, stream: io.stderr, now: io.now };
    const progress = createProgress(shown);
    const annotations = await annotate({
      documents: gold,
      tasks: [...flags.task.keys()],
      concurrency: config.escalation.concurrency,
      label: (document, task) => asked.label(document, task),
      atMostUsd: document => asked.atMostUsd(document),
      spentUsd: () => asked.usdInAll,
      maxUsd,
      onDone: progress.update,
    }).finally(progress.end);
    const run: Run = { version, annotations, usage: usageOf(asked, gold), quotes: asked.quotes };
    const labelled = byId(annotations.labelled, version.name);
    const own = gold.filter(({ id }) => labelled.has(id));
    const measured = await measureLabels(tokenizer, own, { name: version.name, documents: labelled }, flags.task);
    const { provider, host } = version.teacher;
    writePromptRun(flags.out, subjectOf(version, asked, job), {
      guidelines: version.guidelines,
      annotations,
      about: {
        ...{ provider, host, simulated: isSimulated(flags.teacher), deidentified },
        config: config.escalation.teachers.find(({ name }) => name === flags.teacher),
        corpusSha256: corpusHash(resolve(flags.corpus), flags.file),
        goldTypes: Object.fromEntries(flags.task),
        ...{ commit: currentCommit(), machine: thisMachine(), seed: SEED, resamples: RESAMPLES },
        ...{ usage: run.usage, quotes: run.quotes, thisRun: asked.asked },
        // on the documents that this version labelled; the comparison is on those that all did
        metrics: Object.fromEntries(Array.from(measured, ([task, each]) => [task, figuresOf(each)])),
      },
    });
    return run;
  } finally {
    await asked.close();
  }
}

/** By convention: what stands in events, audit lines and reports says so. */
function isSimulated(teacher: string): boolean {
  return teacher.startsWith('simulated-');
}

async function compareRuns(runs: readonly Run[], { gold, flags, tokenizer, io }: Job, model: object): Promise<void> {
  const annotators = runs.map(({ version: { name }, annotations }) => ({
    name,
    documents: byId(annotations.labelled, name),
  }));
  const documents = scorable(gold, annotators, true);
  requireEnough(documents, flags.task);
  const measured: Awaited<ReturnType<typeof measureLabels>>[] = [];
  for (const annotator of annotators) measured.push(await measureLabels(tokenizer, documents, annotator, flags.task));
  const comparisons = new Map<Task, PromptComparison>();
  for (const task of flags.task.keys()) {
    const versions = runs.flatMap(({ version: { name }, usage: { usdANote } }, i) => {
      const own = measured[i]?.get(task);
      return own === undefined ? [] : [{ name, usdANote, measured: own }];
    });
    comparisons.set(task, comparePrompts(versions));
  }
  const { file, split, teacher } = flags;
  const on = { file, split, documents: documents.length, of: gold.length, teacher, simulated: isSimulated(teacher) };
  const summaries = runs.map(run => summaryOf(run, gold.length));
  const figures = {
    ...on,
    corpusSha256: corpusHash(resolve(flags.corpus), file),
    ...{ model, commit: currentCommit(), machine: thisMachine(), seed: SEED, resamples: RESAMPLES },
    versions: summaries,
    tasks: Object.fromEntries(comparisons),
  };
  writeWhole(join(flags.out, 'comparison.json'), `${JSON.stringify(figures, roundedButMoney, 1)}\n`);
  await write(io.stdout, renderPrompts(comparisons, summaries, on));
}

function summaryOf({ version, annotations, usage, quotes }: Run, of: number): VersionSummary {
  return {
    name: version.name,
    guidelines: version.guidelines?.sha256.slice(0, 12) ?? BUILT_IN,
    labelled: annotations.labelled.length,
    of,
    usdANote: usage.usdANote,
    unusable: usage.unusable,
    ...quotes,
  };
}

function requireAll(runs: readonly Run[], { maxUsd }: PromptsFlags): void {
  const short = runs.flatMap(({ version, annotations: { left } }) => (left > 0 ? [`${left} of ${version.name}`] : []));
  if (short.length === 0) return;
  throw new DistillError(
    'COST_CAP_REACHED',
    `documents are left (${short.join(', ')}) that may cost more than --max-usd ${maxUsd} leaves: what is done is kept, so raise it and run again`,
  );
}
