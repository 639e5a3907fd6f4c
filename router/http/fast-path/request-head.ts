import type { IncomingHttpHeaders } from 'node:http';

/** The head of a request that every reader reads the same way. */
export interface RequestHead {
  readonly headers: IncomingHttpHeaders;
  /** Of the body, bytes. */
  readonly contentLength: number;
}

export const REQUEST_LINE = 'POST /graphql HTTP/1.1\r\n';
/** Longer heads are node's to judge, bytes. */
export const MAX_HEAD_BYTES = 8_192;
/** More headers are node's to refuse. */
const MAX_HEADERS = 100;

/** RFC 9112, and stricter: names are tokens, values are printable ASCII; no folded lines, no bare CR or LF, no empty name. */
const HEAD = /^POST \/graphql HTTP\/1\.1(?:\r\n[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e]*)+$/;
const LENGTH = /^(?:0|[1-9]\d{0,8})$/;

/** Each changes how a message is read, or asks for an answer of another kind. */
const NOT_ORDINARY: ReadonlySet<string> = new Set([
  'transfer-encoding',
  'content-encoding',
  'expect',
  'upgrade',
  'te',
  'trailer',
  'keep-alive',
  'proxy-connection',
  'origin',
  'access-control-request-method',
  'x-graphql-event-stream-token',
]);

/**
 * Reads the head of an ordinary question to the graph.
 * @param text request line and header fields, without the empty line that ends them
 * @returns undefined for anything in doubt: node's own server is to read it
 */
export function readHead(text: string): RequestHead | undefined {
  if (!HEAD.test(text)) return undefined;
  const headers: Record<string, string> = Object.create(null);
  let count = 0;
  for (let from = text.indexOf('\r\n'), to: number; from >= 0; from = to) {
    const start = from + 2;
    to = text.indexOf('\r\n', start);
    const colon = text.indexOf(':', start);
    const name = text.slice(start, colon).toLowerCase();
    count += 1;
    if (NOT_ORDINARY.has(name) || headers[name] !== undefined || count > MAX_HEADERS) return undefined;
    headers[name] = text.slice(colon + 1, to < 0 ? text.length : to).trim();
  }
  const { host, connection, accept, 'content-length': length } = headers;
  if (!host || length === undefined || !LENGTH.test(length)) return undefined;
  if (connection !== undefined && connection.toLowerCase() !== 'keep-alive') return undefined;
  if (accept?.toLowerCase().includes('event-stream')) return undefined;
  return { headers, contentLength: Number(length) };
}
