import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import type { AnyShape } from '../../support/house.ts';
import { until } from '../../support/until.ts';
import { ADMIN_TOKEN, bearer, type Harbour, openHarbour, SHIP } from './support.ts';

let harbour: Harbour;
beforeAll(async () => {
  const examples = mkdtempSync(path.join(tmpdir(), 'examples-'));
  writeFileSync(path.join(examples, 'fleet.graphql'), 'query Fleet { crews }');
  writeFileSync(path.join(examples, 'fleet.json'), '{"a":1}');
  writeFileSync(path.join(examples, 'other.graphql'), 'query Other { crews }');
  harbour = await openHarbour({
    corsOrigins: ['https://console.example'],
    explorer: { examples },
    metrics: async () => 'more 1\n',
  });
});
afterAll(() => harbour.stop());

const JSON_TYPE = { 'content-type': 'application/json' };

function get(target: string, headers: Record<string, string> = {}, token = ADMIN_TOKEN) {
  return fetch(`${harbour.url}${target}`, { headers: { ...bearer(token), ...headers } });
}

function post(body: string | Uint8Array, headers: Record<string, string> = JSON_TYPE, target = '/graphql') {
  return fetch(`${harbour.url}${target}`, {
    method: 'POST',
    headers: { ...bearer(ADMIN_TOKEN), ...headers },
    body: body as never,
  });
}

async function refusalOf(response: Response) {
  const body = (await response.json()) as AnyShape;
  return { status: response.status, code: body.errors[0].extensions.code, message: body.errors[0].message };
}

test('a query over two houses is answered whole', async () => {
  const query = 'query Ship($id: ID!) { ship(id: $id) { name crew } crews }';
  const answer = await harbour.ask(query, { variables: { id: SHIP } });
  expect(answer).toMatchObject({ status: 200, data: { ship: { name: 'Argo', crew: 50 }, crews: 1 } });
  expect(answer.errors).toBeUndefined();
});

test('every answer forbids sniffing and storing, and names its request and the caller’s rate', async () => {
  const { headers } = await harbour.ask('{ crews }');
  expect(headers.get('cache-control')).toBe('no-store');
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  expect(headers.get('ratelimit')).toMatch(/^"requests";r=\d+;t=\d+, "cost";r=\d+;t=\d+$/);
  expect(headers.get('ratelimit-policy')).toBe('"requests";q=1000;w=1, "cost";q=1000000;qu="points";w=10');
});

test.each([
  ['application/graphql-response+json', 'application/graphql-response+json; charset=utf-8'],
  ['application/json', 'application/json; charset=utf-8'],
  ['*/*', 'application/json; charset=utf-8'],
  ['text/html;q=0.9, application/graphql-response+json;q=0.5', 'application/graphql-response+json; charset=utf-8'],
])('accept %s is answered as %s', async (accept, type) => {
  const { headers } = await harbour.ask('{ crews }', { headers: { accept } });
  expect(headers.get('content-type')).toBe(type);
});

test.each([
  ['a text that is no GraphQL', '{ crews', {}, 400],
  ['a field nobody has', '{ crew }', {}, 400],
  ['a variable of the wrong type', 'query ($id: ID!) { ship(id: $id) { name } }', {}, 400],
])('%s is 400', async (_, query, variables, status) => {
  const answer = await harbour.ask(query, { variables });
  expect(answer.status).toBe(status);
  expect(answer.data).toBeUndefined();
  expect(answer.errors?.[0]?.extensions).toMatchObject({ requestId: answer.headers.get('x-request-id') });
});

test('an unknown operation name is 400', async () => {
  const response = await post(JSON.stringify({ query: 'query A { crews }', operationName: 'B' }));
  expect((await refusalOf(response)).status).toBe(400);
});

test('a misspelt field is not told what its neighbours are called to who may not read the schema', async () => {
  harbour.sea.tokens.set('blind', { id: 'key:blind', kind: 'SCRIPT', name: 'blind', scopes: ['viewer'] });
  const { errors } = await harbour.ask('{ crewz }', { token: 'blind' });
  expect(errors?.[0]?.message).toContain('crewz');
  expect(JSON.stringify(errors)).not.toContain('Did you mean');
});

test.each([
  ['a batch', '[{"query":"{ crews }"}]', 'BAD_INPUT'],
  ['no JSON', '{"query"', 'BAD_INPUT'],
  ['no object', '"text"', 'BAD_INPUT'],
  ['no query', '{}', 'BAD_INPUT'],
  ['an operation name that is no text', '{"query":"{ crews }","operationName":1}', 'BAD_INPUT'],
  ['variables that are no object', '{"query":"{ crews }","variables":[1]}', 'BAD_INPUT'],
  ['extensions that are no object', '{"query":"{ crews }","extensions":1}', 'BAD_INPUT'],
  [
    'variables of a hundred levels',
    `{"query":"{ crews }","variables":${'{"a":'.repeat(100)}1${'}'.repeat(100)}}`,
    'QUERY_TOO_LARGE',
  ],
])('%s is refused', async (_, body, code) => {
  expect(await refusalOf(await post(body))).toMatchObject({ status: 400, code });
});

test('bytes that are no UTF-8 are refused', async () => {
  const body = Buffer.concat([
    Buffer.from('{"query":"{ crews }","variables":{"a":"'),
    Buffer.from([0xc3, 0x28]),
    Buffer.from('"}}'),
  ]);
  expect(await refusalOf(await post(body))).toMatchObject({ status: 400, message: 'the body is not UTF-8' });
});

test('a body over a megabyte is 413, told whole or in pieces', async () => {
  const body = JSON.stringify({ query: '{ crews }', variables: { text: 'x'.repeat(1_000_001) } });
  expect(await refusalOf(await post(body))).toMatchObject({ status: 413, code: 'QUERY_TOO_LARGE' });
  const pieces = new ReadableStream({
    start(controller) {
      for (let at = 0; at < body.length; at += 100_000) controller.enqueue(Buffer.from(body.slice(at, at + 100_000)));
      controller.close();
    },
  });
  const answered = fetch(`${harbour.url}/graphql`, {
    method: 'POST',
    headers: { ...bearer(ADMIN_TOKEN), ...JSON_TYPE },
    body: pieces,
    duplex: 'half',
  } as RequestInit);
  expect(await refusalOf(await answered)).toMatchObject({ status: 413, code: 'QUERY_TOO_LARGE' });
});

test.each([
  ['text/plain', 415],
  ['application/json; charset=latin1', 415],
])('a body of type %s is %d', async (type, status) => {
  expect((await refusalOf(await post('{"query":"{ crews }"}', { 'content-type': type }))).status).toBe(status);
});

test('an answer nobody here can give is 406, another method 405', async () => {
  const headers = { ...JSON_TYPE, accept: 'text/html' };
  expect((await refusalOf(await post('{"query":"{ crews }"}', headers))).status).toBe(406);
  const patch = await fetch(`${harbour.url}/graphql`, { method: 'PATCH', headers: bearer(ADMIN_TOKEN), body: '{}' });
  expect(patch.status).toBe(405);
  expect(patch.headers.get('allow')).toBe('GET, POST, PUT, DELETE');
});

test('a GET answers queries only, and only for who could not be a foreign page', async () => {
  const query = `/graphql?query=${encodeURIComponent('query A { crews } mutation B { sail(to: "x") }')}`;
  const csrf = { 'x-fleet-csrf': '1' };
  expect(await (await get(`${query}&operationName=A&variables={}`, csrf)).json()).toEqual({ data: { crews: 1 } });
  expect((await get(`${query}&operationName=A`, { 'apollo-require-preflight': '1' })).status).toBe(200);
  expect((await get(`${query}&operationName=A`, JSON_TYPE)).status).toBe(200);
  expect(await refusalOf(await get(`${query}&operationName=A`))).toMatchObject({ status: 400, code: 'BAD_INPUT' });
  expect((await get(`${query}&operationName=B`, csrf)).status).toBe(405);
  expect((await get(`${query}&operationName=A&variables={`, csrf)).status).toBe(400);
  expect((await get('/graphql', csrf)).status).toBe(400);
});

test('a subscription by plain POST is told how to subscribe', async () => {
  const answer = await harbour.ask('subscription { shipMoved { cursor } }');
  expect(answer).toMatchObject({ status: 400, errors: [{ message: expect.stringContaining('text/event-stream') }] });
});

test('the caller’s trace goes on to the houses; without one a new one begins', async () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const { errors } = await harbour.ask('{ broken }', { headers: { traceparent } });
  expect(harbour.sea.calls.at(-1)).toMatchObject({ traceparent, clientIp: '127.0.0.1', principal: { id: 'admin' } });
  expect(errors?.[0]?.extensions).toMatchObject({ code: 'INTERNAL', traceId: '0af7651916cd43dd8448eb211c80319c' });
  expect(JSON.stringify(errors)).not.toContain('10.0.0.1');
  await harbour.ask('{ ship(id: "x") { name } }', { headers: { traceparent: 'nonsense' } });
  expect(harbour.sea.calls.at(-1)?.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
});

test('an idempotency key goes with the call, and one that is none is refused', async () => {
  await harbour.ask('mutation { sail(to: "Colchis") }', { headers: { 'idempotency-key': 'once' } });
  expect(harbour.sea.calls.at(-1)).toMatchObject({ idempotencyKey: 'once' });
  const long = await harbour.ask('{ crews }', { headers: { 'idempotency-key': 'k'.repeat(256) } });
  expect(long).toMatchObject({ status: 400, errors: [{ extensions: { code: 'BAD_INPUT' } }] });
  const cursor = await harbour.ask('{ crews }', { headers: { 'last-event-id': 'c'.repeat(3_000) } });
  expect(cursor).toMatchObject({ status: 400, errors: [{ extensions: { code: 'BAD_CURSOR' } }] });
});

test('a caller who leaves ends the calls made for him', async () => {
  let open = () => {};
  harbour.sea.gate = new Promise((resolve) => {
    open = resolve;
  });
  const leaving = new AbortController();
  const asked = fetch(`${harbour.url}/graphql`, {
    method: 'POST',
    headers: { ...JSON_TYPE, ...bearer(ADMIN_TOKEN) },
    body: '{"query":"{ slow }"}',
    signal: leaving.signal,
  });
  const circuit = harbour.router.guard.circuits.get('ships');
  await until(() => circuit?.inFlight === 1);
  leaving.abort();
  await expect(asked).rejects.toThrow();
  await until(() => circuit?.inFlight === 0);
  expect(circuit?.state.phase).toBe('CLOSED');
  open();
});

test('health, life and readiness are told to anybody; details of a fault are not', async () => {
  expect((await get('/livez', {}, '')).status).toBe(200);
  expect((await get('/health', {}, '')).status).toBe(200);
  expect(await (await get('/readyz', {}, '')).json()).toEqual({ status: 'ready' });
  const verbose = await (await get('/readyz?verbose', {}, 'wrong')).json();
  expect(verbose).toEqual({
    status: 'ready',
    subgraphs: [
      { name: 'crews', ready: true, breaker: 'CLOSED' },
      { name: 'ships', ready: true, breaker: 'CLOSED' },
    ],
  });
});

test('a platform’s router is in health once its houses have been ready, and stays so', async () => {
  harbour.sea.isAwake = false;
  const platform = await harbour.another({ readyQuery: '{ crews }' });
  const early = await fetch(`${platform.url}/health`);
  expect([early.status, early.headers.get('retry-after'), await early.json()]).toEqual([
    503,
    '1',
    { status: 'starting' },
  ]);
  expect(platform.guard.circuits.get('crews')?.state).toMatchObject({ phase: 'CLOSED' });
  harbour.sea.isAwake = true;
  expect((await fetch(`${platform.url}/health`)).status).toBe(200);
  harbour.sea.isAwake = false;
  expect(await (await fetch(`${platform.url}/health`)).json()).toEqual({ status: 'ok' });
  harbour.sea.isAwake = true;
});

test('a router is not ready while a house does not answer, or its query is not whole', async () => {
  const lame = await harbour.another({ readyQuery: '{ crews broken }' });
  expect((await fetch(`${lame.url}/readyz`)).status).toBe(503);
  const misled = await harbour.another({ readyQuery: '{ nothing }' });
  expect((await fetch(`${misled.url}/readyz`)).status).toBe(503);
  const lonely = await harbour.another({ houses: {} });
  const response = await fetch(`${lonely.url}/readyz?verbose`, { headers: bearer(ADMIN_TOKEN) });
  const { subgraphs } = (await response.json()) as AnyShape;
  expect(response.status).toBe(503);
  expect(subgraphs[0]).toMatchObject({ name: 'crews', ready: false, reason: expect.any(String) });
});

test('the page is served from here, with examples, a strict policy and no address of others', async () => {
  const page = await get('/', {}, '');
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  const html = await page.text();
  const sources = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, source]) => source as string);
  expect(sources.length).toBeGreaterThan(5);
  expect(sources.filter((source) => /^(https?:)?\/\//.test(source))).toEqual([]);
  for (const source of sources.filter((each) => !each.startsWith('data:'))) {
    expect((await get(`/${source}`, {}, '')).status).toBe(200);
  }
  expect(await (await get('/explorer/examples.json', {}, '')).json()).toEqual([
    { query: 'query Fleet { crews }', variables: '{"a":1}' },
    { query: 'query Other { crews }' },
  ]);
  const etag = page.headers.get('etag') as string;
  expect((await get('/', { 'if-none-match': etag }, '')).status).toBe(304);
});

test('a router without a page, or without examples, says so', async () => {
  const bare = await harbour.another({ explorer: false });
  expect((await fetch(`${bare.url}/`)).status).toBe(401);
  const plain = await harbour.another({ explorer: {} });
  expect(await (await fetch(`${plain.url}/explorer/examples.json`)).json()).toEqual([]);
  const nowhere = await harbour.another({ explorer: { examples: '/nowhere' } });
  expect(await (await fetch(`${nowhere.url}/explorer/examples.json`)).json()).toEqual([]);
});

test('a listed origin may call from a browser, another may not', async () => {
  const origin = 'https://console.example';
  const asked = await fetch(`${harbour.url}/graphql`, { method: 'OPTIONS', headers: { origin } });
  expect(asked.status).toBe(204);
  expect(asked.headers.get('access-control-allow-origin')).toBe(origin);
  const allowed = asked.headers.get('access-control-allow-headers')?.split(', ');
  expect(allowed).toEqual(expect.arrayContaining(['authorization', 'content-encoding', 'x-cost', 'x-priority']));
  expect(allowed).toEqual(expect.arrayContaining(['x-timeout-ms', 'idempotency-key', 'x-fleet-csrf', 'last-event-id']));
  const answered = await harbour.ask('{ crews }', { headers: { origin } });
  expect(answered.headers.get('access-control-allow-origin')).toBe(origin);
  const foreign = await fetch(`${harbour.url}/graphql`, {
    method: 'OPTIONS',
    headers: { origin: 'https://evil.example' },
  });
  expect(foreign.status).toBe(401);
  expect(foreign.headers.get('access-control-allow-origin')).toBeNull();
});

test('metrics are scraped with a bearer token, and count what was asked', async () => {
  await harbour.ask('query Counted { crews }');
  expect((await get('/metrics', {}, '')).status).toBe(401);
  const text = await (await get('/metrics')).text();
  expect(text).toContain('fleet_router_requests_total{kind="query",name="Counted",code="OK"} 1');
  expect(text).toMatch(/fleet_router_subgraph_calls_total{subgraph="crews",outcome="ok"} \d+/);
  expect(text).toContain('fleet_router_breaker_state{subgraph="ships"} 0');
  expect(text).not.toContain('nodejs_eventloop_lag_p99_seconds');
  expect(text).toMatch(/fleet_router_http_responses_total{route="\/metrics",status="401"} 1/);
  expect(text).toContain('more 1');
});

test('a router alone tells its process’s figures itself', async () => {
  const { url } = await harbour.another({ metrics: undefined as never });
  const text = await (await fetch(`${url}/metrics`, { headers: bearer(ADMIN_TOKEN) })).text();
  expect(text).toContain('nodejs_eventloop_lag_p99_seconds');
  const types = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
  expect(new Set(types).size).toBe(types.length);
});

test('what is not there is 404 for those who are known', async () => {
  expect(await refusalOf(await get('/nothing'))).toMatchObject({ status: 404, code: 'NOT_FOUND' });
  expect(await refusalOf(await get('/nothing', {}, ''))).toMatchObject({ status: 401, code: 'UNAUTHENTICATED' });
});

test('telemetry is handed to its house unpacked, as its caller, and the answer handed back', async () => {
  const { sea } = harbour;
  sea.ingestAnswer = {
    status: 429,
    headers: { 'content-type': 'application/x-protobuf', 'retry-after': '7' },
    body: 'busy',
  };
  const packed = gzipSync('{"resourceLogs":[]}');
  const response = await post(packed, { ...JSON_TYPE, 'content-encoding': 'gzip' }, '/v1/logs');
  expect(response.status).toBe(429);
  expect(response.headers.get('retry-after')).toBe('7');
  expect(response.headers.get('content-type')).toBe('application/x-protobuf');
  expect(await response.text()).toBe('busy');
  expect(sea.ingested.at(-1)?.body.toString()).toBe('{"resourceLogs":[]}');
  expect(sea.ingested.at(-1)?.call.principal.id).toBe('admin');
});

test('a house that is too busy to make a file says so, and its breaker stays closed', async () => {
  const { sea } = harbour;
  const routes = { 'GET /v1/logs/export': { subgraph: 'ships', scopes: ['viewer'], isDownload: true } };
  const { url, guard } = await harbour.another({ routes });
  const busy = { errors: [{ message: 'busy', extensions: { code: 'OVERLOADED', retryAfterMs: 5_000 } }] };
  sea.ingestAnswer = { status: 503, headers: { 'retry-after': '5' }, body: JSON.stringify(busy) };
  for (let time = 0; time < 30; time++) {
    const response = await fetch(`${url}/v1/logs/export`, { headers: bearer(ADMIN_TOKEN) });
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
    await response.text();
  }
  expect(guard.circuits.get('ships')?.state.phase).toBe('CLOSED');
});

test.each([
  ['a bomb', () => gzipSync(Buffer.alloc(17_000_000)), 'gzip', 413],
  ['what is no gzip', () => Buffer.from('text'), 'gzip', 400],
  ['what is no brotli', () => Buffer.from('text'), 'br', 400],
  ['another packing', () => Buffer.from('text'), 'zstd', 415],
])('telemetry: %s is refused', async (_, body, encoding, status) => {
  const response = await post(body(), { ...JSON_TYPE, 'content-encoding': encoding }, '/v1/logs');
  expect(response.status).toBe(status);
});
