import { type Decoded, logsOf, type OtlpLogRecord, type Plain, type Rejection } from '../../../lib/otlp/index.ts';
import type { RowWriter } from '../../../lib/telemetry-store/index.ts';
import { type NewLogRow, writeRow } from '../store/index.ts';
import { Refusal, type Rows } from './records.ts';
import type { Written } from './wire-logs.ts';

/**
 * Writes the records of an ExportLogsServiceRequest as rows, an object for each: OTLP/JSON, and protobuf of seldom forms.
 * @throws BAD_INPUT when it is no such request
 */
export function writeMessage(message: Plain, writer: RowWriter, rows: Rows): Written {
  return writeDecoded(logsOf(message), writer, rows);
}

/** Writes records that were read as rows; what is refused then is told by its place in the request, too. */
export function writeDecoded(decoded: Decoded<OtlpLogRecord>, writer: RowWriter, rows: Rows): Written {
  const { records, indexes, rejected } = decoded;
  const refused = writeRecords(records, writer, (record) => rows.ofOtlp(record));
  const placed = refused.map(({ index, reason }) => ({ index: indexes[index] as number, reason }));
  return {
    records: records.length + rejected.length,
    rejected: [...rejected, ...placed].sort((a, b) => a.index - b.index),
    timed: records.every(({ timeNs }) => timeNs !== null),
  };
}

/** Writes records as rows. @returns those that are refused */
export function writeRecords<T>(records: readonly T[], writer: RowWriter, read: (record: T) => NewLogRow): Rejection[] {
  const rejected: Rejection[] = [];
  for (const [index, record] of records.entries()) {
    try {
      writeRow(writer, read(record));
    } catch (error) {
      writer.dropRow();
      if (!(error instanceof Refusal)) throw error;
      rejected.push({ index, reason: error.message });
    }
  }
  return rejected;
}
