/** The escalator put together: the processor over a chain of teachers. It pauses the flow of new notes while nobody can be asked about some task. */
import type { Observer } from '../core/facts.ts';
import type { Processor, Stop } from '../core/processor.ts';
import { withDailyWarnings } from './daily-warnings.ts';
import { EscalatorProcessor, type EscalatorProcessorOptions } from './escalator-processor.ts';
import { type OpenChain, type OpenChainOptions, openChain } from './open-chain.ts';

export type EscalatorOptions = Omit<EscalatorProcessorOptions, 'chain'> & Omit<OpenChainOptions, 'onChange'>;

/** What brings notes, and can hold them back. */
export interface Flow {
  pause(): void;
  resume(): void;
}

const HOUR_MS = 3_600_000;

export class Escalator {
  readonly processor: Processor;
  readonly #observe: Observer;
  readonly #asked: OpenChain;
  /** While notes are held back nothing else may keep the process. */
  #alive: NodeJS.Timeout | undefined;
  #flow: Flow | undefined;
  #blocked = false;
  #closed: Promise<void> | undefined;

  /** @throws EscalationError when its state cannot be opened. */
  constructor(given: EscalatorOptions) {
    const options = { ...given, observe: withDailyWarnings(given.observe, given.now) };
    this.#observe = options.observe;
    this.#asked = openChain({ ...options, onChange: () => this.#changed() });
    this.processor = new EscalatorProcessor({ ...options, chain: this.#asked.chain });
  }

  /** Holds the flow back while nobody can be asked. */
  govern(flow: Flow): void {
    this.#flow = flow;
    if (this.#blocked) flow.pause();
  }

  /** For after the run: leaves requests under way their grace, ends them, and closes the files. */
  readonly close: Stop = () => {
    this.#closed ??= (async () => {
      clearInterval(this.#alive);
      await this.#asked.close();
    })();
    return this.#closed;
  };

  #changed(): void {
    const { blocked } = this.#asked.chain;
    if (blocked === this.#blocked) return;

    this.#blocked = blocked;
    this.#observe({ kind: 'fallback.blocked', blocked });
    clearInterval(this.#alive);
    if (blocked) this.#alive = setInterval(() => {}, HOUR_MS);
    if (blocked) this.#flow?.pause();
    else this.#flow?.resume();
  }
}
