/**
 * Bounds what is under way at once, in several units together: whoever does not fit waits its turn, first come, first served. A
 * request larger than a limit is admitted alone, so that nothing waits for ever. Invariant: within every limit, or one request
 * is under way.
 */
export type Amounts<Unit extends string> = Readonly<Record<Unit, number>>;

interface Waiting<Unit extends string> {
  readonly amounts: Amounts<Unit>;
  readonly admit: () => void;
}

export class Admission<Unit extends string> {
  readonly #limits: Amounts<Unit>;
  readonly #units: readonly Unit[];
  readonly #waiting: Waiting<Unit>[] = [];
  readonly #underWay: Record<Unit, number>;
  #requests = 0;

  constructor(limits: Amounts<Unit>) {
    this.#limits = limits;
    this.#units = Object.keys(limits) as Unit[];
    this.#underWay = Object.fromEntries(this.#units.map(unit => [unit, 0])) as Record<Unit, number>;
  }

  get underWay(): Amounts<Unit> {
    return this.#underWay;
  }

  /** Resolves when the amounts may enter; `leave` must follow with the same amounts. */
  async enter(amounts: Amounts<Unit>): Promise<void> {
    if (this.tryEnter(amounts)) return;
    await new Promise<void>(admit => this.#waiting.push({ amounts, admit }));
  }

  /** Whether the amounts entered at once; then `leave` must follow. Otherwise nothing has changed. */
  tryEnter(amounts: Amounts<Unit>): boolean {
    if (this.#waiting.length > 0 || !this.#fits(amounts)) return false;
    this.#take(amounts);
    return true;
  }

  leave(amounts: Amounts<Unit>): void {
    this.#requests--;
    for (const unit of this.#units) this.#underWay[unit] -= amounts[unit];
    for (let next = this.#waiting[0]; next !== undefined && this.#fits(next.amounts); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#take(next.amounts);
      next.admit();
    }
  }

  #take(amounts: Amounts<Unit>): void {
    this.#requests++;
    for (const unit of this.#units) this.#underWay[unit] += amounts[unit];
  }

  #fits(amounts: Amounts<Unit>): boolean {
    return (
      this.#requests === 0 || this.#units.every(unit => this.#underWay[unit] + amounts[unit] <= this.#limits[unit])
    );
  }
}
