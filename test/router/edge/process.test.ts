import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { WebSocket } from 'ws';
import { freePort } from '../../../lib/postgres/local.ts';
import { composeSupergraph } from '../../../router/compose.ts';
import { builtOnce } from '../../support/build.ts';
import { until } from '../../support/until.ts';
import { ask, plainServer } from './support.ts';

const ROOT = path.resolve(__dirname, '../../..');
const FOLDER = mkdtempSync(path.join(tmpdir(), 'process-'));
const SDL = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9")
type Query { hello: String hung: String }`;

let subgraph: Awaited<ReturnType<typeof plainServer>>;
let hung = 0;
let supergraph: string;
beforeAll(async () => {
  await builtOnce();
  subgraph = await plainServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    if (body.includes('hung')) {
      hung += 1;
      return;
    }
    response.setHeader('content-type', 'application/json');
    response.end('{"data":{"hello":"you"}}');
  });
  supergraph = written('whole', composeSupergraph([{ name: 'hello', url: `${subgraph.url}/graphql`, sdl: SDL }]));
}, 180_000);
afterAll(() => subgraph.stop());

function written(name: string, text: string): string {
  const file = path.join(FOLDER, `${name}.graphql`);
  writeFileSync(file, text);
  return file;
}

interface Process {
  child: ChildProcess;
  url: string;
  port: number;
  /** What it wrote to stderr. */
  told: () => string;
  ended: Promise<[code: number | null, signal: string | null]>;
}

const running = new Set<Process>();
afterEach(async () => {
  for (const { child } of running) child.kill('SIGKILL');
  await Promise.all([...running].map(({ ended }) => ended));
  running.clear();
});

async function started(settings: Record<string, string>): Promise<Process> {
  const port = await freePort();
  const { NODE_OPTIONS: _, ...inherited } = process.env;
  const child = spawn(process.execPath, [path.join(ROOT, 'dist/router/main.js')], {
    env: { ...inherited, PORT: String(port), FLEET_LOG_LEVEL: 'error', ...settings },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let text = '';
  child.stderr?.on('data', (chunk) => {
    text += String(chunk);
  });
  const ended = new Promise<[number | null, string | null]>((resolve) =>
    child.once('close', (code, signal) => resolve([code, signal])),
  );
  const made = { child, url: `http://127.0.0.1:${port}`, port, told: () => text, ended };
  running.add(made);
  return made;
}

/** The answer of /health, undefined while nobody listens. */
function health(url: string): Promise<number | undefined> {
  return fetch(`${url}/health`).then(
    ({ status }) => status,
    () => undefined,
  );
}

test('several run side by side, and each is healthy no sooner than it answers', async () => {
  const routers = await Promise.all([1, 2].map(() => started({ SUPERGRAPH_PATH: supergraph })));
  await Promise.all(
    routers.map(async ({ url }) => {
      expect(await until(() => health(url))).toBe(200);
      expect(await ask(url, '{ hello }', { token: '' })).toMatchObject({ status: 200, data: { hello: 'you' } });
    }),
  );
});

test.each([
  ['no supergraph', () => ({}), 78, 'set SUPERGRAPH_PATH'],
  ['a folder', () => ({ SUPERGRAPH_PATH: FOLDER }), 78, 'is no file'],
  ['an empty file', () => ({ SUPERGRAPH_PATH: written('empty', '') }), 70, 'is no GraphQL'],
  ['a plain schema', () => ({ SUPERGRAPH_PATH: written('plain', 'type Query { a: Int }') }), 70, 'no Federation 2'],
  ['a port that is taken', () => ({ SUPERGRAPH_PATH: supergraph, PORT: new URL(subgraph.url).port }), 71, 'EADDRINUSE'],
  [
    'a measured one open to all',
    () => ({ SUPERGRAPH_PATH: supergraph, ROUTER_MODE: 'bench', HOST: '0.0.0.0', FLEET_ADMIN_TOKEN: 'x'.repeat(16) }),
    78,
    'for a loopback HOST',
  ],
  [
    'a measured one with a credential',
    () => ({ SUPERGRAPH_PATH: supergraph, ROUTER_MODE: 'audit', FLEET_ADMIN_TOKEN: 'x'.repeat(16) }),
    78,
    'without credentials',
  ],
])('with %s it ends by itself, and says why in one line', async (_, settings, code, reason) => {
  const { ended, told } = await started(settings());
  expect(await ended).toEqual([code, null]);
  expect(told()).toMatch(/^router: [^\n]+\n$/);
  expect(told()).toContain(reason);
});

test('SIGTERM ends it with 0, whatever clients and subgraphs do meanwhile', async () => {
  const { child, url, port, ended, told } = await started({ SUPERGRAPH_PATH: supergraph });
  await until(() => health(url));
  const head = ['POST /graphql HTTP/1.1', 'host: 127.0.0.1', 'content-type: application/json'];
  // Equal ones would share one call.
  const question = (alias: string) => `{"query":"{ ${alias}: hung }"}`;
  const asking = [`content-length: ${question('a').length}`, ''];
  const sockets = [
    [...head, ...asking, question('a')],
    [...head, 'accept: text/event-stream', ...asking, question('b')],
    [...head, 'content-length: 100', '', '{'],
    [...head, 'x-a:'],
    ['GET /livez HTTP/1.1', 'host: 127.0.0.1', '', ''],
    [],
  ].map((lines) => wireTo(port, lines));
  const socket = new WebSocket(`ws://127.0.0.1:${port}/graphql`, 'graphql-transport-ws');
  const closed = new Promise<number>((resolve) => socket.once('close', resolve));
  socket.once('open', () => socket.send('{"type":"connection_init"}'));
  socket.on('message', (message) => {
    if (String(message).includes('connection_ack')) {
      socket.send('{"id":"1","type":"subscribe","payload":{"query":"{ c: hung }"}}');
    }
  });
  await until(() => hung >= 3);
  child.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
  expect(await closed).toBe(1012);
  await until(() => sockets.every(({ destroyed }) => destroyed));
  expect(await health(url)).toBeUndefined();
  expect(told()).not.toContain('request.failed');
});

function wireTo(port: number, lines: string[]): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.on('close', () => socket.destroy());
  socket.resume();
  socket.write(lines.join('\r\n'));
  return socket;
}
