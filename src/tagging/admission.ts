/**
 * Bounds the tokens in flight: whoever wants more waits its turn, first come, first served. One request larger than the limit is
 * admitted alone, so that nothing waits for ever. Invariant: in flight ≤ limit, or one request is in flight.
 */
export class Admission {
  readonly #limit: number;
  readonly #waiting: { readonly tokens: number; readonly admit: () => void }[] = [];
  #inFlight = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Resolves when the tokens may enter; `leave` must follow with the same number. */
  async enter(tokens: number): Promise<void> {
    if (this.#waiting.length === 0 && this.#fits(tokens)) {
      this.#inFlight += tokens;
      return;
    }
    await new Promise<void>(admit => this.#waiting.push({ tokens, admit }));
  }

  leave(tokens: number): void {
    this.#inFlight -= tokens;
    for (let next = this.#waiting[0]; next !== undefined && this.#fits(next.tokens); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#inFlight += next.tokens;
      next.admit();
    }
  }

  #fits(tokens: number): boolean {
    return this.#inFlight === 0 || this.#inFlight + tokens <= this.#limit;
  }
}
