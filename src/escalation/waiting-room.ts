/** Where work waits until a provider changes, a time comes, or somebody ends the waiting. Nobody in it is ever forgotten. */

/** setTimeout's own limit, 2^31 − 1: a longer wait is several. */
const LONGEST_MS = 2 ** 31 - 1;

export class WaitingRoom {
  readonly #wakes = new Set<() => void>();
  #calls = 0;

  /** How many wait. */
  get size(): number {
    return this.#wakes.size;
  }

  /** How often all were woken. */
  get calls(): number {
    return this.#calls;
  }

  wakeAll(): void {
    this.#calls++;
    for (const wake of [...this.#wakes]) wake();
  }

  /**
   * Resolves after `ms` or at `wakeAll`, whichever is first. Rejects with a signal's reason when it aborts.
   * @param heard the calls until whoever waits last looked: a later one came in between, and is not missed.
   */
  wait(ms: number, signals: readonly AbortSignal[], heard = this.#calls): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer);
        clearImmediate(called);
        this.#wakes.delete(wake);
        for (const signal of signals) signal.removeEventListener('abort', end);
      };
      const wake = (): void => {
        leave();
        resolve();
      };
      const end = (): void => {
        leave();
        reject(signals.find(signal => signal.aborted)?.reason);
      };
      const timer = setTimeout(wake, Math.min(Math.max(0, ms), LONGEST_MS));
      const called = heard === this.#calls ? undefined : setImmediate(wake);
      this.#wakes.add(wake);
      for (const signal of signals) signal.addEventListener('abort', end);
      if (signals.some(signal => signal.aborted)) end();
    });
  }
}

/** What `promise` comes to, or a rejection with the reason of the first signal that aborts; the promise itself goes on. */
export function unlessAborted<T>(promise: Promise<T>, signals: readonly AbortSignal[]): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      leave();
      reject(signals.find(signal => signal.aborted)?.reason);
    };
    const leave = (): void => {
      for (const signal of signals) signal.removeEventListener('abort', end);
    };
    for (const signal of signals) signal.addEventListener('abort', end);
    promise.then(resolve, reject).finally(leave);
    if (signals.some(signal => signal.aborted)) end();
  });
}
