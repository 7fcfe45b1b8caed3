/** If this fails, a crash between a teacher's reply and its commit is paid for twice, or loses a note. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { seeded } from '../../src/evaluation/bootstrap.ts';
import { EmbeddedTransport } from '../../src/streams/embedded/embedded-transport.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { escalated, noteOf } from './scripted.ts';
import { ends, TOPICS } from './stage.ts';

const KEEP = { ms: null, bytes: null };
const NOTES = 400;
const KILLS = 12;
const folder = temporaryFolder('escalation-kill');
const children: ChildProcess[] = [];

// a failed test leaves its worker behind, which would keep the runner from ever ending
after(() => {
  for (const child of children) child.kill('SIGKILL');
});

interface Setting {
  readonly log: EmbeddedTransport;
  run(round: number, mode: 'hold' | 'go'): ChildProcess;
  /** Texts whose replies are stored, by sha-256. */
  stored(): Set<string>;
  /** One entry a payment, in their order. */
  paid(): { round: number; text: string }[];
}

async function setting(name: string): Promise<Setting> {
  const at = (part: string): string => join(folder, name, part);
  const log = new EmbeddedTransport({ directory: at('log'), create: true, now: Date.now });
  for (const topic of TOPICS) await log.createTopic(topic, { partitions: 2, retention: KEEP });
  return {
    log,
    run: (round, mode) => {
      const worker = join(import.meta.dirname, 'killed-worker.ts');
      const args = [worker, at('log'), at('state'), at('payments'), String(round), mode];
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
      children.push(child);
      return child;
    },
    stored: () => {
      const path = at('state/state.sqlite');
      if (!existsSync(path)) return new Set();
      // the worker may be making it just now
      const database = new DatabaseSync(path, { timeout: 10_000 });
      try {
        const tables = database.prepare("SELECT name FROM sqlite_schema WHERE name = 'reply'").all();
        if (tables.length === 0) return new Set();
        return new Set(
          database
            .prepare('SELECT text_sha256 FROM reply')
            .all()
            .map(row => String(row.text_sha256)),
        );
      } finally {
        database.close();
      }
    },
    paid: () =>
      existsSync(at('payments'))
        ? readFileSync(at('payments'), 'utf8')
            .trimEnd()
            .split('\n')
            .map(line => line.split(' '))
            .map(([round, text = '']) => ({ round: Number(round), text }))
        : [],
  };
}

const alive = (child: ChildProcess): boolean => child.exitCode === null && child.signalCode === null;

/** Whether it was killed: it may have ended by itself just before, which is heard of only afterwards. */
async function kill(child: ChildProcess): Promise<boolean> {
  child.kill('SIGKILL');
  if (alive(child)) await once(child, 'exit');
  return child.signalCode === 'SIGKILL';
}

describe('killing the escalator', { timeout: 240_000 }, () => {
  it('between the reply and the commit: nothing is paid for twice', async () => {
    const { log, run, stored, paid } = await setting('between');
    const ids = ['slow', '0', '1', '2', '3', '4', '5'];
    await log.append(await Promise.all(ids.map(id => escalated(noteOf(id, { patientId: 'p' })))));
    const child = run(0, 'hold');
    while (alive(child) && stored().size < 6) await sleep(20);
    assert.ok(await kill(child));
    assert.equal(paid().length, 6, 'six replies were paid for');
    assert.deepEqual((await ends(log)).revisions, [], 'and nothing of them was committed');
    const [exit] = await once(run(1, 'go'), 'exit');
    assert.equal(exit, 0);
    assert.deepEqual(
      (await ends(log)).revisions.map(each => each.noteId),
      ids.map(id => `n-${id}`),
    );
    assert.deepEqual(
      paid().map(each => each.round),
      [0, 0, 0, 0, 0, 0, 1],
      'after the crash only the one that was never answered',
    );
    await log.close();
  });

  it(`${KILLS} times at any moment: a stored reply is never paid for again, and every note has one end`, async () => {
    const { log, run, stored, paid } = await setting('any');
    await log.append(await Promise.all(Array.from({ length: NOTES }, (_, i) => escalated(noteOf(i)))));
    const random = seeded(5);
    const before: Set<string>[] = [];
    let inWork = 0;
    for (let round = 0; round < KILLS; round++) {
      const child = run(round, 'go');
      const paidBefore = paid().length;
      while (alive(child) && paid().length === paidBefore) await sleep(5);
      await sleep(random() * 120);
      if (!(await kill(child))) break;
      inWork++;
      before.push(stored());
    }
    const [exit] = await once(run(KILLS, 'go'), 'exit');
    assert.equal(exit, 0);
    assert.ok(inWork >= 3, `${inWork} kills hit work`);
    assert.ok(new Set(before.map(each => each.size)).size > 1, 'at different stages');
    for (const [round, known] of before.entries()) {
      const again = paid().filter(each => each.round > round && known.has(each.text));
      assert.deepEqual(again, [], `after kill ${round}`);
    }
    const { revisions, reviews, dead } = await ends(log);
    assert.deepEqual([revisions.length, new Set(revisions.map(each => each.noteId)).size], [NOTES, NOTES]);
    assert.deepEqual([reviews, dead], [[], []]);
    await log.close();
  });
});
