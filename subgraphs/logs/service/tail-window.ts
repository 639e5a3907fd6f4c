import type { RowBlock, StoredGroup } from '../../../lib/telemetry-store/index.ts';
import { type LogRow, rowAt, type TailPlace } from '../store/index.ts';

const WINDOW_ROWS = 20_000;
const WINDOW_BYTES = 16 * 1024 * 1024;
/** Behind every row of a group. */
export const END = 2 ** 32 - 1;

/** A request's rows in a group; `rows` are read from the block once somebody looks at them. */
interface Part {
  stamp: number;
  firstSeq: number;
  block: RowBlock;
  rows: LogRow[];
}

/**
 * The newest durable rows, as they were inserted: without a reader they cost nothing but their bytes. Whole groups go when
 * there are too many.
 */
export class TailWindow {
  #parts: Part[] = [];
  #rows = 0;
  #bytes = 0;
  /** Rows above this stamp are all here. */
  #from = 0;

  /** Starts behind this stamp. */
  open(stamp: number): void {
    this.#from = stamp;
  }

  add({ stamp, batches }: StoredGroup<RowBlock>): void {
    let firstSeq = 0;
    for (const block of batches) {
      this.#parts.push({ stamp, firstSeq, block, rows: [] });
      firstSeq += block.ends.length;
      this.#bytes += block.bytes.length;
    }
    this.#rows += firstSeq;
    while (this.#rows > WINDOW_ROWS || this.#bytes > WINDOW_BYTES) this.#dropGroup();
  }

  /** Whether every row behind this place is here. */
  reaches({ stamp, seq }: TailPlace): boolean {
    return stamp > this.#from || (stamp === this.#from && seq === END);
  }

  /** Rows behind a place, in the order they became durable. */
  *behind({ stamp, seq }: TailPlace): Generator<LogRow> {
    for (let index = this.#indexOf(stamp); index < this.#parts.length; index += 1) {
      const part = this.#parts[index] as Part;
      const skipped = part.stamp === stamp ? seq + 1 - part.firstSeq : 0;
      for (let at = Math.max(0, skipped); at < part.block.ends.length; at += 1) {
        part.rows[at] ??= { ...rowAt(part.block, at), stamp: part.stamp, seq: part.firstSeq + at };
        yield part.rows[at] as LogRow;
      }
    }
  }

  /** Index of the first part with this stamp or a later one. */
  #indexOf(stamp: number): number {
    let [low, high] = [0, this.#parts.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#parts[middle] as Part).stamp < stamp) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #dropGroup(): void {
    const { stamp } = this.#parts[0] as Part;
    let count = 0;
    for (; this.#parts[count]?.stamp === stamp; count += 1) {
      const { block } = this.#parts[count] as Part;
      this.#rows -= block.ends.length;
      this.#bytes -= block.bytes.length;
    }
    this.#parts.splice(0, count);
    this.#from = stamp;
  }
}
