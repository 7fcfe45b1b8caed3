/** One note as two models see it: what both mark, what only one does. Neither of them is the truth. */
import type { Entity, Task } from '../../core/span.ts';
import { type Agreement, wordAgreement } from '../../evaluation/agreement.ts';
import { exactCounts, relaxedCounts } from '../../evaluation/span-scores.ts';
import type { TaskConfidence } from '../../text/decode.ts';
import { labelWords, type Words } from '../../text/words.ts';

/** What one model says of a note. */
export interface Side {
  readonly entities: readonly Entity[];
  readonly tasks: readonly Pick<TaskConfidence, 'task' | 'confidence'>[];
  /** By task, whether it would escalate; without a task that its routing does not know. */
  readonly escalates: ReadonlyMap<Task, boolean>;
}

export type Mentions = Omit<Agreement, 'neither'>;

/** First is the serving model, second the candidate. */
export interface TaskComparison {
  readonly words: Agreement;
  /** A mention is the same when it begins and ends at the same code points. */
  readonly exact: Mentions;
  /** A mention is the same when it overlaps; one to one. */
  readonly relaxed: Mentions;
  readonly confidence: { readonly serving: number; readonly candidate: number };
  /** Undefined unless both models' routing knows the task. */
  readonly escalates: { readonly serving: boolean; readonly candidate: boolean } | undefined;
}

/** By task, in the order of the serving model; only tasks that both models have. @param words of the serving model's tokenizer. */
export function compareNote(
  words: Pick<Words, 'count' | 'starts' | 'ends'>,
  serving: Side,
  candidate: Side,
): Map<Task, TaskComparison> {
  const compared = new Map<Task, TaskComparison>();
  for (const { task, confidence } of serving.tasks) {
    const other = candidate.tasks.find(each => each.task === task);
    if (other === undefined) continue;
    const [first, second] = [serving, candidate].map(({ entities }) => entities.filter(each => each.task === task)) as [
      Entity[],
      Entity[],
    ];
    compared.set(task, {
      words: wordAgreement(labelWords(words, first), labelWords(words, second)),
      exact: asMentions(exactCounts(first, second)),
      relaxed: asMentions(relaxedCounts(first, second)),
      confidence: { serving: confidence, candidate: other.confidence },
      escalates: escalation(task, serving, candidate),
    });
  }
  return compared;
}

function asMentions({ tp, fp, fn }: { readonly tp: number; readonly fp: number; readonly fn: number }): Mentions {
  return { both: tp, onlyFirst: fn, onlySecond: fp };
}

function escalation(task: Task, serving: Side, candidate: Side): TaskComparison['escalates'] {
  const [first, second] = [serving.escalates.get(task), candidate.escalates.get(task)];
  return first === undefined || second === undefined ? undefined : { serving: first, candidate: second };
}

/** Words that one model marks and the other does not, over all tasks. */
export function wordsApart(comparison: ReadonlyMap<Task, TaskComparison>): number {
  return comparison.values().reduce((sum, { words }) => sum + words.onlyFirst + words.onlySecond, 0);
}
