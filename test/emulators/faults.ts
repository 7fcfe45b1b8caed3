/** Everything that a provider is known to do wrong, as data: which fault a request meets is decided by its text, then by a schedule, then by seeded rates. */
import { seededUnit } from './random.ts';

export const FAULTS = [
  'none',
  /** Takes the request and never answers. */
  'hang',
  /** Answers a few bytes at a time. */
  'crawl',
  /** Asks to wait, in seconds, until a date, in milliseconds. */
  'busy-seconds',
  'busy-date',
  'busy-ms',
  'unpaid',
  'error-500',
  'error-503',
  /** 200, and the failure in the body: a router's, where a model failed or was busy after it had begun. */
  'error-in-200',
  'busy-in-200',
  /** 200, and an error in no shape that its protocol knows. */
  'odd-error-in-200',
  /** Closes the connection in the middle of the body, or before any byte of it. */
  'cut',
  'slam',
  'redirect',
  /** 400 for this request, and the message repeats all of it. */
  'rejected',
  /** The protocol's own JSON is broken. */
  'bad-envelope',
  /** The model's answer is broken. */
  'bad-json',
  'wrong-schema',
  'empty-choices',
  'empty-text',
  'refusal',
  'length',
  'content-filter',
  /** Quotes that stand nowhere in the note. */
  'invented',
  /** A model that did what the note told it to. */
  'obeyed',
  /** A model that quotes what it was told, example and all, in the place of the note. */
  'echoed',
] as const;

export type Fault = (typeof FAULTS)[number];

export interface FaultPlan {
  /** Before all else, for requests about a text that contains the key, in order of arrival; afterwards they meet none. */
  readonly about?: Readonly<Record<string, readonly Fault[]>>;
  /** For the requests in order of arrival; the last does not repeat. */
  readonly schedule?: readonly Fault[];
  /** Once the schedule is over: the share of requests that meet each fault, at most 1 in all. */
  readonly rates?: Readonly<Partial<Record<Fault, number>>>;
  readonly seed?: number;
}

export class Faults {
  #about = new Map<string, Fault[]>();
  #schedule: Fault[] = [];
  #rates: FaultPlan['rates'] = {};
  #seed = 1;
  #drawn = 0;

  constructor(plan: FaultPlan = {}) {
    this.set(plan);
  }

  /** Replaces the plan; an empty one means no more faults. */
  set({ about = {}, schedule = [], rates = {}, seed = 1 }: FaultPlan): void {
    for (const fault of [...Object.values(about).flat(), ...schedule, ...Object.keys(rates)]) {
      if (!(FAULTS as readonly string[]).includes(fault)) throw new RangeError(`there is no fault ${fault}`);
    }
    this.#about = new Map(Object.entries(about).map(([key, faults]) => [key, [...faults]]));
    this.#schedule = [...schedule];
    this.#rates = rates;
    this.#seed = seed;
    this.#drawn = 0;
  }

  next(text = ''): Fault {
    for (const [key, faults] of this.#about) if (text.includes(key)) return faults.shift() ?? 'none';
    const scheduled = this.#schedule.shift();
    if (scheduled !== undefined) return scheduled;
    let left = seededUnit(`${this.#seed} ${this.#drawn++}`);
    for (const [fault, rate] of Object.entries(this.#rates ?? {})) {
      left -= rate;
      if (left < 0) return fault as Fault;
    }
    return 'none';
  }
}
