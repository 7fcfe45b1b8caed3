/**
 * One process at a time changes a store. The lock is the operating system's (an exclusive SQLite transaction on a file of its own, as for a
 * group of the embedded log): a crash releases it, so that none is ever stale, in another container either.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { DistillError } from './distill-error.ts';

const SQLITE_BUSY = 5;

export interface StoreLock {
  readonly release: () => void;
}

/** Makes the folder where there is none. @throws DistillError STORE_BUSY while another process changes the store, OUTPUT_FAILED */
export function lockStore(directory: string): StoreLock {
  const holder = join(directory, '.lock.pid');
  let lock: DatabaseSync | undefined;
  try {
    mkdirSync(directory, { recursive: true });
    lock = new DatabaseSync(join(directory, '.lock'), { timeout: 0 });
    lock.exec('BEGIN EXCLUSIVE');
    writeFileSync(holder, `${process.pid}\n`);
  } catch (cause) {
    lock?.close();
    if ((cause as { errcode?: number }).errcode !== SQLITE_BUSY)
      throw new DistillError(
        'OUTPUT_FAILED',
        `${directory} cannot be locked: it must be a folder that can be written`,
        { cause },
      );
    const why = `process ${pidIn(holder)} is changing ${directory}: wait until it has ended, then try again`;
    throw new DistillError('STORE_BUSY', why, { retryable: true, cause });
  }
  const held = lock;
  return { release: () => held.isOpen && held.close() };
}

/** For the message alone: who holds the lock is the operating system's to say. */
function pidIn(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim() || '?';
  } catch {
    return '?';
  }
}
