import { SYSLOG_SEVERITIES } from '../lines/formats.ts';
import { type Line, nanosOfTime } from '../lines/line.ts';

/** <priority>version time host app process message-id rest */
const HEADER = /^<(\d{1,3})>1 (\S{1,64}) (\S{1,255}) (\S{1,48}) (\S{1,128}) (\S{1,32}) ?(.*)$/s;
const PRIORITY = /^<(\d{1,3})>/;
const MAX_PRIORITY = 191;
/** An element of structured data: its id and its pairs, in which a quote, a backslash and a bracket are escaped. */
const ELEMENT = /\[([^\s=\]"]{1,32})((?: [^\s=\]"]{1,32}="(?:[^"\\\]]|\\.)*")*)\]/sy;
const PAIR = / ([^\s=\]"]{1,32})="((?:[^"\\\]]|\\.)*)"/gs;

/** Reads a message of RFC 5424. One that is none is kept as it is: nobody could be told that it was refused. */
export function readSyslog(bytes: Buffer): Line {
  // What is not UTF-8 becomes U+FFFD, for the same reason.
  const text = bytes.toString().replaceAll('\u0000', '').trimEnd();
  const [, priority, time, host, app, process, id, rest = ''] = HEADER.exec(text) ?? [];
  if (priority === undefined || Number(priority) > MAX_PRIORITY) return plainLine(text);
  const { data, message } = partsOf(rest);
  return {
    timeNs: timeOf(time),
    severity: SYSLOG_SEVERITIES[Number(priority) & 7] as number,
    ...(given(app) ? { service: app as string } : {}),
    body: message,
    attributes: {
      'syslog.facility': Number(priority) >> 3,
      ...(given(process) ? { 'syslog.procid': process } : {}),
      ...(given(id) ? { 'syslog.msgid': id } : {}),
      ...(data ? { 'syslog.structured_data': data } : {}),
    },
    ...(given(host) ? { resource: { 'host.name': host } } : {}),
  };
}

function plainLine(text: string): Line {
  const [whole = '', priority] = PRIORITY.exec(text) ?? [];
  if (priority === undefined || Number(priority) > MAX_PRIORITY) return { body: text };
  return { severity: SYSLOG_SEVERITIES[Number(priority) & 7] as number, body: text.slice(whole.length) };
}

/** Structured data and what follows it; of data that cannot be read everything is the message. */
function partsOf(rest: string): { data?: Record<string, Record<string, string>>; message: string } {
  if (rest === '-' || rest.startsWith('- ')) return { message: withoutMark(rest.slice(2)) };
  const elements: [string, Record<string, string>][] = [];
  let at = 0;
  for (;;) {
    ELEMENT.lastIndex = at;
    const match = ELEMENT.exec(rest);
    if (!match) break;
    const pairs = [...(match[2] as string).matchAll(PAIR)].map(([, name, value]) => [
      name as string,
      (value as string).replace(/\\(["\\\]])/g, '$1'),
    ]);
    elements.push([match[1] as string, Object.fromEntries(pairs)]);
    at = ELEMENT.lastIndex;
  }
  if (!elements.length) return { message: withoutMark(rest) };
  return { data: Object.fromEntries(elements), message: withoutMark(rest.slice(at).replace(/^ /, '')) };
}

/** UTF-8 is announced by a mark that is no part of the text. */
function withoutMark(text: string): string {
  return text.startsWith('\ufeff') ? text.slice(1) : text;
}

function timeOf(text: string | undefined): string | null {
  try {
    return given(text) ? nanosOfTime(text) : null;
  } catch {
    return null;
  }
}

/** A hyphen stands for nothing. */
function given(text: string | undefined): boolean {
  return text !== undefined && text !== '-';
}
