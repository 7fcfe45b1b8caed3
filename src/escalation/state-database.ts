/**
 * One SQLite file for what the fallback must not forget: replies that were paid for, money that was spent, requests that are out. Several
 * processes of one machine may share it. Replies hold quotes, which are text of notes: the file is its owner's alone.
 */
import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { EscalationError } from './escalation-error.ts';

const VERSION = 2;
const APPLICATION_ID = 0x636c6573; // "cles"
const BUSY_MS = 10_000;

const SCHEMA = `
  CREATE TABLE reply (
    text_sha256 TEXT NOT NULL,
    task TEXT NOT NULL,
    prompt_sha256 TEXT NOT NULL,
    model TEXT NOT NULL,
    at INTEGER NOT NULL,
    code TEXT,
    quotes TEXT,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    usd REAL NOT NULL,
    ms REAL NOT NULL,
    PRIMARY KEY (text_sha256, task, prompt_sha256, model)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX reply_at ON reply (at);
  CREATE TABLE budget_day (
    day TEXT PRIMARY KEY,
    nano_usd INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE request_out (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    pid INTEGER NOT NULL,
    day TEXT NOT NULL,
    nano_usd INTEGER NOT NULL,
    until INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE budget_minute (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    tokens INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX budget_minute_at ON budget_minute (at);
`;

/**
 * Opens `directory`/state.sqlite, making both where they are missing, readable by their owner alone. What is committed survives a
 * loss of power. @throws EscalationError STATE_UNREADABLE, STATE_VERSION
 */
export function openState(directory: string): DatabaseSync {
  const path = join(directory, 'state.sqlite');
  let database: DatabaseSync | undefined;
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    // SQLite gives its other files the mode of this one
    closeSync(openSync(path, 'a', 0o600));
    chmodSync(path, 0o600);
    database = new DatabaseSync(path, { timeout: BUSY_MS });
    recognise(database, path);
    // what retention removes is overwritten
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;');
    const open = database;
    transaction(open, () => {
      if (!isEmpty(open)) return;
      open.exec(`${SCHEMA} PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${VERSION};`);
    });
    return database;
  } catch (error) {
    database?.close();
    throw toEscalationError(error, `cannot open the fallback's state ${path}`);
  }
}

/** Runs `work` in one write transaction: all of it or nothing. @throws EscalationError */
export function transaction<T>(database: DatabaseSync, work: () => T): T {
  try {
    database.exec('BEGIN IMMEDIATE');
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw toEscalationError(error, "cannot write the fallback's state");
  }
}

/**
 * Moves what is committed to the file itself and empties the write-ahead log, in which removed rows still stand. False where another
 * connection was in the way: it can be tried again later. Call outside of a transaction. @throws EscalationError
 */
export function emptyLog(database: DatabaseSync): boolean {
  try {
    const { busy } = database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get() as { busy: number };
    return busy === 0;
  } catch (error) {
    const failure = toEscalationError(error, "cannot empty the log of the fallback's state");
    if (failure.code === 'STATE_BUSY') return false;
    throw failure;
  }
}

function recognise(database: DatabaseSync, path: string): void {
  if (isEmpty(database)) return;
  const { application_id } = database.prepare('PRAGMA application_id').get() as { application_id: number };
  const { user_version } = database.prepare('PRAGMA user_version').get() as { user_version: number };
  if (application_id !== APPLICATION_ID) {
    throw new EscalationError('STATE_UNREADABLE', `${path} is a database of another program`);
  }
  if (user_version !== VERSION) {
    throw new EscalationError(
      'STATE_VERSION',
      `${path} has format ${user_version}; this clinstream reads format ${VERSION}`,
    );
  }
}

function isEmpty(database: DatabaseSync): boolean {
  const { tables } = database.prepare('SELECT count(*) AS tables FROM sqlite_schema').get() as { tables: number };
  return tables === 0;
}

/** SQLite's result codes, https://www.sqlite.org/rescode.html; its messages name files and columns, never values. */
function toEscalationError(error: unknown, doing: string): EscalationError {
  if (error instanceof EscalationError) return error;
  const code = (error as { errcode?: number }).errcode ?? 0;
  const primary = code & 0xff;
  // not retryable: whoever cannot write down a reply that was paid for would pay for it again
  const options = { cause: error };
  if (primary === 5 || primary === 6) {
    return new EscalationError(
      'STATE_BUSY',
      `${doing}: another process has kept it locked for ${BUSY_MS / 1000} s`,
      options,
    );
  }
  if (primary === 13) return new EscalationError('STATE_FULL', `${doing}: the disk is full`, options);
  const why = code === 0 ? ((error as { code?: string }).code ?? 'unknown') : `SQLite error ${code}`;
  return new EscalationError(
    'STATE_UNREADABLE',
    `${doing}: ${why}; check escalation.state, the disk and who may write there`,
    { cause: error },
  );
}
