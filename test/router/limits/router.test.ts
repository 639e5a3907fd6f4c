import type { Principal } from '../../../lib/call/principal.ts';
import { ADMIN_TOKEN, bearer, type Harbour, openHarbour, SHIP } from '../edge/support.ts';

const POOR: Principal = {
  id: 'key:poor',
  kind: 'SCRIPT',
  name: 'poor',
  scopes: ['viewer', 'agent'],
  requestsPerSecond: 2,
};
const NOTHING_BACK = { costPerRequest: 1e-6, costBurstS: 1e4 };

let harbour: Harbour;
beforeAll(async () => {
  harbour = await openHarbour();
  harbour.sea.tokens.set('poor-token', POOR);
});
afterAll(() => harbour.stop());

const SHIPS = `{ one: ship(id: "${SHIP}") { name } two: ship(id: "${SHIP}") { name crew } }`;

test('an answer tells its cost to who asks for it, by header or in the request, and to nobody else', async () => {
  const told = {
    requestedQueryCost: 2,
    actualQueryCost: 2,
    throttleStatus: { maximumAvailable: 1_000_000, currentlyAvailable: expect.any(Number), restoreRate: 100_000 },
  };
  const asked = (await harbour.ask(SHIPS, { headers: { 'x-cost': '1' } })) as { extensions?: object };
  expect(asked.extensions).toEqual({ cost: told });
  const response = await fetch(`${harbour.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...bearer(ADMIN_TOKEN) },
    body: JSON.stringify({ query: SHIPS, extensions: { cost: true } }),
  });
  expect(await response.json()).toMatchObject({ data: { one: { name: 'Argo' } }, extensions: { cost: told } });
  expect(await harbour.ask(SHIPS)).not.toHaveProperty('extensions');
  const telling = await harbour.another({ limits: { showsCost: true } });
  expect(await harbour.ask(SHIPS, { url: telling.url })).toMatchObject({ extensions: { cost: told } });
});

test('what is predicted is what is charged', async () => {
  const { url } = await harbour.another({ limits: { rates: { costPerRequest: 0.001, costBurstS: 1e6 } } });
  const fields = '{ limit cost remaining used resetAt }';
  const dry = await harbour.ask(`query ($dry: Boolean) { rateLimit(dryRun: $dry) ${fields} ${SHIPS.slice(1)}`, {
    url,
    variables: { dry: true },
  });
  // Nothing is run, and nothing charged.
  expect(dry).toMatchObject({
    data: { rateLimit: { limit: 1_000_000, cost: 3, remaining: 1_000_000, used: 0 }, one: null, two: null },
  });
  expect(Object.keys(dry.data)).toEqual(['rateLimit', 'one', 'two']);
  expect(dry.errors).toBeUndefined();
  const real = await harbour.ask(`query ($dry: Boolean) { rateLimit(dryRun: $dry) ${fields} ${SHIPS.slice(1)}`, {
    url,
    variables: { dry: false },
    headers: { 'x-cost': '1' },
  });
  const { rateLimit, one } = real.data;
  expect(rateLimit).toMatchObject({ cost: 3, used: 3, remaining: 999_997 });
  expect(Date.parse(rateLimit.resetAt)).toBeGreaterThan(Date.now());
  expect(one).toEqual({ name: 'Argo' });
  expect((real as { extensions?: object }).extensions).toMatchObject({
    cost: { requestedQueryCost: 3, actualQueryCost: 3, throttleStatus: { currentlyAvailable: 999_997 } },
  });
  const again = await harbour.ask(
    `{ ...L } fragment L on Query { standing: rateLimit(dryRun: true) { ...R } } fragment R on RateLimit { cost used }`,
    { url },
  );
  expect(again.data).toEqual({ standing: { cost: 1, used: 3 } });
});

test('beyond its rate a client gets 429 with the time to wait, and where it stands', async () => {
  const answers = await Promise.all(
    Array.from({ length: 12 }, () => harbour.ask('{ crews }', { token: 'poor-token' })),
  );
  const refused = answers.filter(({ status }) => status === 429);
  expect(answers.filter(({ status }) => status === 200).length + refused.length).toBe(12);
  expect(refused.length).toBeGreaterThanOrEqual(8);
  for (const { headers, errors } of refused) {
    expect(headers.get('retry-after')).toMatch(/^[12]$/);
    expect(headers.get('ratelimit')).toMatch(/^"requests";r=0;t=[12](, "cost";r=\d+;t=\d+)?$/);
    expect(headers.get('ratelimit-policy')).toMatch(/^"requests";q=2;w=1/);
    expect(errors?.[0]?.extensions).toMatchObject({
      code: 'RATE_LIMITED',
      retryable: true,
      retryAfterMs: expect.any(Number),
    });
  }
});

test('an operation that costs more than its client may ever use is refused for good', async () => {
  const { url } = await harbour.another({ limits: { rates: { costPerRequest: 0.001, costBurstS: 1 } } });
  const answer = await harbour.ask(SHIPS, { url });
  expect(answer).toMatchObject({
    status: 400,
    errors: [{ extensions: { code: 'QUERY_TOO_LARGE', retryable: false, cost: 2, limit: 1 } }],
  });
});

test('a class in dry run is answered whole, and told in the metrics', async () => {
  const { url } = await harbour.another({ limits: { rates: NOTHING_BACK, dryRun: ['query'] } });
  for (let at = 0; at < 13; at++) expect((await harbour.ask('{ crews }', { url })).status).toBe(200);
  const metrics = await (await fetch(`${url}/metrics`, { headers: bearer(ADMIN_TOKEN) })).text();
  expect(metrics).toContain('fleet_router_limit_decisions_total{class="query",outcome="admitted"} 10');
  expect(metrics).toContain('fleet_router_limit_decisions_total{class="query",outcome="would_refuse"} 3');
  expect(metrics).toContain('fleet_router_limit_decisions_total{class="query",outcome="refused"} 0');
});
