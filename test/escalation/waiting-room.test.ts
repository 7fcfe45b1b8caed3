/** If these fail, a note waits for ever, or a stop waits for notes. */
import assert from 'node:assert/strict';
import { afterEach, describe, it, mock } from 'node:test';
import { unlessAborted, WaitingRoom } from '../../src/escalation/waiting-room.ts';

const idle = new AbortController().signal;
const quiet = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

describe('the waiting room', () => {
  afterEach(() => mock.timers.reset());

  it('lets go when the time comes, when all are woken, or when a signal ends it', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    const room = new WaitingRoom();
    const end = new AbortController();
    const told: string[] = [];
    const waits = [
      room.wait(1_000, [idle]).then(() => told.push('time')),
      room.wait(5_000, [idle, end.signal]).catch((error: unknown) => told.push(String(error))),
      room.wait(9_000, [idle]).then(() => told.push('woken')),
    ];
    assert.equal(room.size, 3);
    mock.timers.tick(1_000);
    end.abort('stopping');
    await quiet();
    assert.deepEqual([told, room.size], [['time', 'stopping'], 1]);
    room.wakeAll();
    await Promise.all(waits);
    assert.deepEqual([told, room.size], [['time', 'stopping', 'woken'], 0]);
  });

  it('misses no call that came after whoever waits had looked', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    const room = new WaitingRoom();
    const heard = room.calls;
    room.wakeAll();
    await room.wait(9_000, [idle], heard);
    const next = room.wait(9_000, [idle], room.calls);
    await quiet();
    assert.equal(room.size, 1, 'it heard that one');
    room.wakeAll();
    await next;
  });

  it('does not begin when it is over already, and waits longer than a timer can', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    const room = new WaitingRoom();
    await assert.rejects(room.wait(1_000, [AbortSignal.abort(new Error('over'))]), /over/);
    const long = room.wait(2 ** 40, [idle]);
    await quiet();
    assert.equal(room.size, 1);
    room.wakeAll();
    await long;
  });
});

describe('unlessAborted', () => {
  it('gives what the promise gives, or the reason of the signal, whichever is first', async () => {
    const end = new AbortController();
    assert.equal(await unlessAborted(Promise.resolve(1), [end.signal]), 1);
    await assert.rejects(unlessAborted(Promise.reject(new Error('own')), [end.signal]), /own/);
    const late = Promise.withResolvers<number>();
    const waiting = unlessAborted(late.promise, [end.signal]);
    end.abort(new Error('over'));
    await assert.rejects(waiting, /over/);
    late.reject(new Error('nobody listens, and nothing breaks'));
    await quiet();
  });
});
