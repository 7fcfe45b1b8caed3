/**
 * Wakes readers when records may have come: at once for an append of this process, within a poll for one of another. Polling
 * asks SQLite's data_version, which costs no read of the file's pages.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';

const POLL_MS = 20;

export class Arrivals {
  readonly #version: StatementSync;
  #waiting = new Set<() => void>();
  #seen: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(database: DatabaseSync) {
    this.#version = database.prepare('PRAGMA data_version');
    this.#seen = this.#current();
  }

  announce(): void {
    const waiting = this.#waiting;
    this.#waiting = new Set();
    clearInterval(this.#timer);
    this.#timer = undefined;
    for (const wake of waiting) wake();
  }

  /** Resolves at the next arrival, or when `signal` is aborted. May resolve without one: look again. */
  wait(signal: AbortSignal | undefined): Promise<void> {
    return new Promise(resolve => {
      if (signal?.aborted === true) {
        resolve();
        return;
      }
      const wake = (): void => {
        signal?.removeEventListener('abort', wake);
        this.#waiting.delete(wake);
        resolve();
      };
      signal?.addEventListener('abort', wake);
      this.#waiting.add(wake);
      this.#timer ??= setInterval(() => this.#poll(), POLL_MS);
    });
  }

  close(): void {
    this.announce();
  }

  #poll(): void {
    const version = this.#current();
    if (version === this.#seen) return;
    this.#seen = version;
    this.announce();
  }

  #current(): number {
    return (this.#version.get() as { data_version: number }).data_version;
  }
}
