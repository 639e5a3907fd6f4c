import type { LogEntry } from '../entity/index.ts';

export type ExportFormat = 'ndjson' | 'csv';

/** How a file of entries is written: what stands at its top, and a line for each. */
interface Writer {
  contentType: string;
  head: string;
  line(entry: LogEntry): string;
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

export const EXPORT_FORMATS: Record<ExportFormat, Writer> = {
  ndjson: {
    contentType: 'application/x-ndjson',
    head: '',
    line: (entry) => `${JSON.stringify(flat(entry))}\n`,
  },
  // RFC 4180.
  csv: {
    contentType: 'text/csv; charset=utf-8; header=present',
    head: `${COLUMNS.join(',')}\r\n`,
    line: (entry) => {
      const values = flat(entry);
      return `${COLUMNS.map((name) => quoted(values[name])).join(',')}\r\n`;
    },
  },
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
