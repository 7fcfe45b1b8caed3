/**
 * Bounds what is taken and not yet committed, over all partitions: records and their bytes. First come, first served; a record
 * larger than the limit is admitted alone. Invariant: within both limits, or one record is in flight.
 */

interface Waiting {
  readonly bytes: number;
  readonly admit: () => void;
}

export class InFlight {
  readonly #limits: { readonly records: number; readonly bytes: number };
  readonly #waiting: Waiting[] = [];
  #records = 0;
  #bytes = 0;

  constructor(limits: { readonly records: number; readonly bytes: number }) {
    this.#limits = limits;
  }

  get records(): number {
    return this.#records;
  }

  async enter(bytes: number): Promise<void> {
    if (this.#waiting.length === 0 && this.#fits(bytes)) this.#take(bytes);
    else await new Promise<void>(admit => this.#waiting.push({ bytes, admit }));
  }

  leave(bytes: number): void {
    this.#records--;
    this.#bytes -= bytes;
    for (let next = this.#waiting[0]; next !== undefined && this.#fits(next.bytes); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#take(next.bytes);
      next.admit();
    }
  }

  #take(bytes: number): void {
    this.#records++;
    this.#bytes += bytes;
  }

  #fits(bytes: number): boolean {
    return this.#records === 0 || (this.#records < this.#limits.records && this.#bytes + bytes <= this.#limits.bytes);
  }
}
