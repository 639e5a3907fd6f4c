import { WebSocket } from 'ws';
import { ROUTES } from '../../../cli/platform/router.ts';
import type { Principal } from '../../../lib/call/principal.ts';
import { EXPLORER_PATHS } from '../../../router/explorer/explorer.ts';
import type { IngestRoute } from '../../../router/http/ingest.ts';
import { FIXED_ROUTES } from '../../../router/http/listener.ts';
import { ADMIN_TOKEN, bearer, type Harbour, openHarbour } from '../edge/support.ts';

/** Three of everything, of which nothing comes back while a test runs. */
const LIMIT = 3;
const CALLER: Principal = {
  id: 'key:caller',
  kind: 'SCRIPT',
  name: 'caller',
  scopes: ['viewer', 'operator', 'agent'],
  requestsPerSecond: LIMIT,
};

interface Row {
  /** Headers and body that the route answers well. */
  headers?: Record<string, string>;
  body?: string;
  /** What it answers within its limit; 200 unless given. */
  status?: number;
  /** What its limit is called in metrics. */
  limitedBy: string;
}

const JSON_BODY = { 'content-type': 'application/json' };
/** One row for each route the platform has; a route without one fails below. */
const ROWS: Record<string, Row> = {
  ...Object.fromEntries(EXPLORER_PATHS.map((path) => [`GET ${path}`, { limitedBy: path }])),
  'GET /graphql': { headers: { 'x-fleet-csrf': '1' }, limitedBy: 'query' },
  'POST /graphql': { headers: JSON_BODY, body: '{"query":"{ crews }"}', limitedBy: 'query' },
  'PUT /graphql': { status: 201, limitedBy: 'subscription' },
  'DELETE /graphql': { status: 404, limitedBy: 'subscription' },
  'GET /metrics': { limitedBy: '/metrics' },
  'GET /livez': { limitedBy: '/livez' },
  'GET /readyz': { limitedBy: '/readyz' },
  'GET /health': { limitedBy: '/health' },
  // Whoever has not signed is told so, and as seldom as anybody.
  'POST /internal/replicas': { status: 401, limitedBy: '/internal/replicas' },
  'POST /v1/logs': { headers: JSON_BODY, body: '{"resourceLogs":[]}', limitedBy: '/v1/logs' },
  'POST /v1/logs/lines': {
    headers: { 'content-type': 'application/x-ndjson' },
    body: '{}',
    limitedBy: '/v1/logs/lines',
  },
  'GET /v1/logs/export': { limitedBy: '/v1/logs/export' },
  'POST /v1/metrics': { headers: JSON_BODY, body: '{"resourceMetrics":[]}', limitedBy: '/v1/metrics' },
  'POST /v1/traces': { headers: JSON_BODY, body: '{"resourceSpans":[]}', limitedBy: '/v1/traces' },
  'POST /v1/profiles': { headers: JSON_BODY, body: '{}', limitedBy: '/v1/profiles' },
  'GET /v1/profiles': { limitedBy: '/v1/profiles' },
  'GET /v1/audit/export': { limitedBy: '/v1/audit/export' },
  'GET /discovery/endpoints': { limitedBy: '/discovery/endpoints' },
  'GET /discovery/http_sd': { limitedBy: '/discovery/http_sd' },
  'GET /discovery/dns-sd': { limitedBy: '/discovery/dns-sd' },
  'POST /v1/audit/witness/add-checkpoint': { body: 'old 0', limitedBy: '/v1/audit/witness/add-checkpoint' },
};
const PUBLIC_ROUTES = [...FIXED_ROUTES, ...Object.keys(ROUTES)];
/** Limited like any other, though nobody answers there. */
const NOWHERE: Record<string, Row> = {
  'GET /nowhere': { status: 404, limitedBy: '\\(others\\)' },
  'POST /nowhere': { status: 404, limitedBy: '\\(others\\)' },
  'PATCH /graphql': { status: 405, limitedBy: '/graphql' },
  // The platform has no house that takes remote write yet: the day it has, it is limited.
  'POST /api/v1/write': {
    headers: { 'content-type': 'application/x-protobuf' },
    body: 'x',
    limitedBy: '/api/v1/write',
  },
};

let harbour: Harbour;
/** Who may ask is another test's: here whoever asks is counted. */
const routeOf = (isDownload: boolean): IngestRoute => ({
  subgraph: 'ships',
  ...(isDownload ? { isDownload, scopes: ['viewer'] } : {}),
});
const routes: Record<string, IngestRoute> = Object.fromEntries(
  [...Object.keys(ROUTES), 'POST /api/v1/write'].map((route) => [route, routeOf(ROUTES[route]?.isDownload ?? false)]),
);
const opened = () =>
  harbour.another({
    routes,
    discovery: { registrationKeys: [Buffer.alloc(32)] },
    limits: { rates: { pagesPerSecond: LIMIT } },
  });
beforeAll(async () => {
  harbour = await openHarbour();
  harbour.sea.tokens.set('caller-token', CALLER);
});
afterAll(() => harbour.stop());

test('every public route has a row here', () => {
  expect(Object.keys(ROWS).sort()).toEqual([...PUBLIC_ROUTES].sort());
});

test.each([...PUBLIC_ROUTES, ...Object.keys(NOWHERE)])(
  '%s is limited, says so with its headers, and is counted',
  async (route) => {
    const { headers = {}, body, limitedBy, status: well = 200 } = { ...NOWHERE, ...ROWS }[route] as Row;
    const { url, stop } = await opened();
    const [method = '', path = ''] = route.split(' ');
    const query = route === 'GET /graphql' ? `?query=${encodeURIComponent('{ crews }')}` : '';
    const answers = await Promise.all(
      Array.from({ length: 40 }, () =>
        fetch(`${url}${path}${query}`, {
          method,
          headers: { ...bearer('caller-token'), ...headers },
          ...(body ? { body } : {}),
        }),
      ),
    );
    const texts = await Promise.all(answers.map((answer) => answer.text()));
    const limited = answers.filter(({ status }) => status === 429);
    expect(limited.length).toBeGreaterThan(0);
    expect(answers.filter(({ status }) => status === well).length).toBe(40 - limited.length);
    for (const { status, headers: told } of answers) {
      expect(told.get('ratelimit')).toMatch(/^"requests";r=\d+;t=\d+/);
      expect(told.get('ratelimit-policy')).toMatch(/^"requests";q=3;w=1/);
      if (status === 429) expect(Number(told.get('retry-after'))).toBeGreaterThanOrEqual(1);
    }
    expect(texts.filter((text) => text.includes('"RATE_LIMITED"'))).toHaveLength(limited.length);
    const counted = await (await fetch(`${url}/metrics`, { headers: bearer(ADMIN_TOKEN) })).text();
    if (path !== '/metrics') expect(counted).toMatch(new RegExp(`class="${limitedBy}",outcome="refused"} [1-9]`));
    await stop();
  },
);

test.each([
  ['bytes', { ingestBytesPerSecond: 1 }, 'x'.repeat(9_000_000), '0'],
  ['records', { ingestRecordsPerSecond: 0.5 }, '{}', '5'],
])('telemetry over its %s a second is refused with the time to wait', async (_, rates, body, records) => {
  const { url, stop } = await harbour.another({ routes, limits: { rates } });
  harbour.sea.ingestAnswer = { status: 200, headers: { 'x-fleet-records': records }, body: '{}' };
  const send = () =>
    fetch(`${url}/v1/logs`, { method: 'POST', headers: { ...JSON_BODY, ...bearer(ADMIN_TOKEN) }, body });
  const first = await send();
  expect([first.status, first.headers.get('x-fleet-records')]).toEqual([200, null]);
  const second = await send();
  expect(second.status).toBe(429);
  expect(Number(second.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  expect(second.headers.get('ratelimit')).toMatch(/"bytes";r=\d+;t=\d+, "records";r=\d+;t=\d+$/);
  await stop();
});

test('opening streams is limited, over server-sent events and on a socket', async () => {
  const { url, stop } = await opened();
  const query = 'subscription { shipMoved { cursor } }';
  const leaving = new AbortController();
  const opens = await Promise.all(
    Array.from({ length: 20 }, () =>
      fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { ...JSON_BODY, accept: 'text/event-stream', ...bearer('caller-token') },
        body: JSON.stringify({ query }),
        signal: leaving.signal,
      }),
    ),
  );
  const statuses = opens.map(({ status }) => status);
  expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(LIMIT);
  expect(statuses.filter((status) => status === 429).length).toBeGreaterThan(0);
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  const codes = await new Promise<string[]>((resolve) => {
    const refused: string[] = [];
    socket.on('open', () =>
      socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: 'Bearer caller-token' } })),
    );
    socket.on('message', (text) => {
      const { type, payload } = JSON.parse(String(text));
      if (type === 'connection_ack') {
        for (let id = 0; id < 20; id++)
          socket.send(JSON.stringify({ id: String(id), type: 'subscribe', payload: { query } }));
      }
      if (type === 'error') refused.push(payload[0].extensions.code);
      if (refused.length >= 10) resolve(refused);
    });
  });
  expect(new Set(codes)).toEqual(new Set(['RATE_LIMITED']));
  socket.terminate();
  leaving.abort();
  await stop();
});
