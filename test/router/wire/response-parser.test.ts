import { MalformedResponse, type ResponseHead, ResponseParser } from '../../../router/wire/response-parser.ts';

interface Read {
  heads: ResponseHead[];
  body: string;
  isWhole: boolean;
  isReusable: boolean;
}

/** Reads pieces as one response. */
function read(pieces: readonly string[], ends = false): Read {
  const read: Read = { heads: [], body: '', isWhole: false, isReusable: false };
  const parser = new ResponseParser({
    onHead: (head) => read.heads.push(head),
    onBody: (bytes) => {
      read.body += bytes.toString('latin1');
    },
    onEnd: () => {
      read.isWhole = true;
    },
  });
  parser.begin();
  for (const piece of pieces) parser.take(Buffer.from(piece, 'latin1'));
  if (ends) parser.end();
  return { ...read, isReusable: parser.isReusable };
}

const OK = 'HTTP/1.1 200 OK\r\n';
const JSON_TYPE = 'content-type: application/json\r\n';

const WELL: [string, string, { body: string; reusable: boolean; status?: number; ends?: boolean }][] = [
  ['a length', `${OK}${JSON_TYPE}Content-Length: 5\r\n\r\nhello`, { body: 'hello', reusable: true }],
  ['no body', `${OK}${JSON_TYPE}content-length:0\r\n\r\n`, { body: '', reusable: true }],
  ['no words', `HTTP/1.1 200\r\n${JSON_TYPE}content-length: 1\r\n\r\nx`, { body: 'x', reusable: true }],
  ['status 204', `HTTP/1.1 204 No Content\r\n${JSON_TYPE}\r\n`, { body: '', reusable: true, status: 204 }],
  [
    'chunks',
    `${OK}${JSON_TYPE}Transfer-Encoding: Chunked\r\n\r\n3\r\nhel\r\nA;a=b\r\nlo, world!\r\n0\r\n\r\n`,
    { body: 'hello, world!', reusable: true },
  ],
  [
    'chunks and trailers',
    `${OK}${JSON_TYPE}transfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\netag: 1\r\ndate: 2\r\n\r\n`,
    { body: 'x', reusable: true },
  ],
  ['an end', `${OK}${JSON_TYPE}\r\nhello`, { body: 'hello', reusable: false, ends: true }],
  ['close', `${OK}${JSON_TYPE}content-length: 1\r\nConnection: x, Close\r\n\r\nx`, { body: 'x', reusable: false }],
  ['HTTP/1.0', `HTTP/1.0 200 OK\r\n${JSON_TYPE}content-length: 1\r\n\r\nx`, { body: 'x', reusable: false }],
  [
    'interim responses',
    `HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n${OK}${JSON_TYPE}content-length: 1\r\n\r\nx`,
    { body: 'x', reusable: true },
  ],
];

test.each(WELL)('a response with %s is read, wherever it is cut in pieces', (_, text, expected) => {
  const { body, reusable, status = 200, ends = false } = expected;
  const head = { status, contentType: 'application/json', retryAfter: undefined };
  const whole = { heads: [head], body, isWhole: true, isReusable: reusable };
  expect(read([text], ends)).toEqual(whole);
  expect(read([...text], ends)).toEqual(whole);
  for (let at = 1; at < text.length; at += 1) expect(read([text.slice(0, at), text.slice(at)], ends)).toEqual(whole);
});

test('a head tells when to come again, and how long the connection is kept', () => {
  const parser = new ResponseParser({ onHead: (head) => heads.push(head), onBody: () => {}, onEnd: () => {} });
  const heads: ResponseHead[] = [];
  parser.begin();
  parser.take(Buffer.from('HTTP/1.1 503 No\r\nretry-after: 7\r\nKeep-Alive: timeout=5\r\ncontent-length: 0\r\n\r\n'));
  expect(heads).toEqual([{ status: 503, contentType: undefined, retryAfter: '7' }]);
  expect(parser.keepAlive).toBe('timeout=5');
});

const MALFORMED: [string, string][] = [
  ['no HTTP', 'SSH-2.0-OpenSSH_9.6\r\n\r\n'],
  ['another version', `HTTP/2.0 200 OK\r\ncontent-length: 0\r\n\r\n`],
  ['a switch of protocols', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
  ['interim responses without end', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(9)],
  ['a bare line feed', `HTTP/1.1 200 OK\ncontent-length: 0\r\n\r\n`],
  ['a folded line', `${OK}content-length: 1\r\n 1\r\n\r\nx`],
  ['a space before the colon', `${OK}content-length : 1\r\n\r\nx`],
  ['a NUL', `${OK}x: a\0b\r\ncontent-length: 0\r\n\r\n`],
  ['a bare carriage return', `${OK}x: a\rcontent-length: 1\r\n\r\nx`],
  ['two lengths', `${OK}content-length: 1\r\ncontent-length: 2\r\n\r\nxx`],
  ['the same length twice', `${OK}content-length: 1\r\nContent-Length: 1\r\n\r\nx`],
  ['a signed length', `${OK}content-length: +1\r\n\r\nx`],
  ['a length that is no number', `${OK}content-length: 0x1\r\n\r\nx`],
  ['an endless length', `${OK}content-length: ${'9'.repeat(20)}\r\n\r\nx`],
  ['a length beside chunks', `${OK}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n`],
  ['another encoding', `${OK}transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
  ['chunks in HTTP/1.0', `HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['a chunk without a size', `${OK}transfer-encoding: chunked\r\n\r\n\r\n`],
  ['a chunk of a negative size', `${OK}transfer-encoding: chunked\r\n\r\n-1\r\n\r\n`],
  ['a chunk of an endless size', `${OK}transfer-encoding: chunked\r\n\r\nfffffffff\r\n\r\n`],
  ['a chunk longer than it says', `${OK}transfer-encoding: chunked\r\n\r\n1\r\nxx\r\n0\r\n\r\n`],
  ['a head without end', `${OK}x: ${'y'.repeat(17_000)}`],
  ['a chunk line without end', `${OK}transfer-encoding: chunked\r\n\r\n1;${'y'.repeat(2_000)}`],
  ['trailers without end', `${OK}transfer-encoding: chunked\r\n\r\n0\r\n${`x: ${'y'.repeat(900)}\r\n`.repeat(20)}`],
  ['more than was asked for', `${OK}content-length: 1\r\n\r\nxHTTP/1.1 200 OK\r\n`],
];

test.each(MALFORMED)('%s is malformed, wherever it is cut in pieces', (_, text) => {
  expect(() => read([text])).toThrow(MalformedResponse);
  expect(() => read([...text])).toThrow(MalformedResponse);
});

test.each([
  ['a head', 'HTTP/1.1 200 OK\r\n'],
  ['a body', `${OK}content-length: 2\r\n\r\nx`],
  ['a chunk', `${OK}transfer-encoding: chunked\r\n\r\n2\r\nx`],
  ['the last chunk', `${OK}transfer-encoding: chunked\r\n\r\n1\r\nx\r\n`],
])('an end within %s is malformed', (_, text) => {
  expect(() => read([text], true)).toThrow(MalformedResponse);
});
