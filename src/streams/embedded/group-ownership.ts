/**
 * One process at a time runs a group. A lock of the operating system (an exclusive transaction on a small file of its own) says
 * who, and a crash releases it. An epoch in the log, checked inside every commit, makes it safe: whoever lost the lock without
 * noticing cannot commit.
 */
import { accessSync, constants, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StreamError } from '../stream-error.ts';
import { toStreamError, transaction } from './database.ts';

const SQLITE_BUSY = 5;

export class GroupOwnership {
  readonly group: string;
  readonly #database: DatabaseSync;
  readonly #lock: DatabaseSync;
  readonly #epoch: number;

  /** @throws StreamError GROUP_BUSY while another process runs the group. */
  constructor(directory: string, database: DatabaseSync, group: string) {
    this.group = group;
    this.#database = database;
    this.#lock = takeLock(directory, database, group);
    this.#epoch = transaction(database, () => {
      database
        .prepare(
          'INSERT INTO group_owner (group_name, epoch, pid) VALUES (?, 1, ?) ON CONFLICT DO UPDATE SET epoch = epoch + 1, pid = excluded.pid',
        )
        .run(group, process.pid);
      return ownerOf(database, group)?.epoch as number;
    });
  }

  /** Call inside the commit's transaction. @throws StreamError GROUP_FENCED */
  check(): void {
    const owner = ownerOf(this.#database, this.group);
    if (owner?.epoch === this.#epoch) return;
    throw new StreamError(
      'GROUP_FENCED',
      `group ${this.group} was taken over by process ${owner?.pid ?? '?'}: this process must stop; nothing of this batch was written`,
    );
  }

  release(): void {
    if (this.#lock.isOpen) this.#lock.close();
  }
}

function takeLock(directory: string, database: DatabaseSync, group: string): DatabaseSync {
  const folder = join(directory, 'groups');
  const path = join(folder, `${encodeURIComponent(group)}.lock`);
  let lock: DatabaseSync | undefined;
  try {
    mkdirSync(folder, { recursive: true });
    lock = new DatabaseSync(path, { timeout: 0 });
    // on a file that it may only read SQLite begins a transaction that locks nobody out
    accessSync(path, constants.W_OK);
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (cause) {
    lock?.close();
    if (((cause as { errcode?: number }).errcode ?? 0) !== SQLITE_BUSY)
      throw toStreamError(cause, `cannot lock group ${group} by ${path}`);
    const pid = ownerOf(database, group)?.pid;
    throw new StreamError(
      'GROUP_BUSY',
      `process ${pid ?? '?'} runs group ${group} on this log: stop it first, or give this one another group`,
      {
        retryable: true,
        cause,
      },
    );
  }
}

function ownerOf(database: DatabaseSync, group: string): { epoch: number; pid: number } | undefined {
  return database.prepare('SELECT epoch, pid FROM group_owner WHERE group_name = ?').get(group) as
    | { epoch: number; pid: number }
    | undefined;
}
