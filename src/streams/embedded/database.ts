/** The file behind the embedded log: one SQLite database that many processes may open at once. */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StreamError } from '../stream-error.ts';

const VERSION = 1;
const APPLICATION_ID = 0x636c696e; // "clin"
const BUSY_MS = 10_000;

const SCHEMA = `
  CREATE TABLE topic (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    partitions INTEGER NOT NULL,
    retention_ms INTEGER,
    retention_bytes INTEGER
  ) STRICT;
  CREATE TABLE partition (
    topic_id INTEGER NOT NULL REFERENCES topic (id),
    partition INTEGER NOT NULL,
    low INTEGER NOT NULL,
    high INTEGER NOT NULL,
    PRIMARY KEY (topic_id, partition)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE record (
    topic_id INTEGER NOT NULL,
    partition INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    timestamp INTEGER NOT NULL,
    key BLOB,
    value BLOB,
    headers BLOB NOT NULL,
    UNIQUE (topic_id, partition, offset)
  ) STRICT;
  CREATE TABLE group_offset (
    group_name TEXT NOT NULL,
    topic_id INTEGER NOT NULL,
    partition INTEGER NOT NULL,
    next INTEGER NOT NULL,
    PRIMARY KEY (group_name, topic_id, partition)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE group_owner (
    group_name TEXT PRIMARY KEY,
    epoch INTEGER NOT NULL,
    pid INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
`;

/**
 * Opens `directory`/log.sqlite, making it when `create`. A committed transaction survives a loss of power (WAL with
 * synchronous=FULL). @throws StreamError LOG_MISSING, LOG_UNREADABLE, LOG_VERSION
 */
export function openDatabase(directory: string, create: boolean): DatabaseSync {
  const path = join(directory, 'log.sqlite');
  if (!existsSync(path) && !create) {
    throw new StreamError(
      'LOG_MISSING',
      `there is no log in ${directory}: 'clinstream topics create' makes one, --data names another`,
    );
  }
  let database: DatabaseSync | undefined;
  try {
    mkdirSync(directory, { recursive: true });
    database = new DatabaseSync(path, { timeout: BUSY_MS });
    recognise(database, path);
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    initialise(database);
    return database;
  } catch (error) {
    database?.close();
    if (error instanceof StreamError) throw error;
    throw toStreamError(error, `cannot open the log ${path}`);
  }
}

/** Reads and changes nothing: a file that is not ours stays as it is. */
function recognise(database: DatabaseSync, path: string): void {
  if (isEmpty(database)) return;
  const { application_id } = database.prepare('PRAGMA application_id').get() as { application_id: number };
  const { user_version } = database.prepare('PRAGMA user_version').get() as { user_version: number };
  if (application_id !== APPLICATION_ID) {
    throw new StreamError('LOG_UNREADABLE', `${path} is a database of another program`);
  }
  if (user_version !== VERSION) {
    throw new StreamError('LOG_VERSION', `${path} has format ${user_version}; this clinstream reads format ${VERSION}`);
  }
}

/** Two processes may open a new log at once: one makes the tables, the other finds them. */
function initialise(database: DatabaseSync): void {
  transaction(database, () => {
    if (!isEmpty(database)) return;
    database.exec(`${SCHEMA} PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${VERSION};`);
  });
}

function isEmpty(database: DatabaseSync): boolean {
  const { tables } = database.prepare('SELECT count(*) AS tables FROM sqlite_schema').get() as { tables: number };
  return tables === 0;
}

/** Runs `work` in one write transaction: all of it or nothing. */
export function transaction<T>(database: DatabaseSync, work: () => T): T {
  try {
    database.exec('BEGIN IMMEDIATE');
  } catch (error) {
    throw toStreamError(error, 'cannot begin a transaction on the log');
  }
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    if (error instanceof StreamError) throw error;
    throw toStreamError(error, 'cannot write to the log');
  }
}

/** Runs a read that needs no transaction. @throws StreamError */
export function reading<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if ((error as { errcode?: number }).errcode === undefined) throw error;
    throw toStreamError(error, 'cannot read the log');
  }
}

/** SQLite's result codes, https://www.sqlite.org/rescode.html; its messages name files and columns, never values. */
export function toStreamError(error: unknown, doing: string): StreamError {
  const code = (error as { errcode?: number }).errcode ?? 0;
  const primary = code & 0xff;
  if (primary === 5 || primary === 6) {
    return new StreamError('LOG_BUSY', `${doing}: another process has kept it locked for ${BUSY_MS / 1000} s`, {
      retryable: true,
      cause: error,
    });
  }
  if (primary === 13)
    return new StreamError('LOG_FULL', `${doing}: the disk is full`, { retryable: true, cause: error });
  const why = code === 0 ? ((error as { code?: string }).code ?? 'unknown') : `SQLite error ${code}`;
  return new StreamError(
    'LOG_UNREADABLE',
    `${doing}: ${why}; check the disk, the file's permissions and that it is a log`,
    { cause: error },
  );
}
