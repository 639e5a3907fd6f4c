import { plain } from './table.ts';

/** An entry as `fleet logs` asks for it. */
export interface LogLine {
  id: string;
  time: string;
  severity: string;
  service: string;
  body: string;
  attributes: Record<string, unknown> | null;
  traceId: string | null;
  spanId: string | null;
  agent: { name: string } | null;
}

/** How lines are written for people. */
export interface LineStyle {
  /** Names of what is shown, in order; `attributes.<name>` for one of them. */
  columns: readonly string[];
  isColoured: boolean;
}

export const LOG_COLUMNS = ['time', 'severity', 'service', 'body', 'attributes', 'agent', 'traceId', 'spanId', 'id'];
export const STANDARD_COLUMNS = ['time', 'severity', 'source', 'body', 'attributes'];

const WIDE = new Set(['body', 'attributes']);
const DIM = '2';
const SEVERITY: Record<string, string> = {
  TRACE: '90',
  DEBUG: '90',
  INFO: '32',
  WARN: '33',
  ERROR: '31',
  FATAL: '1;31',
};
/** Sources are told apart at a glance: the same one has the same of these each time. */
const SOURCES = ['36', '35', '34', '96', '95', '94', '92', '93'];

/** One line for people, without anything that would move their cursor but our own colours. */
export function logLine(entry: LogLine, { columns, isColoured }: LineStyle): string {
  const paint = (code: string | undefined, text: string) =>
    isColoured && code && text ? `\x1b[${code}m${text}\x1b[0m` : text;
  const source = entry.agent?.name ?? entry.service;
  const cells: Record<string, () => string> = {
    time: () => paint(DIM, entry.time),
    severity: () => paint(SEVERITY[entry.severity], entry.severity.padEnd(5)),
    source: () => paint(colourOf(source), plain(source)),
    service: () => paint(colourOf(entry.service), plain(entry.service)),
    agent: () => plain(entry.agent?.name ?? '-'),
    body: () => paint(/^(ERROR|FATAL)$/.test(entry.severity) ? SEVERITY['ERROR'] : '', plain(entry.body)),
    attributes: () =>
      Object.entries(entry.attributes ?? {})
        .map(([name, value]) => `${paint(DIM, `${plain(name)}=`)}${plain(textOf(value))}`)
        .join(' '),
    traceId: () => entry.traceId ?? '-',
    spanId: () => entry.spanId ?? '-',
    id: () => entry.id,
  };
  const shown = columns.map((name) => {
    const text = cells[name]?.() ?? plain(textOf(attributeOf(entry, name)));
    // What is long stands apart from what is not.
    return text && WIDE.has(name) ? ` ${text}` : text;
  });
  return shown.filter(Boolean).join(' ').trimStart();
}

/** An attribute by its dotted name: the name as it is, or its parts inside each other. */
function attributeOf({ attributes }: LogLine, column: string): unknown {
  const name = column.slice('attributes.'.length);
  const whole: unknown = attributes ?? {};
  if (Object.hasOwn(whole as object, name)) return (whole as Record<string, unknown>)[name];
  const inside = (value: unknown, key: string) =>
    value !== null && typeof value === 'object' && Object.hasOwn(value, key)
      ? (value as Record<string, unknown>)[key]
      : undefined;
  return name.split('.').reduce(inside, whole);
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return '-';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function colourOf(source: string): string {
  let sum = 0;
  for (const sign of source) sum = (sum * 31 + (sign.codePointAt(0) as number)) % 65_521;
  return SOURCES[sum % SOURCES.length] as string;
}
