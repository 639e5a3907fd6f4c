import type { CursorSealer } from '../../lib/cursor.ts';
import { FleetError } from '../../lib/errors.ts';
import type { BreakerMove } from '../guard/circuit.ts';

const WINDOW = 1_000;
const LIST = 'change:Breaker';

/** A move with its place in the feed. */
export interface PlacedMove {
  cursor: string;
  move: BreakerMove;
}

/** The moves of all breakers since this router started: resumable by cursor, as far back as the window reaches. */
export class BreakerFeed {
  #window: BreakerMove[] = [];
  #last = 0;
  readonly #waiting = new Set<() => void>();

  /** @param epoch of this start: positions begin anew with it */
  constructor(
    private readonly cursors: CursorSealer,
    private readonly epoch: string,
    private readonly capacity = WINDOW,
  ) {}

  record(move: BreakerMove): void {
    this.#last += 1;
    this.#window.push(move);
    if (this.#window.length > this.capacity) this.#window.shift();
    for (const wake of this.#waiting) wake();
  }

  /**
   * Where to begin.
   * @throws BAD_CURSOR for a forged one, RESUME_GAP when moves behind it are gone
   */
  positionAfter(after: string | null | undefined): number {
    if (after == null) return this.#last;
    const [epoch, position] = this.cursors.open(LIST, after) as [string, number];
    if (epoch !== this.epoch || position > this.#last || position < this.#oldest()) throw this.#gap();
    return position;
  }

  /** Every move behind a position, and those to come. @throws RESUME_GAP when a slow reader fell out of the window */
  movesAfter(position: number): AsyncIterableIterator<PlacedMove> {
    let at = position;
    let isDone = false;
    let wake: (() => void) | undefined;
    const next = async (): Promise<IteratorResult<PlacedMove>> => {
      while (!isDone) {
        if (at < this.#oldest()) throw this.#gap();
        const move = this.#window[at - this.#oldest()];
        if (move) {
          at += 1;
          return { value: { cursor: this.#seal(at), move }, done: false };
        }
        await new Promise<void>((resolve) => {
          wake = resolve;
          this.#waiting.add(resolve);
        });
        if (wake) this.#waiting.delete(wake);
      }
      return { value: undefined, done: true };
    };
    return {
      next,
      return: () => {
        isDone = true;
        wake?.();
        return Promise.resolve({ value: undefined, done: true });
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  /** The position before the oldest move that is kept. */
  #oldest(): number {
    return this.#last - this.#window.length;
  }

  #seal(position: number): string {
    return this.cursors.seal(LIST, [this.epoch, position]);
  }

  #gap(): FleetError {
    return new FleetError('RESUME_GAP', 'moves behind this cursor are gone: query router, then subscribe anew', {
      cursor: this.#seal(this.#oldest()),
    });
  }
}
