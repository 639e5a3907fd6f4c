import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { run } from '../../cli/program.ts';

let answer: (request: IncomingMessage, response: ServerResponse) => void;
const server = createServer((request, response) => answer(request, response));
const folder = mkdtempSync(path.join(tmpdir(), 'export-'));
const before = { ...process.env };
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  Object.assign(process.env, { FLEET_URL: `http://127.0.0.1:${port}`, FLEET_TOKEN: 'token' });
});
afterAll(async () => {
  process.env = before;
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

/** Runs `fleet …`, on a terminal or in a pipe. */
async function fleet(isTTY: boolean, ...words: string[]) {
  const ran = { out: '', err: '', code: 0 };
  await run(words, {
    out: { write: (text) => (ran.out += text), isTTY },
    err: { write: (text) => (ran.err += text), isTTY },
    stdin: Readable.from([]),
    signal: new AbortController().signal,
    root: folder,
    cwd: folder,
    exit: (code) => {
      ran.code = code;
    },
  });
  return ran;
}

const gives = (type: string, text: string | Buffer, total: string, limit = '100') => {
  answer = (request, response) => {
    asked = `${request.headers.authorization} ${request.url}`;
    response.writeHead(200, { 'content-type': type, 'fleet-export-total': total, 'fleet-export-limit': limit });
    response.end(text);
  };
};
let asked = '';

test('an export goes to standard output as it comes, and says what was asked for', async () => {
  gives('application/x-ndjson', '{"a":1}\n{"a":2}\n', '2');
  const words = [
    'slow',
    '/a b/',
    '--since',
    '2d',
    '--service',
    'a,b',
    '--severity',
    'warn',
    '--trace',
    'ab',
    '--limit',
    '9',
  ];
  expect(await fleet(false, 'logs', 'export', ...words)).toEqual({ out: '{"a":1}\n{"a":2}\n', err: '', code: 0 });
  expect(asked).toBe(
    'Bearer token /v1/logs/export?format=ndjson&query=slow+%2Fa+b%2F&service=a&service=b&minSeverity=WARN&last=P2D&traceId=ab&limit=9',
  );
});

test('on a terminal a bar shows how far it is, and goes; in a pipe there is none', async () => {
  gives('text/csv; charset=utf-8', 'body\r\n"two\nlines"\r\nb\r\n', '4');
  const { err } = await fleet(true, 'logs', 'export', '--format', 'csv');
  expect(err).toBe(`\r${'█'.repeat(12)}${'░'.repeat(12)} 50% of 4 lines\u001b[K\r\u001b[Kfleet: 2 lines\n`);
  gives('text/csv', 'body\r\n', '');
  expect((await fleet(true, 'logs', 'export', '--format', 'csv')).err).toContain('\r0 lines\u001b[K');
  expect((await fleet(false, 'logs', 'export', '--format', 'csv')).err).toBe('');
});

test('Parquet goes into a file byte for byte, with a bar of bytes, and not onto a terminal', async () => {
  const bytes = Buffer.from([0x50, 0x41, 0x52, 0x31, 0xff, 0xfe, 0x00, 0x0a]);
  gives('application/vnd.apache.parquet', bytes, '7');
  const file = path.join(folder, 'lines.parquet');
  const { out, err } = await fleet(true, 'logs', 'export', '--format', 'parquet', '-o', file, '--saved', 'failing');
  expect([out, err]).toEqual(['', '\r8 bytes\u001b[K\r\u001b[Kfleet: 7 lines\n']);
  expect(asked).toContain('format=parquet&savedSearch=failing');
  expect(readFileSync(file).equals(bytes)).toBe(true);
  expect(await fleet(true, 'logs', 'export', '--format', 'parquet')).toMatchObject({ out: '', code: 5 });
});

test('into a file, and a limit that was reached is told', async () => {
  gives('application/x-ndjson', '{}\n{}\n', '2', '2');
  const file = path.join(folder, 'lines.ndjson');
  const { out, err } = await fleet(false, 'logs', 'export', '-o', file);
  expect([out, err]).toEqual(['', 'fleet: 2 lines, the newest: there may be more\n']);
  expect(readFileSync(file, 'utf8')).toBe('{}\n{}\n');
});

test('a refusal is told, and so is an export that breaks off', async () => {
  answer = (_request, response) => {
    response.writeHead(400);
    response.end('{"errors":[{"message":"column 2: expected a word","extensions":{"code":"BAD_QUERY"}}]}');
  };
  expect(await fleet(false, 'logs', 'export', '(')).toMatchObject({ out: '', code: 5 });
  answer = (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/x-ndjson', 'content-length': '100' });
    response.write('{}\n', () => response.destroy());
  };
  expect(await fleet(false, 'logs', 'export')).toMatchObject({
    out: '{}\n',
    err: expect.stringContaining('the export broke off after 1 lines'),
    code: 6,
  });
});
