import type { CursorSealer } from '../cursor.ts';

/** Stretches of `seq`, both ends in it, rising. */
type Stretches = readonly (readonly [number, number])[];

/**
 * A place in a stream: what a cursor says. Beside the position it knows which events behind it were shown by the page it comes
 * from: they were committed when that was read, and had no position yet. They get theirs in the order of `seq`
 * (STREAMS.md 1.2), so that the next of them is always the lowest.
 */
export class Place {
  #shown: [number, number][];

  constructor(
    readonly epoch: string,
    public position: number,
    shown: Stretches = [],
  ) {
    this.#shown = shown.map(([from, to]) => [from, to]);
  }

  /** @throws BAD_CURSOR for a forged one or one of another stream */
  static open(cursors: CursorSealer, type: string, cursor: string): Place {
    const [epoch, position, shown] = cursors.open(`change:${type}`, cursor) as [string, number, Stretches?];
    return new Place(epoch, position, shown);
  }

  seal(cursors: CursorSealer, type: string): string {
    const { epoch, position } = this;
    return cursors.seal(`change:${type}`, this.#shown.length ? [epoch, position, this.#shown] : [epoch, position]);
  }

  /** Goes on to the next event. @returns whether it was shown before */
  pass({ position, seq }: { position: number; seq: number }): boolean {
    this.position = position;
    const [first] = this.#shown;
    if (first?.[0] !== seq) return false;
    if (first[1] === seq) this.#shown.shift();
    else first[0] += 1;
    return true;
  }
}
