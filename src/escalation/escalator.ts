/**
 * The escalator put together: teachers behind a breaker each provider, the desk that pays once, the chain, and the processor over
 * them. It pauses the flow of new notes while nobody can be asked about some task.
 */
import type { Observer } from '../core/facts.ts';
import type { Processor, Stop } from '../core/processor.ts';
import type { Task } from '../core/span.ts';
import type { Teacher } from '../teachers/teacher.ts';
import { type BreakerOptions, ProviderBreaker } from './breaker.ts';
import { Chain } from './chain.ts';
import { withDailyWarnings } from './daily-warnings.ts';
import { EscalatorProcessor, type EscalatorProcessorOptions } from './escalator-processor.ts';
import type { Ground } from './merge.ts';
import { type DeskOptions, RequestDesk } from './request-desk.ts';
import { WaitingRoom } from './waiting-room.ts';

export interface EscalatorOptions
  extends Omit<EscalatorProcessorOptions, 'chain'>,
    Pick<DeskOptions, 'directory' | 'limits' | 'replyRetentionMs' | 'requestMs' | 'graceMs' | 'newId'> {
  /** In order, for each task that may be asked about. */
  readonly teachers: ReadonlyMap<Task, readonly Teacher[]>;
  readonly ground: Ground;
  readonly breaker: Pick<BreakerOptions, 'failurePercent' | 'minimumRequests' | 'windowMs' | 'resetMs'>;
  /** Requests to one provider at once. */
  readonly concurrency: number;
}

/** What brings notes, and can hold them back. */
export interface Flow {
  pause(): void;
  resume(): void;
}

const HOUR_MS = 3_600_000;

export class Escalator {
  readonly processor: Processor;
  readonly #observe: Observer;
  readonly #breakers: ReadonlyMap<string, ProviderBreaker>;
  readonly #desk: RequestDesk;
  readonly #chain: Chain;
  readonly #room = new WaitingRoom();
  /** While notes are held back nothing else may keep the process. */
  #alive: NodeJS.Timeout | undefined;
  #flow: Flow | undefined;
  #blocked = false;
  #closed: Promise<void> | undefined;

  /** @throws EscalationError when its state cannot be opened. */
  constructor(given: EscalatorOptions) {
    const options = { ...given, observe: withDailyWarnings(given.observe, given.now) };
    const { teachers, observe } = options;
    this.#observe = observe;
    this.#desk = new RequestDesk({ ...options, onSettled: () => this.#room.wakeAll() });
    const providers = new Set([...teachers.values()].flat().map(({ provider }) => provider));
    this.#breakers = new Map(
      [...providers].map(provider => [
        provider,
        new ProviderBreaker({ ...options, ...options.breaker, provider, onChange: () => this.#changed() }),
      ]),
    );
    for (const provider of providers) observe({ kind: 'breaker.changed', provider, state: 'closed' });
    this.#chain = new Chain({
      ...options,
      breakers: this.#breakers,
      desk: this.#desk,
      room: this.#room,
      onDisabled: () => this.#changed(),
    });
    this.processor = new EscalatorProcessor({ ...options, chain: this.#chain });
  }

  /** Holds the flow back while nobody can be asked. */
  govern(flow: Flow): void {
    this.#flow = flow;
    if (this.#blocked) flow.pause();
  }

  /** For after the run: ends requests under way and closes the files. */
  readonly close: Stop = () => {
    this.#closed ??= (async () => {
      clearInterval(this.#alive);
      for (const breaker of this.#breakers.values()) breaker.close();
      await this.#desk.close();
    })();
    return this.#closed;
  };

  #changed(): void {
    const { blocked } = this.#chain;
    if (blocked !== this.#blocked) {
      this.#blocked = blocked;
      this.#observe({ kind: 'fallback.blocked', blocked });
      clearInterval(this.#alive);
      if (blocked) this.#alive = setInterval(() => {}, HOUR_MS);
      if (blocked) this.#flow?.pause();
      else this.#flow?.resume();
    }
    this.#room.wakeAll();
  }
}
