/**
 * One provider's health, by opossum. Only a fault of the provider counts as failure: not a request to wait (429), nor an answer
 * that cannot be used, nor a wrong key. While it is open nothing is sent; after `resetMs` one waiting request may try, and what
 * becomes of it decides. Requests at once are bounded here, so that one hanging provider takes no slot of another. How long it asks to
 * wait is believed within bounds: a wrong number, or a clock that was set back, must not stop the fallback for a day.
 */
import CircuitBreaker from 'opossum';
import { Admission } from '../core/admission.ts';
import type { BreakerState, Observer } from '../core/facts.ts';
import { TeacherError } from '../teachers/teacher-error.ts';

export interface BreakerOptions {
  readonly provider: string;
  /** Opens when more than this share of the requests in the window failed, in percent … */
  readonly failurePercent: number;
  /** … and there were at least so many. */
  readonly minimumRequests: number;
  /** How far back requests count; longer where so many timeouts, so many at once, take longer: see `windowOf`. */
  readonly windowMs: number;
  /** From open to the first try. */
  readonly resetMs: number;
  /** The longest that a request takes. */
  readonly requestMs: number;
  /** Requests to the provider at once. */
  readonly concurrency: number;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  readonly observe: Observer;
  /** The state changed: who waits may look again. */
  readonly onChange: () => void;
}

/** Waits for a provider that is busy and does not say how long, or says too little again and again. */
const BUSY_MS = { first: 1_000, most: 60_000 };
/** No provider is left alone for longer, whatever it asks. */
const LONGEST_WAIT_MS = 600_000;

export class ProviderBreaker {
  readonly provider: string;
  readonly admission: Admission<'requests'>;
  readonly #options: BreakerOptions;
  readonly #circuit: CircuitBreaker<[() => Promise<unknown>], unknown>;
  #busyUntil = 0;
  #busyInARow = 0;
  #answers = 0;

  constructor(options: BreakerOptions) {
    this.#options = options;
    this.provider = options.provider;
    this.admission = new Admission({ requests: options.concurrency });
    this.#circuit = new CircuitBreaker((work: () => Promise<unknown>) => work(), {
      name: options.provider,
      // the request's own signal ends it for real; a timeout here would only stop looking
      timeout: false,
      errorThresholdPercentage: options.failurePercent,
      volumeThreshold: options.minimumRequests,
      rollingCountTimeout: windowOf(options),
      resetTimeout: options.resetMs,
      errorFilter: (error: unknown) => !(error instanceof TeacherError && error.fault === 'provider'),
      enableSnapshots: false,
      rollingPercentilesEnabled: false,
    });
    const changed = (state: BreakerState): void => {
      options.observe({ kind: 'breaker.changed', provider: options.provider, state });
      options.onChange();
    };
    this.#circuit.on('open', () => changed('open'));
    this.#circuit.on('close', () => changed('closed'));
    this.#circuit.on('halfOpen', () => changed('half-open'));
  }

  get state(): BreakerState {
    if (this.#circuit.opened) return 'open';
    return this.#circuit.halfOpen ? 'half-open' : 'closed';
  }

  /** Whether a request may be sent now. */
  get ready(): boolean {
    const permitted = this.#circuit.closed || (this.#circuit.halfOpen && this.#circuit.pendingClose);
    return permitted && this.busyUntil <= this.#options.now();
  }

  /** When it is worth looking again, if no change of state comes first; milliseconds since the Unix epoch. */
  get busyUntil(): number {
    // the clock may have been set back since
    this.#busyUntil = Math.min(this.#busyUntil, this.#options.now() + LONGEST_WAIT_MS);
    return this.#busyUntil;
  }

  /** How many requests it has answered, be it with something that cannot be used: whether it is well for others. */
  get answers(): number {
    return this.#answers;
  }

  /** Call only when `ready`, with nothing awaited in between. @throws what `work` throws. */
  async call<T>(work: () => Promise<T>): Promise<T> {
    try {
      const result = (await this.#circuit.fire(work)) as T;
      this.#busyInARow = 0;
      this.#answers++;
      return result;
    } catch (error) {
      if (error instanceof TeacherError && error.fault === 'busy') this.#waitAWhile(error.retryAfterMs);
      if (error instanceof TeacherError && error.fault === 'reply') this.#answers++;
      throw error;
    }
  }

  /** Nothing is reported any more, and its timers end. */
  close(): void {
    this.#circuit.shutdown();
  }

  #waitAWhile(retryAfterMs: number | undefined): void {
    const now = this.#options.now();
    // of several requests that were out together only the first says that the last wait was too short
    if (this.busyUntil <= now) this.#busyInARow++;
    const growing = Math.min(BUSY_MS.first * 2 ** (this.#busyInARow - 1), BUSY_MS.most);
    const asked = waitAsAsked(retryAfterMs) ?? growing;
    // the first time it is believed; what it says after that wait was too short
    const ms = this.#busyInARow === 1 ? asked : Math.max(asked, growing);
    this.#busyUntil = Math.max(this.#busyUntil, now + ms);
    this.#options.observe({ kind: 'provider.busy', provider: this.provider, ms });
  }
}

/** What a provider asks to wait, within bounds; undefined when it says nothing that can be used. */
export function waitAsAsked(retryAfterMs: number | undefined): number | undefined {
  if (retryAfterMs === undefined || Number.isNaN(retryAfterMs)) return undefined;
  return Math.min(Math.max(0, retryAfterMs), LONGEST_WAIT_MS);
}

/**
 * Long enough for `minimumRequests` requests that hang, `concurrency` at once, and one more round: a shorter window would have
 * forgotten the first before the last had failed, and never open.
 */
function windowOf({ windowMs, requestMs, minimumRequests, concurrency }: BreakerOptions): number {
  return Math.max(windowMs, requestMs * (Math.ceil(minimumRequests / concurrency) + 1));
}
