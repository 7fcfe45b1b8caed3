/** If this fails, the log would open what it cannot read, spoil a file that is not its own, or keep half of a transaction. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { openDatabase, reading, toStreamError, transaction } from '../../../src/streams/embedded/database.ts';
import { GroupOwnership } from '../../../src/streams/embedded/group-ownership.ts';
import { RecordStore } from '../../../src/streams/embedded/record-store.ts';
import { temporaryFolder } from '../../support/temporary.ts';

const folder = temporaryFolder('database');
let logs = 0;
const fresh = (): string => join(folder, String(logs++));

/** A log, changed by hand. */
function changed(sql: string): string {
  const directory = fresh();
  openDatabase(directory, true).close();
  const database = new DatabaseSync(join(directory, 'log.sqlite'));
  database.exec(sql);
  database.close();
  return directory;
}

function foreign(): { directory: string; path: string; bytes: Buffer } {
  const directory = fresh();
  mkdirSync(directory);
  const path = join(directory, 'log.sqlite');
  const database = new DatabaseSync(path);
  database.exec(`CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1);`);
  database.close();
  return { directory, path, bytes: readFileSync(path) };
}

describe('database', () => {
  it('makes no log where one was expected', () => {
    const directory = fresh();
    assert.throws(() => openDatabase(directory, false), { code: 'LOG_MISSING', stage: 'stream' });
    assert.equal(existsSync(directory), false, 'and leaves no folder behind');
  });

  it('opens its own log again, with what was in it', () => {
    const directory = changed("INSERT INTO topic (name, partitions) VALUES ('notes', 4)");
    const database = openDatabase(directory, false);
    assert.deepEqual(
      { ...database.prepare('SELECT name, partitions FROM topic').get() },
      { name: 'notes', partitions: 4 },
    );
    assert.deepEqual(
      { ...database.prepare('PRAGMA synchronous').get() },
      { synchronous: 2 },
      'survives a loss of power',
    );
    database.close();
  });

  it('refuses a format that it does not know, newer or older, and leaves it as it is', () => {
    for (const version of [0, 2, 99]) {
      const directory = changed(`PRAGMA user_version = ${version}`);
      assert.throws(() => openDatabase(directory, true), {
        code: 'LOG_VERSION',
        message: new RegExp(`format ${version};`),
        retryable: false,
      });
      const database = new DatabaseSync(join(directory, 'log.sqlite'));
      assert.deepEqual({ ...database.prepare('PRAGMA user_version').get() }, { user_version: version });
      database.close();
    }
  });

  it('refuses another program’s database', () => {
    const { directory } = foreign();
    assert.throws(() => openDatabase(directory, true), { code: 'LOG_UNREADABLE', message: /another program/ });
    const marked = changed('PRAGMA application_id = 7');
    assert.throws(() => openDatabase(marked, true), { code: 'LOG_UNREADABLE', message: /another program/ });
  });

  it('changes nothing in a database that it refuses', () => {
    const { directory, path, bytes } = foreign();
    assert.throws(() => openDatabase(directory, true));
    assert.ok(readFileSync(path).equals(bytes));
  });

  it('refuses what is no database', () => {
    const directory = fresh();
    mkdirSync(directory);
    const path = join(directory, 'log.sqlite');
    writeFileSync(path, 'these are somebody’s notes\n'.repeat(200));
    const before = readFileSync(path);
    assert.throws(() => openDatabase(directory, true), { code: 'LOG_UNREADABLE', message: /SQLite error 26;/ });
    assert.ok(readFileSync(path).equals(before));
  });

  it('keeps all of a transaction or nothing', () => {
    const database = openDatabase(fresh(), true);
    const insert = database.prepare('INSERT INTO topic (name, partitions) VALUES (?, 1)');
    const names = () =>
      database
        .prepare('SELECT name FROM topic ORDER BY name')
        .all()
        .map(row => row.name);
    assert.equal(
      transaction(database, () => insert.run('a').changes),
      1,
    );
    const halfWay = (): void => {
      insert.run('b');
      insert.run('a');
    };
    assert.throws(() => transaction(database, halfWay), { code: 'LOG_UNREADABLE' }, 'a name twice');
    assert.deepEqual(names(), ['a']);
    transaction(database, () => insert.run('c'));
    assert.deepEqual(names(), ['a', 'c'], 'and the next one works');
    database.close();
  });

  it('says what may pass when tried again', () => {
    const kinds = [5, 6, 13, 5 | (1 << 8), 11].map(errcode => {
      const { code, retryable } = toStreamError(Object.assign(new Error('values are not quoted'), { errcode }), 'x');
      return [code, retryable];
    });
    assert.deepEqual(kinds, [
      ['LOG_BUSY', true],
      ['LOG_BUSY', true],
      ['LOG_FULL', true],
      ['LOG_BUSY', true],
      ['LOG_UNREADABLE', false],
    ]);
  });

  it('says which file or folder is in the way, by a code', async () => {
    const [directory, blocked] = [fresh(), fresh()];
    writeFileSync(blocked, '');
    assert.throws(() => openDatabase(join(blocked, 'log'), true), {
      code: 'LOG_UNREADABLE',
      message: /cannot open the log .*: (?:ENOTDIR|EEXIST);/,
    });
    const database = openDatabase(directory, true);
    writeFileSync(join(directory, 'groups'), '');
    const own = (): unknown => new GroupOwnership(directory, database, 'g');
    assert.throws(own, { code: 'LOG_UNREADABLE', message: /cannot lock group g by .*: (?:ENOTDIR|EEXIST);/ });
    rmSync(join(directory, 'groups'));
    mkdirSync(join(directory, 'groups/g.lock'), { recursive: true });
    assert.throws(own, { code: 'LOG_UNREADABLE', message: /cannot lock group g by .*g\.lock: SQLite error 14;/ });
    database.close();
  });

  it('tells a read of pages that were spoilt from a fault of the program', () => {
    const directory = fresh();
    const database = openDatabase(directory, true);
    const store = new RecordStore(database);
    transaction(database, () => store.create('t', 1, { ms: null, bytes: null }));
    const value = Buffer.alloc(100_000, 'x');
    const record = { topic: 't', key: null, value, headers: {} };
    transaction(database, () =>
      store.append(
        Array.from({ length: 20 }, () => record),
        0,
      ),
    );
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    database.close();
    const path = join(directory, 'log.sqlite');
    const bytes = readFileSync(path);
    bytes.fill(0xff, 40_960);
    writeFileSync(path, bytes);
    const spoilt = openDatabase(directory, false);
    const reader = new RecordStore(spoilt);
    const limits = { records: 100, bytes: 1e9 };
    assert.throws(() => reader.fetch(reader.topic('t'), 0, 0, limits), {
      code: 'LOG_UNREADABLE',
      message: /cannot read the log: SQLite error \d+;/,
    });
    spoilt.close();
    assert.throws(
      () =>
        reading(() => {
          throw new TypeError('ours');
        }),
      TypeError,
    );
  });
});
