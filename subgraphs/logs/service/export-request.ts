import { FleetError } from '../../../lib/errors.ts';
import { type LogFilter, LogSeverity } from '../../../lib/graphql/log-filter.ts';
import { durationMs } from '../../../lib/graphql/scalars.ts';
import { type ExportFormat, isExportFormat } from './export-formats.ts';

/** An export as its address says it. */
export interface ExportRequest {
  filter: LogFilter;
  format: ExportFormat;
  limit?: number;
}

const KNOWN = [
  'query',
  'savedSearch',
  'format',
  'limit',
  'minSeverity',
  'service',
  'agent',
  'traceId',
  'from',
  'to',
  'last',
];

/**
 * Reads `?query=…&format=csv&service=a&service=b&minSeverity=WARN&agent=<id>&traceId=…&from=…&to=…&last=PT1H&limit=1000`.
 * @throws BAD_INPUT for a name it does not know, one given twice, or a value that is none of its kind
 */
export function exportRequest(parameters: URLSearchParams): ExportRequest {
  for (const name of parameters.keys()) {
    if (!KNOWN.includes(name)) bad(name, `there is no parameter ${name.slice(0, 100)}: expected ${KNOWN.join(', ')}`);
  }
  const one = (name: string) => {
    const [value, more] = parameters.getAll(name);
    if (more !== undefined) bad(name, `${name} is given twice`);
    return value;
  };
  const format = one('format') ?? 'ndjson';
  if (!isExportFormat(format)) return bad('format', 'expected the format ndjson, csv or parquet');
  const minSeverity = one('minSeverity')?.toUpperCase();
  if (minSeverity !== undefined && !Object.hasOwn(LogSeverity, minSeverity)) {
    bad('minSeverity', `expected one of ${Object.values(LogSeverity).join(', ')}`);
  }
  const last = one('last') ?? null;
  if (last !== null && durationMs(last) === undefined) bad('last', 'expected a duration such as PT15M for last');
  const [services, agentIds] = [parameters.getAll('service'), parameters.getAll('agent')];
  const limit = one('limit');
  return {
    filter: {
      query: one('query') ?? null,
      savedSearch: one('savedSearch') ?? null,
      minSeverity: (minSeverity ?? null) as LogSeverity | null,
      services: services.length ? services : null,
      agentIds: agentIds.length ? agentIds : null,
      traceId: one('traceId') ?? null,
      range: { from: timeOf('from', one('from')), to: timeOf('to', one('to')), last },
    },
    format,
    ...(limit === undefined ? {} : { limit: /^\d{1,15}$/.test(limit) ? Number(limit) : 0 }),
  };
}

function timeOf(name: string, text: string | undefined): Date | null {
  if (text === undefined) return null;
  const time = new Date(text);
  if (!/^\d{4}-\d\d-\d\d/.test(text) || Number.isNaN(time.getTime())) {
    bad(name, `expected a time such as 2026-01-31T10:00:00Z for ${name}`);
  }
  return time;
}

function bad(name: string, sentence: string): never {
  throw new FleetError('BAD_INPUT', sentence, { field: [name] });
}
