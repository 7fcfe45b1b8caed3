/**
 * Whom the minute's limits make wait, first come, first served, so that a long note does not wait for ever while short ones take what
 * comes free. A place is a note's task for as long as it is undecided, and keeps its turn between its requests; it stands in the way of
 * those behind it only while the minute is all that it waits for. Of this process alone: others that share the budget have lines of
 * their own, and what they take is taken. The first, which by itself is let in within a minute, may find it full for longer only for
 * their sake, and then holds nobody any more.
 */
const LONGEST_HOLD_MS = 120_000;

export interface Place {
  /** Whether nobody before it stands: whoever is not there yet would come last. */
  readonly first: boolean;
  /** Whether it ever stood: it has a turn. */
  readonly inLine: boolean;
  /** It waits for the minute: those behind it wait for it. @param fullAt for the first, which the minute has no room for at that time. */
  stand(fullAt?: number): void;
  /** It waits for something else, or is answered: those behind it may go before it. */
  stepAside(): void;
  /** It waits for nothing any more. */
  leave(): void;
}

export class MinuteLine {
  /** In their order; whether it stands. */
  readonly #places = new Map<Place, boolean>();
  readonly #onMove: () => void;

  /** @param onMove one that stood does not: who stands behind it may be the first. */
  constructor(onMove: () => void) {
    this.#onMove = onMove;
  }

  /** A place for one that may have to wait; it comes into the line when it first does. */
  place(): Place {
    const [isFirst, isInLine] = [() => this.#isFirst(place), () => this.#places.has(place)];
    let fullSince: number | undefined;
    const place: Place = {
      get first() {
        return isFirst();
      },
      get inLine() {
        return isInLine();
      },
      stand: fullAt => {
        if (fullAt !== undefined) fullSince = Math.min(fullAt, fullSince ?? fullAt);
        const tooLong = fullAt !== undefined && fullAt - (fullSince ?? fullAt) >= LONGEST_HOLD_MS;
        const stood = this.#places.get(place) === true;
        this.#places.set(place, !tooLong);
        if (stood && tooLong) this.#onMove();
      },
      stepAside: () => {
        if (this.#places.get(place) !== true) return;
        fullSince = undefined;
        this.#places.set(place, false);
        this.#onMove();
      },
      leave: () => {
        const stood = this.#places.get(place) === true;
        this.#places.delete(place);
        if (stood) this.#onMove();
      },
    };
    return place;
  }

  #isFirst(place: Place): boolean {
    for (const [each, stands] of this.#places) {
      if (each === place) return true;
      if (stands) return false;
    }
    return true;
  }
}
