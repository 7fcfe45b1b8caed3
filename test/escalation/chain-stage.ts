/** A chain over teachers that do as a test says, with a clock that only the test moves. */
import { randomUUID } from 'node:crypto';
import { mock } from 'node:test';
import type { Fact } from '../../src/core/facts.ts';
import { type BreakerOptions, ProviderBreaker } from '../../src/escalation/breaker.ts';
import { Chain, type Decision, type TaskOfNote } from '../../src/escalation/chain.ts';
import { type DeskOptions, RequestDesk } from '../../src/escalation/request-desk.ts';
import { WaitingRoom } from '../../src/escalation/waiting-room.ts';
import { gate } from '../../src/text/privacy-gate.ts';
import { exactly, noteOf, type Scripted } from './scripted.ts';
import { freshState } from './stage.ts';

export const START = Date.UTC(2026, 2, 1, 12);
const live = new AbortController().signal;
const closers: (() => unknown)[] = [];

/** A chain whose time only the test moves. @param perTask whom it asks about symptoms, or about each task. */
export function chainOf(
  perTask: readonly Scripted[] | Readonly<Record<string, readonly Scripted[]>>,
  limits: Partial<DeskOptions['limits']> = {},
  breaker: Partial<BreakerOptions> = {},
) {
  mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'], now: START });
  const byTask = new Map(Object.entries(Array.isArray(perTask) ? { symptom: perTask } : perTask));
  const teachers = [...byTask.values()].flat();
  const facts: Fact[] = [];
  const directory = freshState();
  const observe = (fact: Fact): void => void facts.push(fact);
  const room = new WaitingRoom();
  const now = (): number => Date.now();
  const breakers = new Map(
    teachers.map(({ provider }) => [
      provider,
      new ProviderBreaker({
        provider,
        failurePercent: 50,
        minimumRequests: 3,
        windowMs: 60_000,
        resetMs: 10_000,
        requestMs: 1_000,
        concurrency: 4,
        now,
        observe,
        onChange: () => room.wakeAll(),
        ...breaker,
      }),
    ]),
  );
  const desk = new RequestDesk({
    directory,
    limits: { usdPerDay: null, tokensPerMinute: null, requestsPerMinute: null, ...limits },
    replyRetentionMs: 86_400_000,
    requestMs: 1_000,
    graceMs: 50,
    now,
    newId: randomUUID,
    observe,
    onSettled: () => room.wakeAll(),
  });
  closers.push(() => desk.close(), ...[...breakers.values()].map(each => () => each.close()));
  const chain = new Chain({
    teachers: byTask,
    breakers,
    desk,
    room,
    ground: exactly,
    now,
    observe,
    onDisabled: () => room.wakeAll(),
  });
  const decide = (id: number, of: Partial<TaskOfNote> = {}): { decision: Promise<Decision>; done: () => boolean } => {
    const note = gate(noteOf(id));
    const subject = { noteId: note.noteId, noteVersion: 1, textSha256: String(id) };
    let settled = false;
    const decision = chain
      .decide({ note, task: 'symptom', subject, deadline: START + 3_600_000, lost: live, stopping: live, ...of })
      .finally(() => {
        settled = true;
      });
    decision.catch(() => {});
    return { decision, done: () => settled };
  };
  return { chain, decide, facts, room, directory };
}

/** Everything that can happen without time passing has happened. */
export async function quiet(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise(resolve => setImmediate(resolve));
}

export async function tick(ms: number): Promise<void> {
  mock.timers.tick(ms);
  await quiet();
}

/** At `endStage`. */
export function closeAfterwards(close: () => unknown): void {
  closers.push(close);
}

/** Ends what the chains of a test have open; for afterEach. */
export async function endStage(): Promise<void> {
  if (closers.length === 0) return;
  const closed = Promise.all(closers.splice(0).map(close => close()));
  await tick(1_000); // what is still out has its grace
  await closed;
  mock.timers.reset();
}
