/**
 * What happens in the demo of the fallback, from facts alone: one plain line for each thing worth seeing, with the seconds since the
 * start, and a way to wait until something has happened. Facts of one turn of the event loop share a line.
 */
import type { BreakerState, Fact } from '../core/facts.ts';

export interface WatchOptions {
  readonly quiet: boolean;
  readonly stream: NodeJS.WritableStream;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
}

/** Counted since the start. */
export interface Seen {
  tagged: number;
  escalated: number;
  taken: number;
  /** Escalations that came to an end: revised, reviewed or dead-lettered. */
  ended: number;
  revised: number;
  reviewed: number;
  breaker: BreakerState;
  /** Requests that tried whether the provider is well again, and found that it is not. */
  failedProbes: number;
  /** US dollars counted against today's budget; simulated, as the usage that they are computed from. */
  usdToday: number;
}

export class Watch {
  readonly seen: Seen = {
    tagged: 0,
    escalated: 0,
    taken: 0,
    ended: 0,
    revised: 0,
    reviewed: 0,
    breaker: 'closed',
    failedProbes: 0,
    usdToday: 0,
  };
  readonly #options: WatchOptions;
  readonly #began: number;
  readonly #looks = new Set<() => void>();
  /** Outcomes of requests that were told already. */
  readonly #told = new Set<string>();
  #line: string[] = [];

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#began = options.now();
  }

  say(text: string): void {
    if (this.#options.quiet) return;
    const seconds = ((this.#options.now() - this.#began) / 1000).toFixed(1);
    this.#options.stream.write(`${seconds.padStart(6)} s  ${text}\n`);
  }

  /** Resolves once `condition` holds; facts are what makes it look. */
  until(condition: (seen: Seen) => boolean): Promise<void> {
    return new Promise(resolve => {
      const look = (): void => {
        if (!condition(this.seen)) return;
        this.#looks.delete(look);
        resolve();
      };
      this.#looks.add(look);
      look();
    });
  }

  readonly observe = (fact: Fact): void => {
    this.#count(fact);
    const words = this.#words(fact);
    if (words !== undefined) this.#together(words);
    for (const look of [...this.#looks]) look();
  };

  #count(fact: Fact): void {
    const { seen } = this;
    if (fact.kind === 'note.tagged') seen.tagged++;
    else if (fact.kind === 'note.escalated') seen.escalated++;
    else if (fact.kind === 'escalation.taken') seen.taken++;
    else if (fact.kind === 'budget.used') seen.usdToday = fact.usdToday;
    else if (fact.kind === 'escalation.ended') {
      // one that is given back is taken again
      if (fact.outcome === 'given-back') seen.taken--;
      else seen.ended++;
      if (fact.outcome === 'revised') seen.revised++;
      if (fact.outcome === 'reviewed') seen.reviewed++;
    }
  }

  #words(fact: Fact): string | undefined {
    if (fact.kind === 'breaker.changed') return this.#breaker(fact.provider, fact.state);
    if (fact.kind === 'fallback.blocked')
      return fact.blocked ? "the escalator's partitions pause" : "the escalator's partitions resume";
    if (fact.kind === 'escalation.ended' && fact.outcome === 'reviewed') {
      return this.#first(`a note goes to review: ${fact.reason}`);
    }
    if (fact.kind !== 'teacher.asked') return undefined;
    const { teacher, task, outcome } = fact;
    if (this.#first(outcome) === undefined) return undefined;
    return `${teacher}, asked about ${task}: ${outcome} (simulated)`;
  }

  #breaker(provider: string, state: BreakerState): string | undefined {
    const before = this.seen.breaker;
    this.seen.breaker = state;
    if (state === 'half-open') return `provider ${provider}: breaker half-open, one waiting note may try`;
    if (before !== 'half-open') return state === 'open' ? `provider ${provider}: breaker open` : undefined;
    if (state === 'closed') return `provider ${provider}: that note was answered (simulated), breaker closed`;
    this.seen.failedProbes++;
    return `provider ${provider}: that note was not answered, breaker open again`;
  }

  #first(words: string): string | undefined {
    if (this.#told.has(words)) return undefined;
    this.#told.add(words);
    return words;
  }

  #together(words: string): void {
    this.#line.push(words);
    if (this.#line.length > 1) return;
    queueMicrotask(() => {
      this.say(this.#line.join('; '));
      this.#line = [];
    });
  }
}
