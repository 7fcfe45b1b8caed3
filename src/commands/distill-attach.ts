/** `distill attach`: labels that were published without their notes, with the notes, as more rows of the corpus directory's teacher/notes.jsonl. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type CorpusDocument, readRows, SPLITS } from '../distill/corpus.ts';
import { DistillError } from '../distill/distill-error.ts';
import { LEAK } from '../distill/fitting-notes.ts';
import { findLeaks } from '../distill/leakage.ts';
import { readStandOff, withTexts } from '../distill/stand-off.ts';
import { TEACHER_NOTES } from '../distill/test-sets.ts';
import { type Io, write } from './io.ts';
import { writeWhole } from './write-whole.ts';

export interface AttachFlags {
  readonly labels: string;
  readonly corpus: string;
  readonly into: string;
}

/** Notes stand in it. */
const OWNER = 0o600;

/** @throws DistillError as readStandOff and withTexts; CORPUS_ROW_INVALID where a note stands in another split, whole or under its id. */
export async function distillAttach({ labels, corpus, into }: AttachFlags, io: Io): Promise<void> {
  const attached = withTexts(readStandOff(resolve(labels)), resolve(corpus));
  const notes = resolve(into, TEACHER_NOTES.file);
  const there = existsSync(notes) ? SPLITS.flatMap(split => readRows(notes, split)) : [];
  const splits = new Map(attached.map(({ id, split }) => [id, split]));
  // rows of these ids are replaced, so that a second run changes nothing
  const kept = there.filter(({ id, split }) => splits.get(id) !== split);
  refuseTwice(kept, splits, notes);
  refuseLeaks([...kept, ...attached], notes);
  writeWhole(notes, [...kept, ...attached].map(row => `${JSON.stringify(row)}\n`).join(''), OWNER);
  const mentions = attached.reduce((sum, { entities }) => sum + entities.length, 0);
  await write(io.stdout, `${notes}: ${attached.length} notes with ${mentions} mentions beside ${kept.length}\n`);
}

function refuseTwice(kept: readonly CorpusDocument[], splits: ReadonlyMap<string, string>, notes: string): void {
  const twice = kept.find(({ id }) => splits.has(id));
  if (twice === undefined) return;
  throw new DistillError('CORPUS_ROW_INVALID', `${notes}: ${twice.id} stands there in another split already`);
}

/** What is judged by must not be trained on. */
function refuseLeaks(all: readonly CorpusDocument[], notes: string): void {
  const documents = all.filter(({ split }) => split === 'train');
  const judging = all.filter(({ split }) => split === 'test');
  const [leak] = findLeaks(judging, [{ file: TEACHER_NOTES.file, documents }], LEAK).leaks;
  if (leak === undefined) return;
  const why = `${notes}: the test note ${leak.id} would stand in train notes, most of it in ${leak.trainId}: nothing was written`;
  throw new DistillError('CORPUS_ROW_INVALID', why);
}
