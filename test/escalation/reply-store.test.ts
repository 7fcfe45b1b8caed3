/** If these fail, a reply that was paid for is paid for again, or stays longer than its owner allows. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ReplyStore, type StoredReply } from '../../src/escalation/reply-store.ts';
import { openState } from '../../src/escalation/state-database.ts';
import type { RequestKey } from '../../src/teachers/teacher.ts';
import { temporaryFolder } from '../support/temporary.ts';

const folder = temporaryFolder('replies');
const KEY: RequestKey = { textSha256: 'aa', task: 'symptom', promptSha256: 'bb', model: 'm-1' };
const USAGE = { inputTokens: 900, outputTokens: 80, usd: 0.001_234_567, ms: 712.5 };
const REPLY: StoredReply = {
  code: null,
  quotes: [{ text: 'Zyxcanary 💊', at: { start: 1, end: 3 }, codes: [{ system: 's', code: 'c', display: 'd' }] }],
  usage: USAGE,
};
const DAY_MS = 86_400_000;

describe('stored replies', () => {
  it('come back as they were, to another process too', () => {
    const directory = join(folder, 'back');
    const open = () => openState(directory);
    const [one, other] = [open(), open()];
    const options = { retentionMs: DAY_MS, now: () => 0 };
    new ReplyStore(one, options).put(KEY, REPLY);
    assert.deepEqual(new ReplyStore(other, options).get(KEY), REPLY);
    one.close();
    other.close();
    const later = open();
    assert.deepEqual(new ReplyStore(later, options).get(KEY), REPLY);
    later.close();
  });

  it('answer only the very same question', () => {
    const database = openState(join(folder, 'same'));
    const store = new ReplyStore(database, { retentionMs: DAY_MS, now: () => 0 });
    store.put(KEY, REPLY);
    for (const change of [{ textSha256: 'x' }, { task: 'disease' }, { promptSha256: 'x' }, { model: 'm-2' }])
      assert.equal(store.get({ ...KEY, ...change }), undefined, JSON.stringify(change));
    database.close();
  });

  it('that cannot be used are kept with their code and their cost, without quotes', () => {
    const database = openState(join(folder, 'unusable'));
    const store = new ReplyStore(database, { retentionMs: DAY_MS, now: () => 0 });
    store.put(KEY, { ...REPLY, code: 'REPLY_NOT_JSON' });
    assert.deepEqual(store.get(KEY), { code: 'REPLY_NOT_JSON', quotes: [], usage: USAGE });
    database.close();
  });

  it('are forgotten when their time is over: at once for readers, and from the file when it is purged', () => {
    const directory = join(folder, 'old');
    const database = openState(directory);
    let now = 0;
    const store = new ReplyStore(database, { retentionMs: DAY_MS, now: () => now });
    store.put(KEY, REPLY);
    now = DAY_MS;
    assert.deepEqual(store.get(KEY), REPLY);
    now = DAY_MS + 1;
    assert.equal(store.get(KEY), undefined);
    store.put({ ...KEY, task: 'disease' }, { ...REPLY, quotes: [] });
    store.purge();
    assert.equal(database.prepare('SELECT count(*) AS n FROM reply').get()?.n, 1);
    assert.ok(!anywhere(directory), 'overwritten, not only unlinked, also in what is written ahead');
    database.close();
    assert.ok(!anywhere(directory));
  });

  it('are forgotten from the log by the next purge where another connection was in the way', () => {
    const directory = join(folder, 'in-the-way');
    const [database, other] = [openState(directory), openState(directory)];
    database.exec('PRAGMA busy_timeout = 0');
    let now = 0;
    const store = new ReplyStore(database, { retentionMs: DAY_MS, now: () => now });
    store.put(KEY, REPLY);
    other.exec('BEGIN');
    other.prepare('SELECT count(*) FROM reply').get();
    now = DAY_MS + 1;
    store.purge();
    assert.ok(anywhere(directory), 'the other still reads it');
    other.exec('COMMIT');
    store.purge();
    assert.ok(!anywhere(directory));
    other.close();
    database.close();
  });

  it('are forgotten from the log also where a process was killed after it had removed them', () => {
    const directory = join(folder, 'killed');
    const database = openState(directory);
    new ReplyStore(database, { retentionMs: DAY_MS, now: () => 0 }).put(KEY, REPLY);
    database.exec('DELETE FROM reply');
    assert.ok(anywhere(directory));
    new ReplyStore(database, { retentionMs: DAY_MS, now: () => 0 }).purge();
    assert.ok(!anywhere(directory));
    database.close();
  });

  /** Whether a quote can be read in any file of the state. */
  function anywhere(directory: string): boolean {
    return readdirSync(directory).some(name => readFileSync(join(directory, name)).includes('Zyxcanary'));
  }
});
