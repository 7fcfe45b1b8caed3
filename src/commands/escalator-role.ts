/** The escalator role: escalations in; revisions, reviews and dead letters out. It needs no model. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config.ts';
import type { Observer } from '../core/facts.ts';
import type { Stop } from '../core/processor.ts';
import type { Task } from '../core/span.ts';
import { Escalator } from '../escalation/escalator.ts';
import type { Belief, Ground } from '../escalation/merge.ts';
import type { EventCodecs } from '../events/codecs.ts';
import { type Running, runProcessor } from '../streams/runner.ts';
import type { Transport } from '../streams/transport.ts';
import type { Teacher } from '../teachers/teacher.ts';
import { revisionBytes } from './record-bytes.ts';

export const ESCALATOR_ROLE = 'escalator';

/** Nothing was measured, nothing is known. */
const UNMEASURED: Belief = { precision: 0.5, f1: 0.5 };
const DAY_MS = 86_400_000;

export interface RunningEscalator extends Running {
  /** Call after `stop`: ends what is still being asked and closes the state. */
  readonly close: Stop;
}

/** @throws StreamError when the group is busy or a topic is missing; EscalationError when its state cannot be opened. */
export async function startEscalator(
  config: Config,
  parts: {
    transport: Transport;
    codecs: EventCodecs;
    /** In order, for each task. */
    teachers: ReadonlyMap<Task, readonly Teacher[]>;
    ground: Ground;
    observe: Observer;
    now: () => number;
  },
): Promise<RunningEscalator> {
  const { transport, codecs, teachers, ground, observe, now } = parts;
  const { topics, escalation, stream } = config;
  const { state, replyDays, budget, group, requestMs } = escalation;
  const escalator = new Escalator({
    ...escalation,
    teachers,
    ground,
    escalations: codecs.escalations(topics.escalations),
    entities: codecs.entities(topics.entities),
    reviews: codecs.reviews(topics.review),
    topics,
    directory: state,
    limits: budget,
    replyRetentionMs: replyDays * DAY_MS,
    // what is under way is paid for; half of the time to stop is left to commit it
    graceMs: Math.min(requestMs, stream.drainMs / 2),
    maxBytes: revisionBytes(config),
    belief: beliefs(config),
    now,
    newId: randomUUID,
    observe,
  });
  try {
    const running = await runProcessor({
      ...stream,
      group,
      transport,
      processor: escalator.processor,
      topics: [topics.escalations],
      outputs: [topics.entities, topics.review, topics.deadLetters],
      observe,
      sleep: ms => sleep(ms),
    });
    escalator.govern(running.subscription);
    return { ...running, close: escalator.close };
  } catch (error) {
    await escalator.close();
    throw error;
  }
}

function beliefs({ escalation }: Config): (teacher: string, task: Task) => Belief {
  const measured = new Map(escalation.teachers.map(each => [each.name, each.measured]));
  return (teacher, task) => measured.get(teacher)?.[task] ?? UNMEASURED;
}
