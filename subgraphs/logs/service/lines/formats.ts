import { RecordFault } from '../../../../lib/otlp/index.ts';
import { attributesOfLine, type Line, nanosOfTime, textOf } from './line.ts';

type Fields = Record<string, unknown>;

/** A line of text as Kubernetes keeps them (CRI): time, stream, whether it is whole, what was written. */
const CRI = /^(\d{4}-\S+) (stdout|stderr) ([FP])(?: (.*))?$/s;
/** Pino's and Bunyan's levels by ten: 10 is trace, 60 fatal. */
const NUMBERED = [0, 1, 5, 9, 13, 17, 21];
/** Syslog's eight priorities as OpenTelemetry's numbers. */
export const SYSLOG_SEVERITIES = [21, 21, 21, 17, 13, 10, 9, 5];

/**
 * Reads one line: our own log lines and JSON like them, Docker's JSON files, journald's JSON, Kubernetes' text; any other
 * text is what was said.
 * @throws RecordFault with the reason
 */
export function readLine(text: string): Line {
  if (!text.startsWith('{')) return criLine(text) ?? { body: textOf(text, 'the line') };
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch {
    throw new RecordFault('the line is not JSON');
  }
  const object = fields as Fields;
  if (typeof object['log'] === 'string' && 'stream' in object) return dockerLine(object);
  return 'MESSAGE' in object ? journalLine(object) : ownLine(object);
}

function criLine(text: string): Line | undefined {
  const [, time, stream, tag, body = ''] = CRI.exec(text) ?? [];
  if (!time || !stream) return undefined;
  return {
    timeNs: nanosOfTime(time),
    body: textOf(body, 'the line'),
    attributes: { 'log.iostream': stream },
    ...(tag === 'P' ? { isPartOf: stream } : {}),
  };
}

function dockerLine({ log, stream, time, attrs }: Fields): Line {
  const body = textOf(log, 'the line');
  const name = textOf(stream, 'the stream');
  return {
    timeNs: time === undefined ? null : nanosOfTime(time),
    body: body.replace(/\r?\n$/, ''),
    attributes: {
      'log.iostream': name,
      ...(attrs && typeof attrs === 'object' ? attributesOfLine(attrs as Fields) : {}),
    },
    // Docker cuts a long line into pieces of 16 KB; only the last one ends.
    ...(body.endsWith('\n') ? {} : { isPartOf: name }),
  };
}

/** https://systemd.io/JOURNAL_EXPORT_FORMATS: names with two underscores are addresses, with one the journal's own. */
function journalLine({ MESSAGE: message, PRIORITY: priority, ...rest }: Fields): Line {
  const micros = rest['_SOURCE_REALTIME_TIMESTAMP'] ?? rest['__REALTIME_TIMESTAMP'];
  const isTime = typeof micros === 'string' && /^\d{1,16}$/.test(micros);
  const kept = Object.entries(rest).filter(([name]) => !name.startsWith('__') && !name.endsWith('REALTIME_TIMESTAMP'));
  const service = rest['SYSLOG_IDENTIFIER'] ?? rest['_SYSTEMD_UNIT'] ?? rest['_COMM'];
  const host = rest['_HOSTNAME'];
  return {
    timeNs: isTime ? String(BigInt(micros) * 1_000n) : null,
    severity: SYSLOG_SEVERITIES[Number(priority ?? 6)] ?? 9,
    body: messageOf(message),
    attributes: attributesOfLine(Object.fromEntries(kept)),
    ...(typeof service === 'string' ? { service: textOf(service, 'the service name') } : {}),
    ...(typeof host === 'string' ? { resource: { 'host.name': textOf(host, 'the host') } } : {}),
  };
}

/** What is not UTF-8 the journal writes as a list of its bytes, what is too long as null. */
function messageOf(message: unknown): string {
  const isBytes = Array.isArray(message) && message.every((byte) => Number.isInteger(byte) && byte >= 0 && byte < 256);
  return textOf(isBytes ? Buffer.from(message as number[]).toString() : message, 'the message');
}

/** docs/log-line.schema.json, and what others write much like it. */
function ownLine(fields: Fields): Line {
  const {
    time,
    timestamp,
    ts,
    level,
    severity,
    service,
    event,
    message,
    msg,
    traceId,
    trace_id,
    spanId,
    span_id,
    ...rest
  } = fields;
  const body = event ?? message ?? msg;
  const [when, grave] = [time ?? timestamp ?? ts, level ?? severity];
  const [trace, span] = [hexOf(traceId ?? trace_id, 32), hexOf(spanId ?? span_id, 16)];
  // Beside its event a line may have a message of its own.
  const said =
    event === undefined ? {} : { ...(message === undefined ? {} : { message }), ...(msg === undefined ? {} : { msg }) };
  return {
    timeNs: when === undefined ? null : timeOf(when),
    ...severityOf(grave),
    ...(typeof service === 'string' ? { service: textOf(service, 'the service name') } : {}),
    body: body === undefined ? JSON.stringify(attributesOfLine(fields)) : textOf(body, 'the event'),
    attributes: attributesOfLine({ ...rest, ...said }),
    traceId: trace,
    spanId: span,
  };
}

function severityOf(level: unknown): Pick<Line, 'severity' | 'severityText'> {
  if (typeof level === 'number') return { severity: NUMBERED[Math.floor(level / 10)] ?? 0 };
  return { severityText: typeof level === 'string' ? level : '' };
}

/** RFC 3339, or milliseconds since 1970. */
function timeOf(time: unknown): string {
  const isMs = typeof time === 'number' && Number.isSafeInteger(Math.round(time * 1_000)) && time > 0;
  return isMs ? String(BigInt(Math.round(time * 1_000)) * 1_000n) : nanosOfTime(time);
}

function hexOf(value: unknown, digits: number): string | null {
  const isId =
    typeof value === 'string' && value.length === digits && /^[0-9a-f]+$/i.test(value) && !/^0+$/.test(value);
  return isId ? value.toLowerCase() : null;
}
