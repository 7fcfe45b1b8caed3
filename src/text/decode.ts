/**
 * Inside/Outside logits to entities. For every entity the code points `[start, end)` of the note equal its text; within a
 * task entities never overlap and never touch nothing.
 */
import type { Entity, Task } from '../core/span.ts';
import type { Head } from '../core/tokens.ts';
import { type CodePointIndex, widthAt } from './code-points.ts';
import type { Words } from './words.ts';

export interface TaskConfidence {
  readonly task: Task;
  /** Expected token-level F1 of the task on this note, under the calibrated probabilities; in [0, 1]. */
  readonly confidence: number;
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
 * confidence is their mean probability. Mentions that wrap over a line end are rarer than lists with one mention a line.
 */
export function decodeEntities(index: CodePointIndex, words: Words, heads: readonly Head[]): Decoded {
  const entities: Entity[] = [];
  const tasks: TaskConfidence[] = [];
  for (let h = 0; h < heads.length; h++) {
    const head = heads[h] as Head;
    const confidence = new ExpectedF1();
    let first = -1;
    let sum = 0;
    const close = (end: number): void => {
      if (first < 0) return;
      const entity = toEntity(index, words, head.task, first, end, sum / (end - first));
      if (entity !== undefined) entities.push(entity);
      first = -1;
      sum = 0;
    };
    for (let i = 0; i < words.count; i++) {
      const p = probability(words.logits[i * heads.length + h] as number, head.temperature);
      const inside = p >= head.threshold;
      confidence.add(p, inside);
      if (!inside) {
        close(i);
        continue;
      }
      if (first >= 0 && hasLineEnd(index, words.ends[i - 1] as number, words.starts[i] as number)) close(i);
      if (first < 0) first = i;
      sum += p;
    }
    close(words.count);
    tasks.push({ task: head.task, confidence: confidence.value() });
  }
  const order = new Map(heads.map((head, i) => [head.task, i]));
  entities.sort((a, b) => a.start - b.start || (order.get(a.task) as number) - (order.get(b.task) as number));
  return { entities, tasks };
}

/**
 * E[F1] ≈ 2·E[TP] / (2·E[TP] + E[FP] + E[FN]); where nothing was found, the probability that there is nothing to find. It
 * falls with doubtful findings and with probable misses alike.
 */
class ExpectedF1 {
  #tp = 0;
  #fp = 0;
  #fn = 0;
  #logNothing = 0;

  add(p: number, inside: boolean): void {
    if (inside) {
      this.#tp += p;
      this.#fp += 1 - p;
    } else {
      this.#fn += p;
      this.#logNothing += Math.log1p(-Math.min(p, 1 - 1e-12));
    }
  }

  value(): number {
    if (this.#tp === 0) return Math.exp(this.#logNothing);
    return (2 * this.#tp) / (2 * this.#tp + this.#fp + this.#fn);
  }
}

function hasLineEnd(index: CodePointIndex, from: number, to: number): boolean {
  if (to - from < 1) return false;
  return /[\n\r\u2028\u2029]/.test(index.slice(from, to));
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
