/**
 * The next revision: what the teachers decided in the place of what was doubted, everything else as the student left it. A
 * mention's text is always cut from the note, so that no teacher can put a word into it.
 */
import type { Task } from '../core/span.ts';
import type { EntitiesOfNote, Mention } from '../events/entities-event.ts';
import type { EscalationEvent, TaskDecision } from '../events/generated.ts';
import { CodePointIndex } from '../text/code-points.ts';
import type { SectionQuotes } from './ground-note.ts';
import type { Placed as Found } from './grounded.ts';

/** A mention that a quote was found to be. */
export type Placed = Pick<Found, 'start' | 'end' | 'codes'>;

/** What the fallback needs of grounding, of which grounded.ts says more. */
export interface Grounded {
  /** In text order, without overlaps, in code points of the note. */
  readonly placed: readonly Placed[];
  readonly dropped: readonly { readonly reason: string }[];
  /** How many quotes were found in each way, such as `exact`. */
  readonly aligned: Readonly<Record<string, number>>;
}

/** Finds the quotes of one task in a note; what several sections say is placed once. */
export type Ground = (note: string, sections: readonly SectionQuotes[]) => Grounded;

/** What is known about a teacher's answers on a task, measured beforehand: nothing about this note. */
export interface Belief {
  /** Share of its mentions that are right; becomes the confidence of each. */
  readonly precision: number;
  /** Token-level F1; becomes the confidence of the task. */
  readonly f1: number;
}

export interface DecidedTask {
  readonly task: Task;
  /** Name of the teacher. */
  readonly teacher: string;
  /** In code points of the note. */
  readonly mentions: readonly Placed[];
  readonly belief: Belief;
}

/** Tasks, mentions in text order. */
export function merge(
  escalation: Pick<EscalationEvent, 'note' | 'tasks' | 'entities'>,
  decided: readonly DecidedTask[],
): Pick<EntitiesOfNote, 'tasks' | 'entities'> {
  const byTask = new Map(decided.map(each => [each.task, each]));
  const index = new CodePointIndex(escalation.note.text);
  const order = new Map(escalation.tasks.map(({ task }, i) => [task, i]));
  const kept: Mention[] = escalation.entities.filter(({ task }) => !byTask.has(task));
  const taught = decided.flatMap(each => mentionsOf(each, index));
  const place = ({ task }: Mention): number => order.get(task) ?? order.size;
  return {
    tasks: [...escalation.tasks.map(known => decision(known.task, byTask) ?? known), ...unknownTasks(decided, order)],
    entities: [...kept, ...taught].sort((a, b) => a.start - b.start || place(a) - place(b) || a.end - b.end),
  };
}

function mentionsOf({ task, teacher, mentions, belief }: DecidedTask, index: CodePointIndex): Mention[] {
  return mentions.map(({ start, end, codes }) => ({
    task,
    start,
    end,
    text: index.slice(start, end),
    confidence: belief.precision,
    source: `teacher:${teacher}`,
    ...(codes === undefined ? {} : { codes }),
  }));
}

function decision(task: Task, byTask: ReadonlyMap<Task, DecidedTask>): TaskDecision | undefined {
  const decided = byTask.get(task);
  if (decided === undefined) return undefined;
  return { task, confidence: decided.belief.f1, decidedBy: `teacher:${decided.teacher}` };
}

/** Tasks that a teacher decided and the student does not know. */
function unknownTasks(decided: readonly DecidedTask[], order: ReadonlyMap<Task, number>): TaskDecision[] {
  const byTask = new Map(decided.map(each => [each.task, each]));
  return decided.flatMap(({ task }) => (order.has(task) ? [] : (decision(task, byTask) ?? [])));
}
