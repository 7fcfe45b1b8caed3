/**
 * Inside/Outside logits to entities. For every entity the code points `[start, end)` of the note equal its text; within a
 * task entities never overlap and never touch nothing.
 */
import type { Entity, Task } from '../core/span.ts';
import type { Head } from '../core/tokens.ts';
import { type CodePointIndex, widthAt } from './code-points.ts';
import { type Evidence, EvidenceGatherer, expectedF1 } from './evidence.ts';
import { runsOf } from './runs.ts';
import type { Words } from './words.ts';

export interface TaskConfidence {
  readonly task: Task;
  /** Expected token-level F1 of the task on this note, under the calibrated probabilities; in [0, 1]. */
  readonly confidence: number;
  /** What the confidence, and every doubt score, is made of. */
  readonly evidence: Evidence;
}

export interface Decoded {
  /** By start, then by task in the order of the heads. */
  readonly entities: readonly Entity[];
  readonly tasks: readonly TaskConfidence[];
}

/** Calibrated probability that a word is Inside. Temperature scaling: Guo et al., 2017, arXiv 1706.04599. */
export function probability(logit: number, temperature: number): number {
  return 1 / (1 + Math.exp(-logit / temperature));
}

/**
 * A word is Inside when its probability reaches the head's threshold; a run of Inside words on one line is a mention, and its
 * confidence is their mean probability.
 */
export function decodeEntities(index: CodePointIndex, words: Words, heads: readonly Head[]): Decoded {
  const entities: Entity[] = [];
  const tasks: TaskConfidence[] = [];
  heads.forEach((head, h) => {
    const gatherer = new EvidenceGatherer();
    const p = probabilities(words, heads, h);
    for (let i = 0; i < words.count; i++) gatherer.word(p[i] as number, (p[i] as number) >= head.threshold);
    for (const { first, last } of runsOf(index, words, i => (p[i] as number) >= head.threshold)) {
      let sum = 0;
      for (let i = first; i < last; i++) sum += p[i] as number;
      const entity = toEntity(index, words, head.task, first, last, sum / (last - first));
      if (entity === undefined) continue;
      entities.push(entity);
      gatherer.span(entity.confidence);
    }
    const evidence = gatherer.evidence();
    tasks.push({ task: head.task, confidence: expectedF1(evidence), evidence });
  });
  const order = new Map(heads.map((head, i) => [head.task, i]));
  entities.sort((a, b) => a.start - b.start || (order.get(a.task) as number) - (order.get(b.task) as number));
  return { entities, tasks };
}

/** Of every word under head `h`. */
export function probabilities(words: Words, heads: readonly Head[], h: number): Float64Array {
  const { temperature } = heads[h] as Head;
  const p = new Float64Array(words.count);
  for (let i = 0; i < p.length; i++) p[i] = probability(words.logits[i * heads.length + h] as number, temperature);
  return p;
}

/** Nothing for a run without a letter or a digit. */
function toEntity(
  index: CodePointIndex,
  words: Words,
  task: Task,
  first: number,
  last: number,
  confidence: number,
): Entity | undefined {
  const start = words.starts[first] as number;
  const end = withMarks(index, words.ends[last - 1] as number);
  const text = index.slice(start, end);
  if (!/[\p{L}\p{N}]/u.test(text)) return undefined;
  return { task, start, end, text, confidence };
}

/** Tokenizers drop combining marks; an accent belongs to the letter before it, so the span takes it along. */
function withMarks(index: CodePointIndex, end: number): number {
  let point = end;
  for (let unit = index.toUtf16(end); unit < index.text.length; ) {
    const width = widthAt(index.text, unit);
    if (!/^\p{M}$/u.test(index.text.slice(unit, unit + width))) break;
    unit += width;
    point++;
  }
  return point;
}
