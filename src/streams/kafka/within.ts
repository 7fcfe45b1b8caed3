/** Waiting that ends: for goodbyes to a broker that may not answer any more. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Resolves when `goodbye` has settled, whichever way, or when `ms` milliseconds are over. */
export async function within(ms: number, goodbye: Promise<unknown>): Promise<void> {
  const timer = new AbortController();
  const late = sleep(ms, undefined, { signal: timer.signal }).catch(() => {});
  await Promise.race([goodbye.catch(() => {}), late]);
  timer.abort();
}
