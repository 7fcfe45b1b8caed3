/** SIGINT and SIGTERM as one abort: the first asks for an orderly end, a second one insists. */

export interface Interrupt {
  readonly signal: AbortSignal;
  /** Gives the signals back. */
  dispose(): void;
}

export function onInterrupt(): Interrupt {
  const controller = new AbortController();
  const handle = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) process.exit(name === 'SIGINT' ? 130 : 143);
    controller.abort();
  };
  process.on('SIGINT', handle).on('SIGTERM', handle);
  return {
    signal: controller.signal,
    dispose: () => void process.off('SIGINT', handle).off('SIGTERM', handle),
  };
}

/** What ends work by a signal before it is done: no failure, and nothing to report. */
export class Interrupted extends Error {}

/** Resolves when the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Rejects with Interrupted when the signal is aborted: to be raced against work that does not look at the signal itself. */
export function interruption(signal: AbortSignal): Promise<never> {
  const interrupted = aborted(signal).then(() => Promise.reject(new Interrupted()));
  interrupted.catch(() => {}); // it may come before anyone waits for it
  return interrupted;
}

/** What to throw on: Interrupted for what the abort itself ended. Any other error is to be told, also once a signal has come. */
export function orInterrupted(error: unknown, signal: AbortSignal): unknown {
  const byAbort = error === signal.reason || (error instanceof Error && error.name === 'AbortError');
  return signal.aborted && byAbort ? new Interrupted() : error;
}
