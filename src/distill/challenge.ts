/**
 * The challenge lines: short made-up lines in the shapes of real notes that the corpora lack (shorthand, lab tables, misspellings,
 * words with a second meaning). They come with the repository; nothing is trained, chosen or tuned on them.
 */
import { readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { type Counts, sum } from '../evaluation/counts.ts';
import type { VerifiedModel } from '../model/manifest.ts';
import { CodePointIndex } from '../text/code-points.ts';
import type { CorpusDocument } from './corpus.ts';
import { DistillError } from './distill-error.ts';
import { countDocument, type DocumentCounts, type MeasureResult, pair, type Scored, summarise } from './measure.ts';
import type { ScoredDocument } from './score-documents.ts';
import { SERVED_MEASURES } from './test-sets.ts';

export const CHALLENGE_FILE = resolve(import.meta.dirname, '../../test/data/challenge/lines.txt');

export const CHALLENGE_CATEGORIES = [
  'shorthand',
  'heading',
  'list',
  'medication-line',
  'lab-table',
  'misspelling',
  'trap',
  'negation',
  'family-history',
  'unicode',
  'brand-name',
] as const;

export interface ChallengeCategory {
  readonly category: string;
  readonly lines: number;
  readonly mentions: number;
  /** Over the three tasks together; null where nothing is to be found. */
  readonly token: Scored | null;
  readonly exact: Scored | null;
  /** Lines without any mention. */
  readonly emptyLines: number;
  /** Such lines in which something was found all the same, and how many spans. */
  readonly emptyLinesMarked: number;
  readonly emptyLineSpans: number;
}

export interface ChallengeResult {
  readonly measures: readonly MeasureResult[];
  /** One a category in the order of CHALLENGE_CATEGORIES, and last all of them. */
  readonly categories: readonly ChallengeCategory[];
}

const SEED = 13;

/**
 * A line is `category<TAB>text`, in which `{task:mention}` marks a mention and `\n` and `\t` stand for line end and tab.
 * The category becomes the document's source.
 *
 * @throws DistillError naming file and line, never what stands there.
 */
export function readChallenge(path = CHALLENGE_FILE): CorpusDocument[] {
  const lines = readFileSync(path, 'utf8').split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line, i) => {
    const invalid = (what: string): DistillError =>
      new DistillError('CORPUS_ROW_INVALID', `${basename(path)}:${i + 1}: ${what}`);
    const [category, ...rest] = line.split('\t');
    if (!CHALLENGE_CATEGORIES.some(each => each === category)) throw invalid('not a known category and a tab');
    return { id: `challenge-${i + 1}`, split: 'test', source: category, ...parseMarked(rest.join('\t'), invalid) };
  });
}

function parseMarked(marked: string, invalid: (what: string) => Error): Pick<CorpusDocument, 'text' | 'entities'> {
  let text = '';
  let points = 0;
  const entities: { start: number; end: number; type: string }[] = [];
  const add = (piece: string): void => {
    if (/\\[^nt]|\\$/.test(piece)) throw invalid('a backslash before something other than n or t');
    const plain = piece.replaceAll('\\n', '\n').replaceAll('\\t', '\t');
    text += plain;
    points += new CodePointIndex(plain).length;
  };
  for (const piece of marked.split(/(\{[^{}]*\})/)) {
    if (!piece.startsWith('{') || !piece.endsWith('}')) {
      if (/[{}]/.test(piece)) throw invalid('a brace without its partner, or one inside another');
      add(piece);
      continue;
    }
    const [, type = '', mention = ''] = /^\{([^:]*):(.*)\}$/.exec(piece) ?? [];
    if (!SERVED_MEASURES.some(({ label }) => label === type)) throw invalid('a mention without a known task');
    if (mention === '' || mention.trim() !== mention) throw invalid('a mention that is empty or has space at its ends');
    const start = points;
    if (entities.at(-1)?.end === start && entities.at(-1)?.type === type)
      throw invalid('two mentions of one task that touch');
    add(mention);
    entities.push({ start, end: points, type });
  }
  if (text.trim() === '') throw invalid('no text');
  return { text, entities };
}

export function measureChallenge(scored: readonly ScoredDocument[], model: VerifiedModel): ChallengeResult {
  const outputs = pair(scored, scored);
  const counted = outputs.map(each => ({
    document: each.served.document,
    tasks: SERVED_MEASURES.map(measure => countDocument(each, model.manifest, measure)),
  }));
  return {
    measures: SERVED_MEASURES.map(({ label }, task) =>
      summarise(
        label,
        counted.map(({ tasks }) => tasks[task] as DocumentCounts),
        SEED,
      ),
    ),
    categories: [
      ...CHALLENGE_CATEGORIES.map(category =>
        summariseCategory(
          category,
          counted.filter(({ document }) => document.source === category),
        ),
      ),
      summariseCategory('all', counted),
    ],
  };
}

type Counted = { readonly document: CorpusDocument; readonly tasks: readonly DocumentCounts[] };

function summariseCategory(category: string, lines: readonly Counted[]): ChallengeCategory {
  const mentions = lines.reduce((total, { document }) => total + document.entities.length, 0);
  const { token, exact } = summarise(category, lines.map(overTasks), SEED);
  const spans = lines
    .filter(({ document }) => document.entities.length === 0)
    .map(line => overTasks(line).exact)
    .map(({ fp }) => fp);
  return {
    category,
    lines: lines.length,
    mentions,
    token: mentions === 0 ? null : token,
    exact: mentions === 0 ? null : exact,
    emptyLines: spans.length,
    emptyLinesMarked: spans.filter(count => count > 0).length,
    emptyLineSpans: spans.reduce((total, count) => total + count, 0),
  };
}

function overTasks({ tasks }: Counted): DocumentCounts {
  const over = (kind: keyof DocumentCounts): Counts => sum(tasks.map(each => each[kind]));
  return { token: over('token'), exact: over('exact'), relaxed: over('relaxed') };
}
