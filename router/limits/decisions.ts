/** What was decided for one class of calls since the router started. */
export interface Decisions {
  admitted: number;
  refused: number;
  /** Admitted only because the class is in dry run. */
  wouldRefuse: number;
}

/** Routes, classes and the like: a small set; more than this share one line. */
const MAX_CLASSES = 200;

/** Counts by class, plain numbers: metrics read them when they are asked for. */
export class DecisionBook {
  readonly #classes = new Map<string, Decisions>();

  of(name: string): Decisions {
    const known = this.#classes.get(name);
    if (known) return known;
    if (this.#classes.size >= MAX_CLASSES && name !== '(others)') return this.of('(others)');
    const decisions = { admitted: 0, refused: 0, wouldRefuse: 0 };
    this.#classes.set(name, decisions);
    return decisions;
  }

  all(): IterableIterator<[string, Decisions]> {
    return this.#classes.entries();
  }
}
