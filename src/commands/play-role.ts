/** What every role of a process does around its work: it hears signals, says how it fares, and closes what it opened. */
import type { Telemetry } from '../telemetry/telemetry.ts';
import { aborted, onInterrupt } from './signals.ts';

/** What made it end: a signal, or that what was asked for is done. */
export type End = 'interrupted' | 'done';

export interface Stage {
  readonly telemetry: Telemetry;
  readonly interrupted: AbortSignal;
  /** What was opened last closes first; one that fails keeps none of the others open. */
  readonly closers: (() => Promise<void>)[];
}

/** Reports the role as stopped or failed when `work` ends. @throws what `work` throws. */
export async function playRole(role: string, telemetry: Telemetry, work: (stage: Stage) => Promise<End>): Promise<End> {
  const interrupt = onInterrupt();
  const closers: Stage['closers'] = [];
  try {
    const end = await work({ telemetry, interrupted: interrupt.signal, closers });
    telemetry.observe({ kind: 'role.state', role, state: 'stopped' });
    return end;
  } catch (error) {
    const { code } = error as { code?: unknown };
    telemetry.observe({ kind: 'role.state', role, state: 'failed', ...(typeof code === 'string' ? { code } : {}) });
    throw error;
  } finally {
    for (const close of closers.reverse()) await close().catch(() => {});
    interrupt.dispose();
  }
}

/** Which comes first: the signal, or one of what may end it. @throws what one of them rejects with. */
export function whatEnds(interrupted: AbortSignal, ends: readonly Promise<unknown>[]): Promise<End> {
  return Promise.race([
    aborted(interrupted).then((): End => 'interrupted'),
    ...ends.map(each => each.then((): End => 'done')),
  ]);
}
