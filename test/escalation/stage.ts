/** A log with an escalator at work on it, and what its topics say. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Fact } from '../../src/core/facts.ts';
import type { OutgoingRecord } from '../../src/core/record.ts';
import { Escalator, type EscalatorOptions } from '../../src/escalation/escalator.ts';
import { deadLetterReason } from '../../src/events/dead-letter.ts';
import { createEntitiesCodec } from '../../src/events/entities-event.ts';
import { createEscalationCodec } from '../../src/events/escalation-event.ts';
import type { EntitiesEvent, ReviewEvent } from '../../src/events/generated.ts';
import { createReviewCodec } from '../../src/events/review-event.ts';
import { type Running, type RunOptions, runProcessor } from '../../src/streams/runner.ts';
import type { Transport } from '../../src/streams/transport.ts';
import type { Teacher } from '../../src/teachers/teacher.ts';
import { readAll } from '../contract/harness.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { exactly } from './scripted.ts';

export const TOPICS = ['escalations', 'entities', 'review', 'dead'] as const;
export const GROUP = 'escalator';
const entitiesCodec = createEntitiesCodec();
const reviewCodec = createReviewCodec();

const folder = temporaryFolder('escalation');
let states = 0;
const atWork = new Set<Stage>();

/** A folder for the escalator's state that nobody has used. */
export function freshState(): string {
  return join(folder, String(states++));
}

/** For after each test: one that fails midway would leave its escalator at work, and its process could never end. */
export async function leaveNoneAtWork(): Promise<void> {
  await Promise.allSettled([...atWork].map(each => each.stop()));
}

export interface Stage {
  readonly escalator: Escalator;
  readonly running: Running;
  readonly facts: readonly Fact[];
  /** Resolves when so many facts of a kind, or more, were told. */
  told(kind: Fact['kind'], count?: number): Promise<void>;
  /** Everything that stands in the topic is done, and the run has stopped. */
  finish(): Promise<void>;
  stop(): Promise<void>;
}

export interface StageOptions extends Partial<Omit<EscalatorOptions, 'teachers'>> {
  /** Of medication and of symptom alike. */
  readonly teachers: readonly Teacher[];
  readonly run?: Partial<RunOptions>;
}

/** Limits that nothing in a test reaches, unless the test lowers them. */
export async function stage(transport: Transport, { teachers, run = {}, ...options }: StageOptions): Promise<Stage> {
  const facts: Fact[] = [];
  const watching = new Set<() => void>();
  const observe = (fact: Fact): void => {
    facts.push(fact);
    options.observe?.(fact);
    for (const look of [...watching]) look();
  };
  const escalator = new Escalator({
    teachers: new Map(['medication', 'symptom'].map(task => [task, teachers])),
    ground: exactly,
    escalations: createEscalationCodec(),
    entities: entitiesCodec,
    reviews: reviewCodec,
    topics: { entities: 'entities', review: 'review', deadLetters: 'dead' },
    maxBytes: 1024 * 1024,
    deadlineMs: 3_600_000,
    belief: () => ({ precision: 0.8, f1: 0.7 }),
    breaker: { failurePercent: 50, minimumRequests: 1_000, windowMs: 60_000, resetMs: 50 },
    concurrency: 4,
    directory: freshState(),
    limits: { usdPerDay: null, tokensPerMinute: null, requestsPerMinute: null },
    replyRetentionMs: 86_400_000,
    requestMs: 10_000,
    graceMs: 50,
    now: Date.now,
    newId: randomUUID,
    ...options,
    observe,
  });
  const running = await runProcessor({
    transport,
    processor: escalator.processor,
    group: GROUP,
    topics: ['escalations'],
    outputs: ['entities', 'review', 'dead'],
    inFlightRecords: 64,
    inFlightBytes: 64 * 1024 * 1024,
    transactionRecords: 16,
    transactionBytes: 1024 * 1024,
    transactionMs: 5,
    drainMs: 20_000,
    observe,
    sleep: async () => {},
    ...run,
  });
  escalator.govern(running.subscription);
  const stop = async (): Promise<void> => {
    atWork.delete(staged);
    try {
      await running.stop();
      await running.done;
    } finally {
      await escalator.close();
    }
  };
  const staged: Stage = {
    escalator,
    running,
    facts,
    told: (kind, count = 1) =>
      new Promise(done => {
        const look = (): void => {
          if (facts.filter(fact => fact.kind === kind).length < count) return;
          watching.delete(look);
          done();
        };
        watching.add(look);
        look();
      }),
    finish: async () => {
      await Promise.race([running.subscription.drained(), running.done]);
      await stop();
    },
    stop,
  };
  atWork.add(staged);
  return staged;
}

export interface Ends {
  readonly revisions: readonly EntitiesEvent[];
  readonly reviews: readonly ReviewEvent[];
  /** Codes of the dead letters. */
  readonly dead: readonly string[];
}

/** What came of the escalations, as an independent reader sees it. */
export async function ends(transport: Transport): Promise<Ends> {
  const values = async (topic: string) => (await readAll(transport, topic)).map(record => record.value);
  return {
    revisions: await Promise.all((await values('entities')).map(value => entitiesCodec.decode(value))),
    reviews: await Promise.all((await values('review')).map(value => reviewCodec.decode(value))),
    dead: (await readAll(transport, 'dead')).map(record => deadLetterReason(record)?.code ?? ''),
  };
}

/** One run over `records`, from beginning to end. */
export async function runOver(
  transport: Transport,
  records: readonly OutgoingRecord[],
  options: StageOptions,
): Promise<Ends & { readonly facts: readonly Fact[] }> {
  await transport.append(records);
  const staged = await stage(transport, options);
  await staged.finish();
  return { ...(await ends(transport)), facts: staged.facts };
}

export function of<Kind extends Fact['kind']>(
  facts: readonly Fact[],
  kind: Kind,
): readonly Extract<Fact, { kind: Kind }>[] {
  return facts.filter(fact => fact.kind === kind) as Extract<Fact, { kind: Kind }>[];
}
