/** If this fails, the log would open what it cannot read, spoil a file that is not its own, or keep half of a transaction. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { openDatabase, toStreamError, transaction } from '../../../src/streams/embedded/database.ts';
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
});
