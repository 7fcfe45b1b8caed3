/** Where the tagger fails: recall of the teacher's test mentions by kind of mention and by source of the note. */
import type { VerifiedModel } from '../model/manifest.ts';
import { CodePointIndex } from '../text/code-points.ts';
import { decodeEntities } from '../text/decode.ts';
import type { ScoredDocument } from './score-documents.ts';

export interface FailureGroup {
  readonly task: string;
  readonly group: string;
  readonly mentions: number;
  /** Mentions that a found span of the task overlaps. */
  readonly found: number;
  /** Mentions found with exactly their start and end. */
  readonly exact: number;
}

const GROUPS: readonly (readonly [name: string, test: (text: string) => boolean])[] = [
  ['abbreviation (capitals and digits, at most 6)', text => /^[A-Z][A-Z0-9/&.-]{1,5}$/.test(text)],
  ['1 word', text => wordCount(text) === 1],
  ['2 words', text => wordCount(text) === 2],
  ['3 words', text => wordCount(text) === 3],
  ['4 or more words', text => wordCount(text) >= 4],
];

const wordCount = (text: string): number => text.trim().split(/\s+/).length;

export function recallByGroup(documents: readonly ScoredDocument[], model: VerifiedModel): FailureGroup[] {
  const groups = new Map<string, { task: string; group: string; mentions: number; found: number; exact: number }>();
  const count = (task: string, group: string, found: boolean, exact: boolean): void => {
    const key = `${task}\t${group}`;
    const entry = groups.get(key) ?? { task, group, mentions: 0, found: 0, exact: 0 };
    groups.set(key, entry);
    entry.mentions++;
    if (found) entry.found++;
    if (exact) entry.exact++;
  };
  for (const { document, words } of documents) {
    const index = new CodePointIndex(document.text);
    const { entities } = decodeEntities(index, words, model.heads);
    for (const gold of document.entities) {
      const overlapping = entities.filter(
        each => each.task === gold.type && each.start < gold.end && each.end > gold.start,
      );
      const exact = overlapping.some(each => each.start === gold.start && each.end === gold.end);
      const text = index.slice(gold.start, gold.end);
      for (const [name, test] of GROUPS) if (test(text)) count(gold.type, name, overlapping.length > 0, exact);
      count(gold.type, `source: ${document.source ?? 'unknown'}`, overlapping.length > 0, exact);
    }
  }
  return [...groups.values()].sort((a, b) => a.task.localeCompare(b.task) || a.group.localeCompare(b.group));
}
