/** If these fail, quotes from notes lie open to every user of the machine, or another program's file is overwritten. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { EscalationError } from '../../src/escalation/escalation-error.ts';
import { openState } from '../../src/escalation/state-database.ts';
import { temporaryFolder } from '../support/temporary.ts';

const folder = temporaryFolder('state');
const modeOf = (path: string): number => statSync(path).mode & 0o777;

describe("the fallback's state", () => {
  it("is its owner's alone, and so is what SQLite puts beside it", () => {
    const directory = join(folder, 'mine');
    const database = openState(directory);
    database.exec("INSERT INTO budget_day VALUES ('2026-01-01', 1)");
    assert.equal(modeOf(directory), 0o700);
    for (const name of ['state.sqlite', 'state.sqlite-wal', 'state.sqlite-shm'])
      assert.equal(modeOf(join(directory, name)), 0o600, name);
    database.close();
  });

  it('becomes so again when somebody opened it up', () => {
    const directory = join(folder, 'wide');
    openState(directory).close();
    chmodSync(join(directory, 'state.sqlite'), 0o644);
    openState(directory).close();
    assert.equal(modeOf(join(directory, 'state.sqlite')), 0o600);
  });

  it('is refused when it is something else, and left as it is', () => {
    const foreign = join(folder, 'foreign');
    mkdirSync(foreign);
    const database = new DatabaseSync(join(foreign, 'state.sqlite'));
    database.exec('CREATE TABLE mine (x)');
    database.close();
    const newer = join(folder, 'newer');
    const state = openState(newer);
    state.exec('PRAGMA user_version = 99');
    state.close();
    const broken = join(folder, 'broken');
    mkdirSync(broken);
    writeFileSync(join(broken, 'state.sqlite'), 'not a database at all, but long enough to be looked at as one');
    writeFileSync(join(folder, 'file'), '');
    for (const [directory, code] of [
      [foreign, 'STATE_UNREADABLE'],
      [newer, 'STATE_VERSION'],
      [broken, 'STATE_UNREADABLE'],
      [join(folder, 'file'), 'STATE_UNREADABLE'],
    ] as const) {
      assert.throws(
        () => openState(directory),
        (error: unknown) => error instanceof EscalationError && error.code === code && !error.retryable,
        directory,
      );
    }
    const again = new DatabaseSync(join(foreign, 'state.sqlite'));
    assert.deepEqual(
      again
        .prepare('SELECT name FROM sqlite_schema')
        .all()
        .map(row => row.name),
      ['mine'],
    );
    again.close();
  });
});
