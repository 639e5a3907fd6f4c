import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { composeSupergraph } from '../../../router/compose.ts';
import { exitCodeOf } from '../../../router/exit-code.ts';
import { startStandalone } from '../../../router/standalone.ts';
import { ask, plainServer } from './support.ts';

const SDL = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
type Query { hello: String }`;

const FOLDER = mkdtempSync(path.join(tmpdir(), 'supergraphs-'));

/** Settings that name a file of this content. */
function made(name: string, content: string | Buffer): object {
  const at = path.join(FOLDER, `${name}.graphql`);
  writeFileSync(at, content);
  return { SUPERGRAPH_PATH: at };
}

let alterations = 0;
/** Settings that name a supergraph with something else in it. */
function altered(what: string | RegExp, by: string): object {
  const whole = composeSupergraph([{ name: 'hello', url: 'http://127.0.0.1:1/graphql', sdl: SDL }]);
  const text = whole.replace(what, by);
  if (text === whole) throw new Error(`${what} is not in the supergraph`);
  alterations += 1;
  return made(`altered-${alterations}`, text);
}

const FEDERATION_1 = `schema @core(feature: "https://specs.apollo.dev/core/v0.2")
  @core(feature: "https://specs.apollo.dev/join/v0.1", for: EXECUTION) { query: Query }
enum join__Graph { A @join__graph(name: "a", url: "http://127.0.0.1:1") }
type Query { a: Int @join__field(graph: A) }`;
const DISGUISED = `for: EXECUTION)
  @link(url: "https://specs.apollo.dev/authenticated/v0.1", as: "inaccessible", for: SECURITY)`;

let subgraph: Awaited<ReturnType<typeof plainServer>>;
let file: string;
beforeAll(async () => {
  subgraph = await plainServer((_request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end('{"data":{"hello":"you","__typename":"Query"}}');
  });
  file = path.join(mkdtempSync(path.join(tmpdir(), 'supergraph-')), 'supergraph.graphql');
  writeFileSync(file, composeSupergraph([{ name: 'hello', url: `${subgraph.url}/graphql`, sdl: SDL }]));
});
afterAll(() => subgraph.stop());

test('one file is enough: schema and addresses come from it, and everybody on this machine may ask', async () => {
  const router = await startStandalone({ SUPERGRAPH_PATH: file, PORT: '0', FLEET_LOG_LEVEL: 'error' });
  expect((await fetch(`${router.url}/health`)).status).toBe(200);
  expect((await fetch(`${router.url}/readyz`)).status).toBe(200);
  const answer = await ask(router.url, '{ hello __schema { queryType { name } } }', { token: '' });
  expect(answer).toMatchObject({ status: 200, data: { hello: 'you', __schema: { queryType: { name: 'Query' } } } });
  await router.stop();
});

test('with a token only its bearer may ask, also for the schema', async () => {
  const FLEET_ADMIN_TOKEN = 'sixteen-characters-or-more';
  const router = await startStandalone({
    SUPERGRAPH_PATH: file,
    PORT: '0',
    FLEET_ADMIN_TOKEN,
    FLEET_LOG_LEVEL: 'error',
  });
  expect((await ask(router.url, '{ hello }', { token: '' })).status).toBe(401);
  const answer = await ask(router.url, '{ hello __schema { queryType { name } } }', { token: FLEET_ADMIN_TOKEN });
  expect(answer).toMatchObject({ status: 200, data: { hello: 'you' } });
  await router.stop();
});

test('to be measured it counts no rates, and tells nobody that it does', async () => {
  const router = await startStandalone({
    SUPERGRAPH_PATH: file,
    PORT: '0',
    ROUTER_MODE: 'bench',
    FLEET_ADMIN_RPS: '1',
    FLEET_PAGE_RPS: '1',
    FLEET_COST_PER_REQUEST: '0.001',
  });
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask(router.url, '{ hello }', { token: '' })));
  expect(answers.every(({ status }) => status === 200)).toBe(true);
  expect(answers[0]?.headers.get('ratelimit')).toBeNull();
  const pages = await Promise.all(Array.from({ length: 20 }, () => fetch(`${router.url}/health`)));
  expect(pages.every(({ status }) => status === 200)).toBe(true);
  await router.stop();
});

test('to be measured it gives up nothing else: breaker, time, size of documents, names, metrics', async () => {
  const broken = await plainServer((_request, response) => {
    response.statusCode = 500;
    response.end();
  });
  const hung = await plainServer(() => undefined);
  const both = path.join(FOLDER, 'both.graphql');
  const fieldOf = (name: string) => SDL.replace('hello', name);
  writeFileSync(
    both,
    composeSupergraph([
      { name: 'broken', url: `${broken.url}/graphql`, sdl: fieldOf('broken') },
      { name: 'hung', url: `${hung.url}/graphql`, sdl: fieldOf('hung') },
    ]),
  );
  const router = await startStandalone({
    SUPERGRAPH_PATH: both,
    PORT: '0',
    ROUTER_MODE: 'bench',
    FLEET_LOG_LEVEL: 'error',
  });
  const told = async (query: string, headers = {}) => {
    const answer = await ask(router.url, query, { token: '', headers });
    return answer.errors?.[0]?.extensions.code;
  };
  expect(await told('{ hung }', { 'x-timeout-ms': '50' })).toBe('TIMEOUT');
  for (let at = 0; at < 10; at++) expect(await told('{ broken }')).toBe('SUBGRAPH_UNAVAILABLE');
  const metrics = await (await fetch(`${router.url}/metrics`)).text();
  expect(metrics).toContain('fleet_router_breaker_state{subgraph="broken"} 2');
  expect(metrics).toContain('fleet_router_breaker_state{subgraph="hung"} 0');
  expect(await told(`{ ${Array.from({ length: 1_000 }, (_, at) => `a${at}: hung`).join(' ')} }`)).toBe(
    'QUERY_TOO_LARGE',
  );
  expect((await fetch(`${router.url}/graphql?query={hung}`)).status).toBe(400);
  await router.stop();
  await broken.stop();
  await hung.stop();
});

test('only listed operations run where told so, but all where it is measured', async () => {
  const list = path.join(mkdtempSync(path.join(tmpdir(), 'list-')), 'listed.graphql');
  writeFileSync(list, 'query Listed { hello }');
  const told = { SUPERGRAPH_PATH: file, PORT: '0', FLEET_OPERATIONS: list, FLEET_OPERATIONS_ONLY: 'true' };
  const strict = await startStandalone({ ...told, FLEET_LOG_LEVEL: 'error' });
  expect(await ask(strict.url, 'query Listed { hello }', { token: '' })).toMatchObject({ data: { hello: 'you' } });
  const refused = await ask(strict.url, '{ hello }', { token: '' });
  expect(refused.errors?.[0]?.extensions.code).toBe('PERSISTED_QUERY_REQUIRED');
  await strict.stop();
  const measured = await startStandalone({ ...told, ROUTER_MODE: 'bench', FLEET_LOG_LEVEL: 'error' });
  expect(await ask(measured.url, '{ hello }', { token: '' })).toMatchObject({ data: { hello: 'you' } });
  await measured.stop();
  const start = (more: object) => startStandalone({ SUPERGRAPH_PATH: file, PORT: '0', ...more });
  await expect(start({ FLEET_OPERATIONS_ONLY: 'true' })).rejects.toThrow('set FLEET_OPERATIONS');
  await expect(start({ FLEET_OPERATIONS: '/nowhere.json' })).rejects.toThrow('nowhere.json');
});

test.each([
  ['no file', {}, 'set SUPERGRAPH_PATH'],
  ['a file that is not there', { SUPERGRAPH_PATH: '/nowhere.graphql' }, 'cannot be read'],
  ['a file that is no supergraph', { SUPERGRAPH_PATH: __filename }, 'no GraphQL: Syntax Error'],
  ['a folder', { SUPERGRAPH_PATH: __dirname }, 'is no file'],
  ['what never ends', { SUPERGRAPH_PATH: '/dev/zero' }, 'is no file'],
  ['an empty file', made('empty', ''), 'no GraphQL: Syntax Error: Unexpected <EOF>. (line 1, column 1)'],
  ['what is no text', made('bytes', Buffer.from([0x74, 0xff])), 'not UTF-8'],
  ['more than 10 MB', made('large', `# ${'x'.repeat(10_000_000)}`), 'over 10000000 bytes'],
  ['a plain schema', made('plain', 'type Query { a: Int }'), 'no Federation 2 supergraph'],
  ['a supergraph of Federation 1', made('first', FEDERATION_1), 'no Federation 2 supergraph'],
  ['a join specification of tomorrow', altered(/join\/v0\.\d/, 'join/v9.9'), 'reads v0.2 to v0.5'],
  ['security by a name that is another’s', altered('for: EXECUTION)', DISGUISED), 'does not enforce'],
  ['a subgraph without an address', altered(/, url: "http:[^"]*"/, ''), 'hello has no address'],
  ['a subgraph at no address', altered(/"http:[^"]*\/graphql"/, '"nowhere"'), 'hello has no address'],
  ['a subgraph that is no server', altered(/"http:[^"]*\/graphql"/, '"ftp://a/b"'), 'http or https'],
  ['no subgraphs', altered(/HELLO @join__graph[^\n]*/, 'NONE'), 'names no subgraph'],
  ['an open port for all the world', { HOST: '0.0.0.0' }, 'not loopback'],
  ['a mode nobody knows', { ROUTER_MODE: 'fast' }, 'neither audit nor bench'],
  [
    'a measured router that takes the tokens of others',
    { ROUTER_MODE: 'bench', FLEET_JWT_ISSUERS: 'https://issuer.example=https://issuer.example/jwks.json' },
    'without credentials',
  ],
  [
    'a measured router with credentials',
    { ROUTER_MODE: 'bench', FLEET_ADMIN_TOKEN: 'x'.repeat(16) },
    'without credentials',
  ],
])('it refuses to start with %s', async (_, environment, reason) => {
  await expect(startStandalone({ PORT: '0', ...environment })).rejects.toThrow(reason);
});

test('what it exits with tells a wrong setting, a port that is taken, and a supergraph that is none', async () => {
  const failure = (environment: object) =>
    startStandalone({ PORT: '0', ...environment }).then(
      () => undefined,
      (error: unknown) => error,
    );
  const taken = new URL(subgraph.url).port;
  const codes = await Promise.all(
    [
      { FLEET_NO_SUCH: '1' },
      { SUPERGRAPH_PATH: '/nowhere.graphql' },
      { SUPERGRAPH_PATH: file, PORT: taken },
      { SUPERGRAPH_PATH: __filename },
    ].map(async (environment) => exitCodeOf(await failure(environment))),
  );
  expect(codes).toEqual([78, 78, 71, 70]);
});
