/**
 * A group of consumers, note by note: partitions belong to replicas, each replica reads its notes in order of arrival with several
 * sessions side by side, and a replica may die. Every note that arrives is served once, however long it waits.
 */

export interface Fleet {
  readonly replicas: number;
  /** Sessions of each. */
  readonly servers: number;
  /** Share of the notes on each partition, all together 1; partition `i` belongs to replica `i % replicas`. */
  readonly shares: Float64Array;
}

/** Replica 0 dies in the middle of its notes. */
export interface Loss {
  /** Seconds, as arrivals. */
  readonly at: number;
  /** Until the group knows. What the replica had not committed waits for so long, and so does what arrives on its partitions. */
  readonly noticedAfter: number;
  /** While the group deals the partitions out anew, nobody begins a note. */
  readonly gap: number;
}

export interface SimulationOptions {
  readonly fleet: Fleet;
  /** Seconds, rising. */
  readonly arrivals: Iterable<number>;
  /** Seconds that the next note takes on one session. */
  readonly service: () => number;
  /** Uniform in [0, 1): which partition. */
  readonly random: () => number;
  readonly loss?: Loss;
}

export interface Served {
  /** When each note arrived; each stands here once, in no particular order. */
  readonly arrivals: Float64Array;
  /** Seconds from its arrival to its beginning, of the attempt that was committed; index as `arrivals`. */
  readonly waits: Float64Array;
  readonly partitions: Int32Array;
}

/** @throws RangeError where nobody is left to take over. */
export function simulate({ fleet, arrivals, service, random, loss }: SimulationOptions): Served {
  if (loss !== undefined && fleet.replicas < 2) throw new RangeError('nobody is left to take the partitions over');
  const group = new Group(fleet);
  const pick = picker(fleet.shares, random);
  const served = new Samples();
  /** Notes of the replica that dies which it did not finish, and those that came for it since; by arrival. */
  let waiting: { readonly at: number; readonly partition: number; readonly seconds: number }[] = [];
  let takenOver = loss === undefined;
  const takeOver = ({ at, noticedAfter, gap }: Loss): void => {
    takenOver = true;
    const again = at + noticedAfter + gap;
    group.dealOutWithout(LOST, again);
    for (const { at: arrived, partition, seconds } of waiting)
      served.add({ at: arrived, wait: group.begin(partition, again, seconds) - arrived, partition });
    waiting = [];
  };
  for (const at of arrivals) {
    if (loss !== undefined && !takenOver && at >= loss.at + loss.noticedAfter) takeOver(loss);
    const partition = pick();
    const seconds = service();
    if (loss !== undefined && !takenOver && group.ownerOf(partition) === LOST) {
      const began = at < loss.at ? group.begin(partition, at, seconds) : Number.POSITIVE_INFINITY;
      if (began + seconds > loss.at) waiting.push({ at, partition, seconds });
      else served.add({ at, wait: began - at, partition });
      continue;
    }
    served.add({ at, wait: group.begin(partition, at, seconds) - at, partition });
  }
  if (loss !== undefined && !takenOver) takeOver(loss);
  return served.take();
}

const LOST = 0;

/** Whose partition is whose, and when each session is free again. */
class Group {
  readonly #owners: Int32Array;
  /** Row-major [replicas × servers], seconds. */
  readonly #free: Float64Array;
  readonly #servers: number;
  readonly #replicas: number;

  constructor({ replicas, servers, shares }: Fleet) {
    this.#owners = Int32Array.from(shares, (_, partition) => partition % replicas);
    this.#free = new Float64Array(replicas * servers).fill(Number.NEGATIVE_INFINITY);
    this.#servers = servers;
    this.#replicas = replicas;
  }

  ownerOf(partition: number): number {
    return this.#owners[partition] as number;
  }

  /** The session of its replica that is free first takes it. @returns when it begins. */
  begin(partition: number, from: number, seconds: number): number {
    const first = this.ownerOf(partition) * this.#servers;
    let best = first;
    for (let i = first + 1; i < first + this.#servers; i++)
      if ((this.#free[i] as number) < (this.#free[best] as number)) best = i;
    const began = Math.max(from, this.#free[best] as number);
    this.#free[best] = began + seconds;
    return began;
  }

  /** Its partitions go to the others in turn, and nobody begins anything before `again`. */
  dealOutWithout(lost: number, again: number): void {
    let turn = 0;
    for (let partition = 0; partition < this.#owners.length; partition++) {
      if (this.#owners[partition] !== lost) continue;
      const other = turn++ % (this.#replicas - 1);
      this.#owners[partition] = other < lost ? other : other + 1;
    }
    for (let i = 0; i < this.#free.length; i++) this.#free[i] = Math.max(this.#free[i] as number, again);
  }
}

/** Draws a partition by its share, by bisection of the running sum. */
function picker(shares: Float64Array, random: () => number): () => number {
  const upTo = new Float64Array(shares.length);
  let sum = 0;
  for (let i = 0; i < shares.length; i++) {
    sum += shares[i] as number;
    upTo[i] = sum;
  }
  return () => {
    const point = random() * sum;
    let [low, high] = [0, upTo.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((upTo[middle] as number) > point) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}

/** Grows as needed: millions of notes fit where millions of objects would not. */
class Samples {
  #arrivals = new Float64Array(1024);
  #waits = new Float64Array(1024);
  #partitions = new Int32Array(1024);
  #count = 0;

  add({ at, wait, partition }: { at: number; wait: number; partition: number }): void {
    if (this.#count === this.#arrivals.length) this.#grow();
    this.#arrivals[this.#count] = at;
    this.#waits[this.#count] = wait;
    this.#partitions[this.#count++] = partition;
  }

  take(): Served {
    return {
      arrivals: this.#arrivals.subarray(0, this.#count),
      waits: this.#waits.subarray(0, this.#count),
      partitions: this.#partitions.subarray(0, this.#count),
    };
  }

  #grow(): void {
    const [arrivals, waits, partitions] = [this.#arrivals, this.#waits, this.#partitions];
    this.#arrivals = new Float64Array(2 * this.#count);
    this.#waits = new Float64Array(2 * this.#count);
    this.#partitions = new Int32Array(2 * this.#count);
    this.#arrivals.set(arrivals);
    this.#waits.set(waits);
    this.#partitions.set(partitions);
  }
}
