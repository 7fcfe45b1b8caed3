/** A signal for one request: `fetch` and the providers' clients leave listeners on the signal that they get, and the caller's may live for months. */

/** Aborts with `signal`, of which nothing is kept once `ask` has settled. */
export async function withOwnSignal<T>(signal: AbortSignal, ask: (own: AbortSignal) => Promise<T>): Promise<T> {
  const own = new AbortController();
  const abort = () => own.abort(signal.reason);
  // a signal that has aborted already tells nobody
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await ask(own.signal);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
