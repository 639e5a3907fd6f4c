/** What a history came to. */
export interface Found {
  subscribers: number;
  events: number;
  lost: number;
  repeated: number;
  disordered: number;
  /** The first few of what is wrong, for people. */
  examples: readonly string[];
}

const MAX_STEPS = 30;
const MAX_EXAMPLES = 5;

/** One subscriber's history: by node, a bit for each step it was told of. */
type Told = Map<string, number>;

/**
 * Holds what was written against what each subscriber was told: every step of every node once, in order
 * (docs/streams.md). A node's steps are numbered 0, 1, … as they were written.
 */
export class History {
  readonly #written: Told = new Map();
  readonly #told: Told[] = [];
  readonly #examples: string[] = [];
  #events = 0;
  #repeated = 0;
  #disordered = 0;

  /** @param subscribers numbered from 0 */
  constructor(subscribers: number) {
    for (let count = 0; count < subscribers; count += 1) this.#told.push(new Map());
  }

  /** A step that was acknowledged to its writer, so that every subscriber has to be told of it. */
  write(node: string, step: number): void {
    this.#written.set(node, (this.#written.get(node) ?? 0) | bit(step));
  }

  /** A step that one subscriber was told of. */
  tell(subscriber: number, node: string, step: number): void {
    const told = this.#told[subscriber];
    if (!told) throw new Error(`there is no subscriber ${subscriber}`);
    this.#events += 1;
    const before = told.get(node) ?? 0;
    if (before & bit(step)) {
      this.#repeated += 1;
      this.#note(`subscriber ${subscriber} was told twice of step ${step} of ${node}`);
    } else if (before >= bit(step)) {
      this.#disordered += 1;
      this.#note(`subscriber ${subscriber} was told of step ${step} of ${node} after a later one`);
    }
    told.set(node, before | bit(step));
  }

  /** Whether every subscriber was told of all that was written. */
  get isWhole(): boolean {
    for (const told of this.#told) {
      for (const [node, steps] of this.#written) if (steps & ~(told.get(node) ?? 0)) return false;
    }
    return true;
  }

  /** Steps written so far. */
  get written(): number {
    let sum = 0;
    for (const steps of this.#written.values()) sum += count(steps);
    return sum;
  }

  found(): Found {
    let lost = 0;
    for (const [subscriber, told] of this.#told.entries()) {
      for (const [node, steps] of this.#written) {
        const missing = count(steps & ~(told.get(node) ?? 0));
        if (missing > 0) this.#note(`subscriber ${subscriber} was not told of ${missing} steps of ${node}`);
        lost += missing;
      }
    }
    return {
      subscribers: this.#told.length,
      events: this.#events,
      lost,
      repeated: this.#repeated,
      disordered: this.#disordered,
      examples: this.#examples,
    };
  }

  #note(example: string): void {
    if (this.#examples.length < MAX_EXAMPLES) this.#examples.push(example);
  }
}

function bit(step: number): number {
  if (!Number.isInteger(step) || step < 0 || step >= MAX_STEPS) throw new Error(`${step} is no step`);
  return 1 << step;
}

function count(steps: number): number {
  let sum = 0;
  for (let rest = steps; rest !== 0; rest &= rest - 1) sum += 1;
  return sum;
}
