/**
 * Which tasks of a note go to a teacher: those whose doubt is above a threshold. Rules are per task, since a teacher may beat the tagger
 * on one and lose on another; a task without a rule never escalates. Everything that could be wrong about the rules is refused when the
 * router is made, so that asking it cannot fail.
 */
import type { Doubt } from '../core/doubt.ts';
import { ClinstreamError } from '../core/errors.ts';
import type { Task } from '../core/span.ts';
import type { Routing, TaskRouting } from '../model/routing.ts';
import type { TaskConfidence } from '../text/decode.ts';
import { DOUBT_SCORES, type DoubtScore, doubtScore, isDoubtScore } from '../text/doubt-scores.ts';

/** When a task escalates, and to whom. Neither `rate` nor `threshold`, or a rate of 0: never. */
export interface TaskRule {
  /** Share of notes, as measured on dev notes; between the measured rates the threshold is interpolated. */
  readonly rate?: number | undefined;
  /** A value of the task's doubt score instead. */
  readonly threshold?: number | undefined;
  /** Names of the teachers to ask, in order; the router only hands them on. */
  readonly teachers: readonly string[];
}

export interface RouterOptions {
  /** Of the model that serves; null when it has none, and then no rule may escalate. */
  readonly routing: Routing | null;
  readonly rules: Readonly<Record<Task, TaskRule>>;
}

/** Wrong rules: a mistake of the configuration. */
export class RouterError extends ClinstreamError<'ROUTING_MISSING' | 'ROUTE_INVALID'> {
  readonly stage = 'config';
}

/** What the router thinks of one task of a note. */
export interface Verdict {
  readonly task: Task;
  readonly score: DoubtScore;
  readonly value: number;
  /** Null where the task never escalates. */
  readonly threshold: number | null;
  readonly escalates: boolean;
  readonly teachers: readonly string[];
}

interface Route {
  readonly score: DoubtScore;
  readonly threshold: number | null;
  readonly teachers: readonly string[];
}

type Judged = { readonly tasks: readonly Pick<TaskConfidence, 'task' | 'evidence'>[] };

export class Router {
  readonly #routes: ReadonlyMap<Task, Route>;

  /** @throws RouterError */
  constructor({ routing, rules }: RouterOptions) {
    for (const [task, rule] of Object.entries(rules)) {
      if (routing === null && escalates(rule)) {
        throw new RouterError(
          'ROUTING_MISSING',
          `${task} is to escalate, and the model has no routing.json to say what is doubtful: measure it with 'clinstream distill doubt --corpus CORPUS --model MODEL --write'`,
          { details: { task } },
        );
      }
      if (routing !== null && !Object.hasOwn(routing.tasks, task)) {
        const known = Object.keys(routing.tasks).join(', ');
        throw invalid(task, `is no task of the model's routing (${known})`);
      }
    }
    this.#routes = new Map(
      Object.entries(routing?.tasks ?? {}).map(([task, measured]) => [task, compile(task, measured, rules[task])]),
    );
  }

  /** Only the tasks whose doubt is above their threshold. */
  doubts(tagged: Judged): readonly Doubt[] {
    return this.judge(tagged).flatMap(({ task, score, value, threshold, escalates }) =>
      escalates && threshold !== null ? [{ task, score, value, threshold }] : [],
    );
  }

  /** Every task that the model's routing knows, in the order of `tagged`. */
  judge(tagged: Judged): readonly Verdict[] {
    return tagged.tasks.flatMap(({ task, evidence }) => {
      const route = this.#routes.get(task);
      if (route === undefined) return [];
      const value = doubtScore(route.score, evidence);
      return [{ task, ...route, value, escalates: route.threshold !== null && value > route.threshold }];
    });
  }

  /** Whom to ask about a task, in order. */
  teachers(task: Task): readonly string[] {
    return this.#routes.get(task)?.teachers ?? [];
  }
}

function escalates({ rate, threshold }: TaskRule): boolean {
  return threshold !== undefined || (rate !== undefined && rate !== 0);
}

function compile(task: Task, { score, rates }: TaskRouting, rule: TaskRule | undefined): Route {
  if (!isDoubtScore(score)) {
    throw invalid(
      task,
      `has the doubt score '${score}', which this version does not know (${DOUBT_SCORES.join(', ')})`,
    );
  }
  const teachers = rule?.teachers ?? [];
  if (rule === undefined || !escalates(rule)) return { score, threshold: null, teachers };
  if (rule.rate !== undefined && rule.threshold !== undefined)
    throw invalid(task, 'has a rate and a threshold: give one');
  if (rule.threshold === undefined)
    return { score, threshold: thresholdFor(task, rates, rule.rate as number), teachers };
  if (!Number.isFinite(rule.threshold)) throw invalid(task, 'has a threshold that is no number');
  return { score, threshold: rule.threshold, teachers };
}

/** Linear between the measured rates; beyond them nothing is known. */
function thresholdFor(task: Task, rates: TaskRouting['rates'], rate: number): number {
  const after = rates.findIndex(each => each.rate >= rate);
  const high = rates[after];
  const low = rates[after - 1];
  if (high?.rate === rate) return high.threshold;
  if (high === undefined || low === undefined) {
    throw invalid(
      task,
      `escalates at a rate of ${rate}: measured are 0 and ${rates[0]?.rate} to ${rates.at(-1)?.rate}`,
    );
  }
  const share = (rate - low.rate) / (high.rate - low.rate);
  return low.threshold + share * (high.threshold - low.threshold);
}

function invalid(task: Task, what: string): RouterError {
  return new RouterError('ROUTE_INVALID', `escalation of ${task}: it ${what}`, { details: { task } });
}
