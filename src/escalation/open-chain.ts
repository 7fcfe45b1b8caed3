/** Teachers ready to be asked: a breaker each provider, the desk that pays once, and over them the chain that decides. */
import type { Stop } from '../core/processor.ts';
import type { RequestKey } from '../teachers/teacher.ts';
import { type BreakerOptions, ProviderBreaker } from './breaker.ts';
import { Chain, type ChainOptions } from './chain.ts';
import type { StoredReply } from './reply-store.ts';
import { type DeskOptions, RequestDesk } from './request-desk.ts';
import { WaitingRoom } from './waiting-room.ts';

export interface OpenChainOptions
  extends Pick<ChainOptions, 'teachers' | 'ground' | 'now' | 'observe'>,
    Omit<DeskOptions, 'onSettled'> {
  readonly breaker: Pick<BreakerOptions, 'failurePercent' | 'minimumRequests' | 'windowMs' | 'resetMs'>;
  /** Requests to one provider at once. */
  readonly concurrency: number;
  /** A breaker changed, or a teacher was given up; whether the chain is blocked may have changed. */
  readonly onChange: () => void;
}

export interface OpenChain {
  readonly chain: Chain;
  /** The reply that is there already, so that asking again costs nothing. */
  stored(key: RequestKey): StoredReply | undefined;
  /** US dollars counted in its folder on all days, those of requests under way included. */
  usdInAll(): number;
  /** Leaves requests under way their grace, ends them, and closes the files. */
  readonly close: Stop;
}

/** @throws EscalationError when its state cannot be opened. */
export function openChain(options: OpenChainOptions): OpenChain {
  const { teachers, observe, onChange } = options;
  const room = new WaitingRoom();
  const desk = new RequestDesk({ ...options, onSettled: () => room.wakeAll() });
  const changed = (): void => {
    onChange();
    room.wakeAll();
  };
  const providers = new Set([...teachers.values()].flat().map(({ provider }) => provider));
  const breakers = new Map(
    [...providers].map(provider => [
      provider,
      new ProviderBreaker({ ...options, ...options.breaker, provider, onChange: changed }),
    ]),
  );
  for (const provider of providers) observe({ kind: 'breaker.changed', provider, state: 'closed' });
  return {
    chain: new Chain({ ...options, breakers, desk, room, onDisabled: changed }),
    stored: key => desk.stored(key),
    usdInAll: () => desk.usdInAll(),
    close: () => {
      for (const breaker of breakers.values()) breaker.close();
      return desk.close();
    },
  };
}
