import { isUtf8 } from 'node:buffer';
import { type OtlpLogRecord, RecordFault, type Rejection } from '../../../../lib/otlp/index.ts';
import { readLine } from './formats.ts';
import { type Line, recordOfLine } from './line.ts';

/** The longest line that pieces are put together to, characters. */
const MAX_JOINED = 1024 * 1024;

/** What a body of lines holds. */
export interface ReadLines {
  records: OtlpLogRecord[];
  /** Each record's line, from 0, blank ones not counted; of one in pieces the last. */
  indexes: number[];
  rejected: Rejection[];
  /** Lines that are not blank. */
  lines: number;
}

/**
 * Reads a body of lines; each that cannot be read is refused by itself. Pieces of one line are put together as far as they are
 * in this body.
 * @param service of lines that name none
 */
export function readLines(bytes: Buffer, service: string): ReadLines {
  const read: ReadLines = { records: [], indexes: [], rejected: [], lines: 0 };
  const begun = new Map<string, { line: Line; index: number }>();
  const keep = (line: Line, index: number) => {
    read.records.push(recordOfLine(line, service));
    read.indexes.push(index);
  };
  for (const piece of linesIn(bytes)) {
    const index = read.lines;
    read.lines += 1;
    try {
      const line = lineOf(piece);
      const stream = String(line.attributes?.['log.iostream'] ?? '');
      const before = begun.get(stream);
      const fits = before && before.line.body.length + line.body.length <= MAX_JOINED;
      if (before) begun.delete(stream);
      if (before && !fits) keep(before.line, before.index);
      const whole = before && fits ? { ...before.line, body: before.line.body + line.body } : line;
      if (line.isPartOf === undefined) keep(whole, index);
      else begun.set(stream, { line: whole, index });
    } catch (error) {
      if (!(error instanceof RecordFault)) throw error;
      read.rejected.push({ index, reason: error.message });
    }
  }
  for (const { line, index } of begun.values()) keep(line, index);
  return read;
}

function lineOf(piece: Buffer): Line {
  if (!isUtf8(piece)) throw new RecordFault('the line is not valid UTF-8');
  return readLine(piece.toString());
}

/** The lines that are not blank, without what ends them. */
function* linesIn(bytes: Buffer): Generator<Buffer> {
  let start = 0;
  while (start < bytes.length) {
    const found = bytes.indexOf(0x0a, start);
    const next = found < 0 ? bytes.length : found;
    const end = next > start && bytes[next - 1] === 0x0d ? next - 1 : next;
    if (end > start && !isBlank(bytes, start, end)) yield bytes.subarray(start, end);
    start = next + 1;
  }
}

function isBlank(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) if (bytes[at] !== 0x20 && bytes[at] !== 0x09) return false;
  return true;
}
