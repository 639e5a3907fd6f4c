import type { TelemetryStore } from './index.ts';
import { InsertQueue, type InsertQueueOptions, type Numbered } from './insert-queue.ts';

/** Rows of one durable insert, in the order they were given. */
export interface InsertedGroup<R> {
  /** Microseconds since 1970; above that of every earlier group. */
  stamp: number;
  /** Each row's place in the group is its `seq`. */
  rows: readonly R[];
}

export interface GroupedInserterOptions<R extends object> extends InsertQueueOptions {
  store: TelemetryStore;
  /** Table and columns: `log (time, body, stamp, seq, batch)`. A row's own names are its columns, JSONEachRow. */
  into: string;
  /** The engine gives up an insert after this, milliseconds. */
  insertTimeoutMs?: number;
  /** Whether rows get `stamp UInt64` and `seq UInt32` columns. */
  stamped?: boolean;
  /** Whether rows get a `batch UInt64` column, 0 without a token; `knowBatches` reads them back at start. */
  batched?: boolean;
  /** Told of each durable group, before its requests are answered. */
  onGroup?(group: InsertedGroup<R>): void;
}

/** What a row costs beside its own JSON, bytes: its place and its batch. */
const PLACE_BYTES = 64;

/** Groups rows that are objects, and inserts them as lines of JSON. */
export class GroupedInserter<R extends object> extends InsertQueue<readonly R[], string[]> {
  constructor(options: GroupedInserterOptions<R>) {
    const { store, into, insertTimeoutMs = 10_000, stamped = false, batched = false, onGroup, ...queue } = options;
    super(
      { checkStore: () => store.checkRoom(), ...queue },
      {
        rowsOf: (rows) => rows.length,
        prepare(rows) {
          // Without the closing brace: the stamp follows.
          const prepared = rows.map((row) => JSON.stringify(row).slice(0, -1));
          return { prepared, bytes: prepared.reduce((sum, head) => sum + Buffer.byteLength(head) + PLACE_BYTES, 0) };
        },
        insert: (group, stamp, firstSeq, token) =>
          store.insert(
            into,
            'JSONEachRow',
            linesOf(group, { stamped, batched }, stamp, firstSeq),
            token,
            insertTimeoutMs,
          ),
        onGroup: ({ stamp, batches }) => onGroup?.({ stamp, rows: batches.flat() }),
      },
    );
  }
}

function linesOf(
  group: readonly Numbered<string[]>[],
  { stamped, batched }: { stamped: boolean; batched: boolean },
  stamp: number,
  firstSeq: number,
): string {
  const lines: string[] = [];
  for (const { prepared, batch } of group) {
    for (const head of prepared) {
      const place = stamped ? `,"stamp":${stamp},"seq":${firstSeq + lines.length}` : '';
      lines.push(`${head}${place}${batched ? `,"batch":${batch}` : ''}}`);
    }
  }
  return lines.join('\n');
}
