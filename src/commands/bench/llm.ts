/**
 * `bench llm`: the same notes by clinstream and by language models: seconds and dollars a note, and quality where there is gold. Teachers are
 * asked live, or emulated and labelled so; beside them stand published figures, labelled so, which are replayed and never measured.
 */

import { quantilesOf } from '../../benchmark/distribution.ts';
import { compareReaders, type Provenance, type Reader } from '../../benchmark/llm-comparison.ts';
import { type LlmResult, renderComparison, renderPage } from '../../benchmark/llm-page.ts';
import { type MachinePrice, machinePrice, PUBLISHED, usdPerNote } from '../../benchmark/published.ts';
import { repeated } from '../../benchmark/workloads.ts';
import type { Config } from '../../config.ts';
import type { StreamRecord } from '../../core/record.ts';
import type { Span, Task } from '../../core/span.ts';
import { median } from '../../evaluation/median.ts';
import { type Io, write } from '../io.ts';
import { onInterrupt, orInterrupted } from '../signals.ts';
import { decodeEntities, decodeNotes, type EmbeddedPlace, runEmbedded } from './embedded-run.ts';
import { asNote, type GoldFlags, type GoldNotes, readGoldNotes } from './llm-notes.ts';
import { type Findings, GoldScorer } from './llm-quality.ts';
import { type Asked, askLive, askSimulated, figuresOf, teacherOf } from './llm-teachers.ts';
import { originOf, writeResults } from './results.ts';

export interface LlmFlags extends GoldFlags {
  readonly teacher: readonly string[];
  readonly simulated: boolean;
  readonly rounds: number;
  /** How often each note is read in a round. */
  readonly times: number;
  readonly maxUsd: number;
  readonly machineUsdPerHour?: number;
  readonly write: boolean;
}

/** From 0 to 1 in twentieths. */
const QUANTILES = 21;

/** @throws ConfigError, DistillError, TeacherError, EscalationError, ModelError, Interrupted. */
export async function benchLlm(config: Config, flags: LlmFlags, io: Io): Promise<void> {
  const origin = originOf(config, argumentsOf(flags));
  const price = machinePrice(flags.machineUsdPerHour);
  const notes = readGoldNotes(flags);
  // a mistyped name is told before what takes minutes
  for (const name of flags.teacher) await teacherOf(name, { config, io });
  const own = await measureOwn(config, notes, flags, io);
  const asked = await askAll(config, notes, own.tasks, flags, io);
  const reader = (found: Asked, provenance: Provenance): Reader => ({
    name: found.teacher,
    provenance,
    ...figuresOf(found, price),
    quality: own.scorer.score(found.findings, own.findings),
    about: {
      notes: found.seconds.length,
      undecided: found.undecided,
      requests: found.requests,
      failed: found.failed,
      inputTokens: found.inputTokens,
      outputTokens: found.outputTokens,
      usd: found.usd,
    },
  });
  const result: LlmResult = {
    ...origin,
    notes: {
      source: notes.source,
      count: notes.documents.length,
      times: flags.times,
      rounds: flags.rounds,
      meanTokens: own.meanTokens,
      refused: own.refused,
      labelledBy: own.scorer.tasks.length === 0 ? null : notes.labelledBy,
    },
    machinePrice: price,
    readers: compareReaders(ownReader(own, price), [
      ...asked.live.map(each => reader(each, 'measured')),
      ...asked.simulated.map(each => reader(each, 'simulated')),
      ...PUBLISHED.systems.map(
        ({ name, seconds, usd }): Reader => ({
          name,
          provenance: 'published',
          ...{ secondsPerNote: seconds, secondsAlone: seconds, usdPerNote: usd, cost: 'published', quality: [] },
          about: { source: PUBLISHED.url, date: PUBLISHED.date },
        }),
      ),
    ]),
    events: own.events,
    serviceSeconds: own.serviceSeconds,
  };
  await write(io.stdout, renderComparison(result));
  if (!flags.write) return;
  await writeResults('llm', config, { json: result, md: renderPage(result) }, io);
}

interface Own {
  /** Over the log, under load: medians of the rounds. */
  readonly secondsPerNote: number;
  readonly secondsAlone: number;
  /** A round each. */
  readonly rounds: readonly number[];
  readonly tasks: readonly Task[];
  readonly findings: Findings;
  readonly scorer: GoldScorer;
  readonly meanTokens: number;
  readonly refused: number;
  readonly events: LlmResult['events'];
  readonly serviceSeconds: readonly number[];
}

async function measureOwn(config: Config, notes: GoldNotes, { rounds, times }: LlmFlags, io: Io): Promise<Own> {
  const own = notes.documents.map(document => asNote(document, notes.deidentified));
  const many = repeated(own, own.length * times);
  const seconds: number[] = [];
  let seen: Seen | undefined;
  for (let round = 1; round <= rounds; round++) {
    const last = round === rounds;
    const run = await runEmbedded(config, many, io, async place => {
      if (last) seen = await look(place, notes);
    });
    seconds.push(run.seconds);
  }
  if (seen === undefined) throw new RangeError('a measurement needs a round');
  const read = many.length - seen.refused * times;
  const perNote = seconds.map(each => each / read);
  return { ...seen, secondsPerNote: median(perNote), rounds: perNote };
}

type Seen = Omit<Own, 'secondsPerNote' | 'rounds'>;

/** What came of the notes, and each of them once more, alone: over the log, and in the tagger only. */
async function look(place: EmbeddedPlace, { documents, deidentified }: GoldNotes): Promise<Seen> {
  const { serving, read } = place;
  const [notes, entities] = [await read('notes'), await decodeEntities(await read('entities'))];
  const findings = new Map<string, Map<Task, Span[]>>();
  for (const { event } of entities) {
    // the first time that each was read; the others were the same
    const document = documents[Number(event.noteId.slice('bench-'.length))];
    if (document === undefined) continue;
    const found = new Map(serving.tasks.map(task => [task, [] as Span[]]));
    for (const { task, start, end } of event.entities) found.get(task)?.push({ start, end });
    findings.set(document.id, found);
  }
  const readable = documents.filter(({ id }) => findings.has(id));
  const service: number[] = [];
  let tokens = 0;
  for (const { text } of readable) {
    const began = performance.now();
    tokens += (await serving.tagger.tag(text)).tokens;
    service.push((performance.now() - began) / 1000);
  }
  return {
    secondsAlone: median(await secondsAlone(place, readable, deidentified)),
    tasks: serving.tasks,
    findings,
    scorer: await GoldScorer.open(documents, serving.tasks, serving.tokenizer),
    meanTokens: tokens / readable.length,
    refused: documents.length - readable.length,
    events: { noteBytes: meanBytes(notes), entitiesBytes: meanBytes(entities.map(({ record }) => record)) },
    serviceSeconds: quantilesOf(service, QUANTILES),
  };
}

/** From each note's record to its entities' record, when nothing else is to be done. */
async function secondsAlone(
  { sendAlone, read }: EmbeddedPlace,
  documents: GoldNotes['documents'],
  deidentified: string,
): Promise<number[]> {
  const ids = documents.map((_, i) => `alone-${i}`);
  await sendAlone(documents.map((document, i) => ({ ...asNote(document, deidentified), noteId: ids[i] as string })));
  const sent = new Map((await decodeNotes(await read('notes'))).map(({ note, record }) => [note.noteId, record]));
  const ends = new Map(
    (await decodeEntities(await read('entities'))).map(({ event, record }) => [event.noteId, record]),
  );
  return ids.flatMap(id => {
    const [from, to] = [sent.get(id), ends.get(id)];
    return from === undefined || to === undefined ? [] : [(to.timestamp - from.timestamp) / 1000];
  });
}

function ownReader(own: Own, price: MachinePrice): Reader {
  const { secondsPerNote, secondsAlone, rounds, findings, scorer } = own;
  return {
    name: 'clinstream',
    provenance: 'measured',
    ...{ secondsPerNote, secondsAlone, cost: 'machine' },
    usdPerNote: usdPerNote(price.usdPerHour, 1 / secondsPerNote),
    quality: scorer.score(findings, findings),
    about: { fastestRound: Math.min(...rounds), slowestRound: Math.max(...rounds) },
  };
}

/** @throws Interrupted: a part of the notes says nothing. */
async function askAll(
  config: Config,
  notes: GoldNotes,
  tasks: readonly Task[],
  { teacher, simulated, maxUsd }: LlmFlags,
  io: Io,
): Promise<{ live: readonly Asked[]; simulated: readonly Asked[] }> {
  const interrupt = onInterrupt();
  const options = { config, notes, tasks, maxUsd, stopping: interrupt.signal, io };
  try {
    const live: Asked[] = [];
    for (const name of teacher) live.push(await askLive(name, options));
    return { live: live.filter(hasAnswered), simulated: simulated ? [await askSimulated(options)] : [] };
  } catch (error) {
    throw orInterrupted(error, interrupt.signal);
  } finally {
    interrupt.dispose();
  }
}

/** One that answered nothing has no seconds a note: it has no row, and a line said why. */
function hasAnswered({ seconds }: Asked): boolean {
  return seconds.length > 0;
}

/** Key, value and headers. */
function meanBytes(records: readonly StreamRecord[]): number {
  const sizeOf = ({ key, value, headers }: StreamRecord): number =>
    (key?.length ?? 0) +
    (value?.length ?? 0) +
    Object.entries(headers).reduce((sum, [name, bytes]) => sum + Buffer.byteLength(name) + bytes.length, 0);
  return records.reduce((sum, record) => sum + sizeOf(record), 0) / records.length;
}

function argumentsOf(flags: LlmFlags): string {
  const { teacher, simulated, rounds, times, notes, gold, split, labelledBy, deidentified, maxUsd } = flags;
  const { machineUsdPerHour } = flags;
  return [
    `llm --rounds ${rounds} --times ${times}`,
    ...(Number.isFinite(notes) ? [`--notes ${notes}`] : []),
    ...(gold === undefined ? [] : [`--gold ${gold} --split ${split} --deidentified '${deidentified}'`]),
    ...(labelledBy === undefined ? [] : [`--labelled-by '${labelledBy}'`]),
    ...teacher.map(name => `--teacher ${name}`),
    ...(teacher.length === 0 ? [] : [`--max-usd ${maxUsd}`]),
    ...(simulated ? ['--simulated'] : []),
    ...(machineUsdPerHour === undefined ? [] : [`--machine-usd-per-hour ${machineUsdPerHour}`]),
  ].join(' ');
}
