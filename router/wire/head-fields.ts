/** Header fields of a response that decide how it is read; a field that is there twice has both values, comma-separated. */
export interface HeadFields {
  contentType: string | undefined;
  contentLength: string | undefined;
  transferEncoding: string | undefined;
  connection: string | undefined;
  keepAlive: string | undefined;
  retryAfter: string | undefined;
}

/** RFC 9112: no folded lines, no space before the colon, no bare CR or LF, no NUL. */
const HEAD =
  /^HTTP\/1\.[01] [1-5]\d\d(?: [\t\x20-\x7e\x80-\xff]*)?(?:\r\n[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*)*$/;

/** @param head a response's status line and header fields, without the empty line that ends them */
export function isWellFormed(head: string): boolean {
  return HEAD.test(head);
}

const NAMES: ReadonlyMap<string, keyof HeadFields> = new Map([
  ['connection', 'connection'],
  ['keep-alive', 'keepAlive'],
  ['retry-after', 'retryAfter'],
  ['content-type', 'contentType'],
  ['content-length', 'contentLength'],
  ['transfer-encoding', 'transferEncoding'],
]);
/** Names are told by their length first: most are none of these. */
const LENGTHS: ReadonlySet<number> = new Set([...NAMES.keys()].map(({ length }) => length));

/** @param head well-formed */
export function headFieldsOf(head: string): HeadFields {
  const fields: HeadFields = {
    contentType: undefined,
    contentLength: undefined,
    transferEncoding: undefined,
    connection: undefined,
    keepAlive: undefined,
    retryAfter: undefined,
  };
  for (let from = head.indexOf('\r\n'), to: number; from >= 0; from = to) {
    const start = from + 2;
    to = head.indexOf('\r\n', start);
    const colon = head.indexOf(':', start);
    const field = LENGTHS.has(colon - start) ? NAMES.get(head.slice(start, colon).toLowerCase()) : undefined;
    if (field === undefined) continue;
    const value = head.slice(colon + 1, to < 0 ? head.length : to).trim();
    const known = fields[field];
    fields[field] = known === undefined ? value : `${known}, ${value}`;
  }
  return fields;
}

/** Whether a value of the header Connection ends it. */
export function closes(connection: string | undefined): boolean {
  if (connection === undefined || connection === 'keep-alive') return false;
  return connection.split(',').some((option) => option.trim().toLowerCase() === 'close');
}
