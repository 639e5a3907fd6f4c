import { ByteWriter, ParquetWriter, type SchemaElement } from 'hyparquet-writer';
import { entryOf, type LogRow } from '../store/index.ts';
import type { ExportWriter } from './export-formats.ts';

const text = (name: string, repetition: 'REQUIRED' | 'OPTIONAL' = 'REQUIRED'): SchemaElement => ({
  name,
  type: 'BYTE_ARRAY',
  converted_type: 'UTF8',
  logical_type: { type: 'STRING' },
  repetition_type: repetition,
});
const nanos = (name: string): SchemaElement => ({
  name,
  type: 'INT64',
  logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'NANOS' },
  repetition_type: 'REQUIRED',
});
const json = (name: string): SchemaElement => ({
  name,
  type: 'BYTE_ARRAY',
  converted_type: 'JSON',
  logical_type: { type: 'JSON' },
  repetition_type: 'REQUIRED',
});

const COLUMNS: readonly SchemaElement[] = [
  nanos('time'),
  nanos('observedAt'),
  text('severity'),
  text('service'),
  text('agentId', 'OPTIONAL'),
  text('traceId', 'OPTIONAL'),
  text('spanId', 'OPTIONAL'),
  text('body'),
  json('attributes'),
  json('resource'),
  text('id'),
];
/** A row group goes out with so many rows, or so many characters of bodies: that much is held at a time. */
const GROUP_ROWS = 20_000;
const GROUP_CHARACTERS = 8_000_000;

/** Apache Parquet, a row group at a time: readers take any column without the others. */
export class ParquetExport implements ExportWriter {
  readonly #bytes = new ByteWriter(1024 * 1024);
  readonly #file = new ParquetWriter({
    writer: this.#bytes,
    schema: [{ name: 'log', num_children: COLUMNS.length }, ...COLUMNS],
    createdBy: 'fleetgraph',
  });
  #rows: LogRow[] = [];
  #characters = 0;

  write(rows: readonly LogRow[]): Uint8Array {
    this.#rows.push(...rows);
    for (const { body } of rows) this.#characters += body.length;
    if (this.#rows.length >= GROUP_ROWS || this.#characters >= GROUP_CHARACTERS) this.#endGroup();
    return this.#taken();
  }

  end(): Uint8Array {
    if (this.#rows.length) this.#endGroup();
    void this.#file.finish();
    return this.#taken();
  }

  #endGroup(): void {
    const rows = this.#rows;
    const entries = rows.map(entryOf);
    const columns: Record<string, unknown[]> = {
      time: rows.map(({ time }) => BigInt(time)),
      observedAt: rows.map(({ observed }) => BigInt(observed)),
      agentId: entries.map(({ agent }) => agent?.id ?? null),
    };
    const columnData = COLUMNS.map(({ name }) => ({
      name,
      data: columns[name] ?? entries.map((entry) => entry[name as keyof typeof entry]),
    }));
    void this.#file.write({ columnData, rowGroupSize: rows.length });
    this.#rows = [];
    this.#characters = 0;
  }

  /** What is written by now; places in the file go on from there. */
  #taken(): Uint8Array {
    const taken = this.#bytes.getBytes().slice();
    this.#bytes.index = 0;
    return taken;
  }
}
