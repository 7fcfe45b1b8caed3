/**
 * What the topics say after the demo of the fallback, and what the audit trail says about money. Every doubtful note must have
 * exactly one end; where that does not hold, there is no report but an error.
 */
import { createWriteStream, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import type { Config } from '../config.ts';
import type { Note } from '../core/note.ts';
import type { Task } from '../core/span.ts';
import type { EventCodec } from '../events/codec.ts';
import type { EventCodecs } from '../events/codecs.ts';
import { deadLetterReason } from '../events/dead-letter.ts';
import type { EntitiesEvent } from '../events/generated.ts';
import type { Transport } from '../streams/transport.ts';
import type { Asked } from './demo-emulator.ts';
import { partsOf } from './demo-report.ts';
import { HTML_TAIL, htmlHead, htmlNote } from './render/html.ts';

export interface FallbackResult {
  /** Always: no provider was asked. */
  readonly simulated: true;
  readonly notes: {
    readonly in: number;
    /** By code and categories. */
    readonly refused: Readonly<Record<string, number>>;
    readonly tagged: number;
    readonly final: number;
    readonly provisional: number;
  };
  readonly escalations: {
    readonly escalated: number;
    readonly revised: number;
    readonly reviewed: number;
    readonly deadLettered: number;
    readonly inFlight: number;
  };
  /** Second revisions; those that are provisional stand beside a review. */
  readonly revisions: { readonly final: number; readonly provisional: number };
  /** Teachers, by how many tasks of second revisions they decided. */
  readonly decidedBy: Readonly<Record<string, number>>;
  /** Reviews by their gravest reason. */
  readonly reviews: Readonly<Record<string, number>>;
  readonly requests: {
    readonly byOutcome: Readonly<Record<string, number>>;
    /** Hosts that the audit trail names. */
    readonly hosts: readonly string[];
    /** What answers cost by the emulator's count of tokens and the price list. */
    readonly usd: number;
    /** What is counted for requests without an answer: the most that they can have cost. */
    readonly usdEstimated: number;
    /** By the emulator's own count. */
    readonly asked: Asked;
  };
  /** The latest revision of each note, for the page. */
  readonly latest: readonly { readonly note: Note; readonly event: EntitiesEvent }[];
}

/** @throws Error when the counts do not add up, or when something came of an answer that is not marked as simulated. */
export async function readBackFallback(
  { transport, codecs }: { transport: Transport; codecs: EventCodecs },
  { topics, escalation }: Config,
  asked: Asked,
): Promise<FallbackResult> {
  const all = <T>(topic: string, codec: EventCodec<T>): Promise<T[]> => readAll(transport, topic, codec);
  const notes = await all(topics.notes, codecs.notes(topics.notes));
  const entities = await all(topics.entities, codecs.entities(topics.entities));
  const escalated = await all(topics.escalations, codecs.escalations(topics.escalations));
  const reviews = await all(topics.review, codecs.reviews(topics.review));
  const refused: string[] = [];
  let deadLettered = 0;
  for await (const record of transport.read(topics.deadLetters, { from: 'beginning', untilEnd: true })) {
    const reason = deadLetterReason(record);
    if (reason?.topic === topics.escalations) deadLettered++;
    else refused.push([reason?.code, ...(reason?.categories ?? [])].join(' '));
  }
  const first = entities.filter(each => each.revision === 1);
  const second = entities.filter(each => each.revision === 2);
  const final = new Set(second.filter(each => each.status === 'FINAL').map(each => each.noteId));
  const reviewed = new Set(reviews.map(each => each.noteId));
  const deciders = second.flatMap(each => each.tasks.map(task => task.decidedBy));
  const result: FallbackResult = {
    simulated: true,
    notes: {
      in: notes.length,
      refused: tally(refused),
      tagged: first.length,
      final: first.filter(each => each.status === 'FINAL').length,
      provisional: first.filter(each => each.status === 'PROVISIONAL').length,
    },
    escalations: {
      escalated: escalated.length,
      revised: final.size,
      reviewed: reviewed.size,
      deadLettered,
      inFlight: escalated.length - final.size - reviewed.size - deadLettered,
    },
    revisions: { final: final.size, provisional: second.length - final.size },
    decidedBy: tally(deciders.filter(by => by !== 'student')),
    reviews: tally(reviews.map(each => each.reason)),
    requests: { ...auditOf(join(escalation.state, 'audit.jsonl')), asked },
    latest: notes.flatMap(note => {
      const event = entities.findLast(each => each.noteId === note.noteId && each.revision === 2);
      const either = event ?? first.find(each => each.noteId === note.noteId);
      return either === undefined ? [] : [{ note, event: either }];
    }),
  };
  const doubtful = new Set(escalated.map(({ note }) => note.noteId));
  const provisional = first.filter(each => each.status === 'PROVISIONAL');
  requireThat(first.length + refused.length === notes.length, 'a note has neither entities nor a dead letter');
  requireThat(provisional.length === escalated.length, 'not every provisional note was escalated, once');
  requireThat(
    provisional.every(each => doubtful.has(each.noteId)),
    'another note was escalated than the provisional ones',
  );
  requireThat(result.escalations.inFlight === 0, 'an escalation has no end');
  requireThat(final.size + reviewed.size === new Set([...final, ...reviewed]).size, 'an escalation has two ends');
  requireThat(
    [...final, ...reviewed].every(noteId => doubtful.has(noteId)),
    'a note was decided that nobody doubted',
  );
  requireThat(new Set(second.map(each => each.noteId)).size === second.length, 'a note has two second revisions');
  requireThat(reviews.length === reviewed.size, 'a note has two reviews');
  const sources = second.flatMap(each => each.entities.map(({ source }) => source));
  const unmarked = [...deciders, ...sources].filter(by => !/^(student|teacher:simulated-)/.test(by));
  requireThat(unmarked.length === 0, 'an answer of the emulator is not marked as simulated');
  return result;
}

export interface FallbackFiles {
  readonly page: string;
  readonly summary: string;
}

/** A page with the latest revision of every note, and the counts as JSON; both say that answers are simulated. */
export async function writeFallbackFiles(
  { latest, ...counts }: FallbackResult,
  { directory, tasks }: { directory: string; tasks: readonly Task[] },
): Promise<FallbackFiles> {
  const files = { page: join(directory, 'entities.html'), summary: join(directory, 'summary.json') };
  writeFileSync(files.summary, `${JSON.stringify(counts, null, 2)}\n`);
  const page = createWriteStream(files.page);
  page.write(
    htmlHead(
      `${latest.length} notes, the doubtful ones revised by a simulated teacher (ACI-BENCH and PriMock57, CC BY 4.0)`,
      tasks,
    ),
  );
  for (const each of latest) {
    const { entities, tasks: decisions, revision, status } = each.event;
    const decided = decisions.filter(({ decidedBy }) => decidedBy !== 'student');
    const by = decided.map(({ task, decidedBy }) => `, ${task} by ${decidedBy} (simulated)`).join('');
    const id = `${each.note.noteId} · revision ${revision}, ${status}${by}`;
    page.write(htmlNote({ id, parts: partsOf(each), entities, tasks: decisions }, tasks));
  }
  page.end(HTML_TAIL);
  await finished(page);
  return files;
}

async function readAll<T>(transport: Transport, topic: string, codec: EventCodec<T>): Promise<T[]> {
  const events: T[] = [];
  for await (const record of transport.read(topic, { from: 'beginning', untilEnd: true }))
    events.push(await codec.decode(record.value));
  return events;
}

interface AuditLine {
  readonly event: 'asked' | 'ended';
  readonly host: string;
  readonly outcome: string;
  readonly usd: number;
  readonly estimated: boolean;
}

function auditOf(path: string) {
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  const audit = lines.map(line => JSON.parse(line) as AuditLine);
  const ended = audit.filter(({ event }) => event === 'ended');
  const sum = (estimated: boolean): number =>
    ended.filter(each => each.estimated === estimated).reduce((total, { usd }) => total + usd, 0);
  return {
    byOutcome: tally(ended.map(({ outcome }) => outcome)),
    hosts: [...new Set(audit.map(({ host }) => host))],
    usd: sum(false),
    usdEstimated: sum(true),
  };
}

function tally(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

function requireThat(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}
