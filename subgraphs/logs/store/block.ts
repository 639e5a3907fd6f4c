import { endPlacedRow, type RowBlock, RowReader, type RowWriter } from '../../../lib/telemetry-store/index.ts';
import type { NewLogRow } from './row.ts';

/** The columns of LOG_COLUMNS with their types, as a block has them. */
export const LOG_TYPES =
  'time UInt64, observed UInt64, severity UInt8, service String, agent String, agent_name String, trace String, span String, body String, attributes Map(String, String), resource String, stamp UInt64, seq UInt32, batch UInt64';

/** Writes a row as it is inserted; its place comes with its group. */
export function writeRow(writer: RowWriter, row: NewLogRow): void {
  writer.u64(BigInt(row.time));
  writer.u64(BigInt(row.observed));
  writer.u8(row.severity);
  for (const text of [row.service, row.agent, row.agent_name, row.trace, row.span, row.body]) writer.text(text);
  const attributes = Object.entries(row.attributes);
  writer.varint(attributes.length);
  for (const [name, text] of attributes) {
    writer.text(name);
    writer.text(text);
  }
  writer.text(row.resource);
  endPlacedRow(writer);
}

/** Rows as a block. @param writer empty, and empty again afterwards */
export function blockOf(writer: RowWriter, rows: readonly NewLogRow[]): RowBlock {
  try {
    for (const row of rows) writeRow(writer, row);
    return writer.take();
  } finally {
    writer.clear();
  }
}

/** Reads one row of a block back. */
export function rowAt({ bytes, ends }: RowBlock, index: number): NewLogRow {
  const reader = new RowReader(bytes, index === 0 ? 0 : (ends[index - 1] as number));
  const [time, observed] = [String(reader.u64()), String(reader.u64())];
  const severity = reader.u8();
  const [service, agent, agentName, trace, span, body] = Array.from({ length: 6 }, () => reader.text()) as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  const attributes: Record<string, string> = {};
  for (let left = reader.varint(); left > 0; left -= 1) {
    const [name, value] = [reader.text(), reader.text()];
    Object.defineProperty(attributes, name, { value, enumerable: true, configurable: true, writable: true });
  }
  const resource = reader.text();
  return { time, observed, severity, service, agent, agent_name: agentName, trace, span, body, attributes, resource };
}
