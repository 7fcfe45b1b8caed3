/**
 * When notes arrive, in milliseconds from the start of a run, sorted. Made before the run and never moved by it: a generator that
 * waited for slow answers would leave out just those arrivals that had to queue (coordinated omission, Tene 2013).
 */

/** Uniform in [0, 1). */
export type Random = () => number;

/** Independent arrivals at one rate. @param rate notes a second. */
export function poisson(rate: number, seconds: number, random: Random): Float64Array {
  return byProfile([1], rate, seconds, random);
}

/**
 * Independent arrivals whose rate follows a profile, stretched over the run: a day in minutes. By thinning (Lewis and Shedler 1979).
 * @param shares of each stretch of the profile, in any unit. @param rate their mean, notes a second.
 */
export function byProfile(shares: readonly number[], rate: number, seconds: number, random: Random): Float64Array {
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  const peak = Math.max(...shares) / mean;
  if (!(rate > 0 && seconds > 0 && peak > 0)) throw new RangeError('arrivals need a rate and a time above 0');
  const at: number[] = [];
  for (let now = gap(rate * peak, random); now < seconds; now += gap(rate * peak, random)) {
    const share = shares[Math.floor((now / seconds) * shares.length)] ?? 0;
    if (random() * peak * mean < share) at.push(1000 * now);
  }
  return Float64Array.from(at);
}

/** Bursts of notes that arrive at the same moment, as when an interface engine is restarted; the bursts come independently. */
export function bursts(size: number, rate: number, seconds: number, random: Random): Float64Array {
  const starts = poisson(rate / size, seconds, random);
  return Float64Array.from([...starts].flatMap(start => Array<number>(size).fill(start)));
}

/** Seconds to the next arrival. */
export function gap(rate: number, random: Random): number {
  return -Math.log(1 - random()) / rate;
}
