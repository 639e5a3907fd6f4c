import type { TelemetryStore } from './index.ts';
import { InsertQueue, type InsertQueueOptions, type Numbered, type StoredGroup } from './insert-queue.ts';
import type { RowBlock, RowWriter } from './row-binary.ts';

export interface BlockInserterOptions extends InsertQueueOptions {
  store: TelemetryStore;
  /** Table and columns; the last three are `stamp UInt64`, `seq UInt32` and `batch UInt64`. */
  into: string;
  /** The columns with their types, as the blocks have them: `time UInt64, body String, …`. */
  columns: string;
  /** The engine gives up an insert after this, milliseconds. */
  insertTimeoutMs?: number;
  /** Told of each durable group, before its requests are answered. */
  onGroup?(group: StoredGroup<RowBlock>): void;
}

/** What stamp, seq and batch take at the end of each row, bytes. */
export const PLACE_BYTES = 20;

/** Room for the place of a row, which is known only when its group is stored; ends the row. */
export function endPlacedRow(writer: RowWriter): void {
  for (let left = PLACE_BYTES; left > 0; left -= 4) writer.u32(0);
  writer.endRow();
}

/** Groups rows that are RowBinary already. Their place is written into them, so that nothing is copied. */
export class BlockInserter extends InsertQueue<RowBlock, RowBlock> {
  constructor(options: BlockInserterOptions) {
    const { store, into, columns, insertTimeoutMs = 10_000, onGroup, ...queue } = options;
    super(
      { checkStore: () => store.checkRoom(), ...queue },
      {
        rowsOf: ({ ends }) => ends.length,
        prepare: (block) => ({ prepared: block, bytes: block.bytes.length }),
        insert(group, stamp, firstSeq, token) {
          place(group, stamp, firstSeq);
          const blocks = group.map(({ prepared }) => prepared.bytes);
          return store.insertBinary(into, columns, blocks, token, insertTimeoutMs);
        },
        ...(onGroup ? { onGroup } : {}),
      },
    );
  }
}

function place(group: readonly Numbered<RowBlock>[], stamp: number, firstSeq: number): void {
  const high = Math.floor(stamp / 2 ** 32);
  let seq = firstSeq;
  for (const { prepared, batch } of group) {
    const { bytes, ends } = prepared;
    const number = BigInt(batch);
    const [batchLow, batchHigh] = [Number(number & 0xffffffffn), Number(number >> 32n)];
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (const end of ends) {
      const at = end - PLACE_BYTES;
      view.setUint32(at, stamp >>> 0, true);
      view.setUint32(at + 4, high, true);
      view.setUint32(at + 8, seq, true);
      view.setUint32(at + 12, batchLow, true);
      view.setUint32(at + 16, batchHigh, true);
      seq += 1;
    }
  }
}
