/** How sure a share is that was counted on few. */
import type { Interval } from './bootstrap.ts';

export interface Share {
  /** Of `of`; 0 where there is nothing to count. */
  readonly share: number;
  readonly of: number;
  /** 95 %, by Wilson's score; [0, 1] where there is nothing to count. */
  readonly interval: Interval;
}

const Z = 1.959964;

export function shareOf(part: number, of: number): Share {
  if (of === 0) return { share: 0, of, interval: { low: 0, high: 1 } };
  const share = part / of;
  const centre = (share + Z ** 2 / (2 * of)) / (1 + Z ** 2 / of);
  const half = (Z / (1 + Z ** 2 / of)) * Math.sqrt((share * (1 - share)) / of + Z ** 2 / (4 * of ** 2));
  return { share, of, interval: { low: Math.max(0, centre - half), high: Math.min(1, centre + half) } };
}
