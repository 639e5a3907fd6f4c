import type { LogEntry } from '../entity/index.ts';
import { entryOf, type LogRow } from '../store/index.ts';
import { ParquetExport } from './export-parquet.ts';

export type ExportFormat = 'ndjson' | 'csv' | 'parquet';

/** One file of entries as it is made. */
export interface ExportWriter {
  /** The next entries; what is written by now, which may be nothing yet. */
  write(rows: readonly LogRow[]): string | Uint8Array;
  /** What stands at the end. */
  end(): string | Uint8Array;
}

interface Format {
  contentType: string;
  begin(): ExportWriter;
}

const COLUMNS = [
  'time',
  'observedAt',
  'severity',
  'service',
  'agentId',
  'traceId',
  'spanId',
  'body',
  'attributes',
  'resource',
  'id',
] as const;

/** A file of lines. */
function lines(head: string, line: (entry: LogEntry) => string): ExportWriter {
  let isBegun = false;
  const begun = (text: string) => {
    const whole = isBegun ? text : head + text;
    isBegun = true;
    return whole;
  };
  return { write: (rows) => begun(rows.map((row) => line(entryOf(row))).join('')), end: () => begun('') };
}

export const EXPORT_FORMATS: Record<ExportFormat, Format> = {
  ndjson: {
    contentType: 'application/x-ndjson',
    begin: () => lines('', (entry) => `${JSON.stringify(flat(entry))}\n`),
  },
  // RFC 4180.
  csv: {
    contentType: 'text/csv; charset=utf-8; header=present',
    begin: () =>
      lines(`${COLUMNS.join(',')}\r\n`, (entry) => {
        const values = flat(entry);
        return `${COLUMNS.map((name) => quoted(values[name])).join(',')}\r\n`;
      }),
  },
  parquet: { contentType: 'application/vnd.apache.parquet', begin: () => new ParquetExport() },
};

export function isExportFormat(text: string): text is ExportFormat {
  return Object.hasOwn(EXPORT_FORMATS, text);
}

function flat(entry: LogEntry): Record<(typeof COLUMNS)[number], unknown> {
  const { id, time, observedAt, severity, service, body, attributes, resource, traceId, spanId, agent } = entry;
  const agentId = agent?.id ?? null;
  return { time, observedAt, severity, service, agentId, traceId, spanId, body, attributes, resource, id };
}

function quoted(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
