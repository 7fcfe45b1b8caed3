/** How long one waits in a queue by theory, to check the simulation by. */

export interface Queue {
  /** Sessions that work side by side. */
  readonly servers: number;
  /** Notes a second, at random times (Poisson). */
  readonly arrivalsPerSecond: number;
  /** Of one note on one server. */
  readonly meanServiceSeconds: number;
  /** Squared coefficient of variation of the service time: 0 always the same, 1 exponential. */
  readonly cv2: number;
}

/** Share of the servers' time that is worked; the queue grows without end from 1 on. */
export function utilisationOf({ servers, arrivalsPerSecond, meanServiceSeconds }: Omit<Queue, 'cv2'>): number {
  return (arrivalsPerSecond * meanServiceSeconds) / servers;
}

/** Erlang's C: the share of notes that must wait, M/M/c. @param offered load in servers, below their number. */
export function erlangC(servers: number, offered: number): number {
  // Erlang's B by its recursion, which never overflows
  let blocked = 1;
  for (let n = 1; n <= servers; n++) blocked = (offered * blocked) / (n + offered * blocked);
  return blocked / (1 - (offered / servers) * (1 - blocked));
}

/**
 * Mean seconds in the queue by Allen and Cunneen: exact for M/M/c and for M/G/1 (Pollaczek and Khinchine), an approximation for M/G/c.
 * @returns Infinity where the queue grows without end.
 */
export function meanWaitSeconds(queue: Queue): number {
  const { servers, arrivalsPerSecond, meanServiceSeconds, cv2 } = queue;
  if (utilisationOf(queue) >= 1) return Number.POSITIVE_INFINITY;
  const offered = arrivalsPerSecond * meanServiceSeconds;
  const markovian = (erlangC(servers, offered) * meanServiceSeconds) / (servers - offered);
  return (markovian * (1 + cv2)) / 2;
}
