/** `distill attach`: labels that were published without their notes, with the notes, as more rows of the corpus directory's teacher/notes.jsonl. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type CorpusDocument, readAllRows, readCorpus, type Split } from '../distill/corpus.ts';
import { DistillError } from '../distill/distill-error.ts';
import { LEAK } from '../distill/fitting-notes.ts';
import { findLeaks, type Leak } from '../distill/leakage.ts';
import { readStandOff, withTexts } from '../distill/stand-off.ts';
import { TEACHER_NOTES, testSetsIn } from '../distill/test-sets.ts';
import { writeWhole } from '../distill/write-whole.ts';
import { type Io, write } from './io.ts';

export interface AttachFlags {
  readonly labels: string;
  readonly corpus: string;
  readonly into: string;
}

/** Notes stand in it. */
const OWNER = 0o600;

/**
 * What stands there stays as it is, letter by letter; a second run adds nothing.
 * @throws DistillError as readStandOff and withTexts; CORPUS_ROW_INVALID where a note has other labels there, or a dev or test document of
 * those that `distill evaluate` measures on would stand in notes to train on, by what is attached.
 */
export async function distillAttach({ labels, corpus, into }: AttachFlags, io: Io): Promise<void> {
  const labelled = withTexts(readStandOff(resolve(labels)), resolve(corpus));
  const directory = resolve(into);
  const path = resolve(directory, TEACHER_NOTES.file);
  const there = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const present = there === '' ? [] : readAllRows(path);
  const attached = notYet(labelled, present, path);
  refuseLeaks(attached, present, directory);
  const between = there === '' || there.endsWith('\n') ? '' : '\n';
  if (attached.length > 0)
    writeWhole(path, `${there}${between}${attached.map(row => `${JSON.stringify(row)}\n`).join('')}`, OWNER);
  const mentions = attached.reduce((sum, { entities }) => sum + entities.length, 0);
  const known = labelled.length - attached.length;
  const more = known === 0 ? '' : `; ${known} stood there already`;
  await write(io.stdout, `${path}: ${attached.length} more notes, ${mentions} mentions${more}\n`);
}

function notYet(labelled: readonly CorpusDocument[], there: readonly CorpusDocument[], path: string): CorpusDocument[] {
  const known = new Map(there.map(each => [each.id, each]));
  return labelled.filter(note => {
    const before = known.get(note.id);
    if (before !== undefined && !isDeepStrictEqual(before, note))
      throw new DistillError('CORPUS_ROW_INVALID', `${path}: ${note.id} stands there already, not with these labels`);
    return before === undefined;
  });
}

/** What is judged by, or fitted on, must not be trained on. Leaks that were there before are no matter of what is attached. */
function refuseLeaks(attached: readonly CorpusDocument[], present: readonly CorpusDocument[], directory: string): void {
  const files = new Set(testSetsIn(directory).map(({ file }) => file));
  for (const file of [...files].filter(each => existsSync(join(directory, each)) || each === TEACHER_NOTES.file)) {
    for (const split of ['dev', 'test'] as const) {
      const isNotes = file === TEACHER_NOTES.file;
      const judging = isNotes ? ofSplit([...present, ...attached], split) : readCorpus(directory, file, split);
      const before = new Set(leaksOf(isNotes ? ofSplit(present, split) : judging, present).map(({ id }) => id));
      const alone = new Set(leaksOf(judging, attached).map(({ id }) => id));
      const leak = leaksOf(judging, [...present, ...attached]).find(({ id }) => !before.has(id) || alone.has(id));
      if (leak === undefined) continue;
      const why = `${file}: the ${split} document ${leak.id} would stand in notes to train on, most of it in ${leak.trainId}: nothing was written`;
      throw new DistillError('CORPUS_ROW_INVALID', why);
    }
  }
}

function leaksOf(judging: readonly CorpusDocument[], notes: readonly CorpusDocument[]): readonly Leak[] {
  return findLeaks(judging, [{ file: TEACHER_NOTES.file, documents: ofSplit(notes, 'train') }], LEAK).leaks;
}

function ofSplit(notes: readonly CorpusDocument[], split: Split): CorpusDocument[] {
  return notes.filter(each => each.split === split);
}
