import { spawnSync } from 'node:child_process';
import { buildSchema, parse } from 'graphql';
import { coordinateOf } from '../../../router/metrics/coordinates.ts';
import { bearer, type Harbour, openHarbour, SHIP } from './support.ts';

let harbour: Harbour;
beforeAll(async () => {
  harbour = await openHarbour();
});
afterAll(() => harbour.stop());

const TOKEN = 'admin-token-of-the-tests';
const scrape = async (url = harbour.url) => (await fetch(`${url}/metrics`, { headers: bearer(TOKEN) })).text();

/** Series → value. */
function seriesOf(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

test('what was asked is counted to the last call', async () => {
  const { url } = await harbour.another();
  const ask = (query: string) => harbour.ask(query, { url });
  for (let time = 0; time < 5; time++) await ask(`query Five { ship(id: "${SHIP}") { name crew } }`);
  for (let time = 0; time < 3; time++) await ask('query Broken { broken crews }');
  await ask('mutation Sail { sail(to: "Ithaca") }');
  await ask('{ nonsense }');
  await ask(`{ router { version } }`);
  const series = seriesOf(await scrape(url));
  const told = (name: string) => series.get(`fleet_router_${name}`);
  expect(told('requests_total{kind="query",name="Five",code="OK"}')).toBe(5);
  expect(told('requests_total{kind="query",name="Broken",code="OK"}')).toBe(0);
  expect(told('requests_total{kind="query",name="Broken",code="INTERNAL"}')).toBe(3);
  expect(told('requests_total{kind="mutation",name="Sail",code="OK"}')).toBe(1);
  expect(told('requests_total{kind="refused",name="",code="BAD_QUERY"}')).toBe(1);
  expect(told('request_duration_seconds_count{kind="query",name="Five"}')).toBe(5);
  expect(told('request_duration_seconds_bucket{kind="query",name="Five",le="+Inf"}')).toBe(5);
  expect(told('subgraph_calls_total{subgraph="ships",outcome="ok"}')).toBe(6);
  expect(told('subgraph_calls_total{subgraph="ships",outcome="failed"}')).toBe(3);
  expect(told('subgraph_calls_total{subgraph="crews",outcome="ok"}')).toBe(8);
  expect(told('subgraph_call_duration_seconds_count{subgraph="crews"}')).toBe(8);
  expect(told('field_errors_total{coordinate="Query.broken",code="INTERNAL"}')).toBe(3);
  expect(told('http_responses_total{route="/graphql",status="200"}')).toBe(10);
  expect(told('cache_entries{cache="documents"}')).toBe(5);
  expect(told('cache_misses_total{cache="plans"}')).toBe(4);
  expect(told('cache_hits_total{cache="plans"}')).toBe(6);
  expect(told('breaker_state{subgraph="ships"}')).toBe(0);
  expect(told('replica_breaker_state{subgraph="ships",replica="0"}')).toBe(0);
  expect(told('replica_healthy{subgraph="crews",replica="0"}')).toBe(1);
  expect(told('subgraph_in_flight{subgraph="ships"}')).toBe(0);
  expect(told('subgraph_waiting{subgraph="ships"}')).toBe(0);
  expect(told('subgraph_in_flight_limit{subgraph="ships"}')).toBeGreaterThan(0);
  expect(told('cache_entries{cache="persisted"}')).toBe(0);
  expect(told('cache_entries{cache="stale"}')).toBe(0);
  expect(told('operations_in_flight')).toBe(0);
  expect(told('queue_waiting{priority="script"}')).toBe(0);
  expect(told('schema_generation')).toBe(1);
  expect(told('subscriptions')).toBe(0);
  expect(told('event_loop_delay_seconds_count')).toBeGreaterThan(0);
});

test('clients that make up names share one series', async () => {
  const { url } = await harbour.another({ limits: { adminPerSecond: 10_000 } });
  for (let time = 0; time < 105; time++) await harbour.ask(`query N${time} { crews }`, { url });
  await harbour.ask(`query ${'N'.repeat(101)} { crews }`, { url });
  await harbour.ask('query N104 { broken }', { url });
  const series = seriesOf(await scrape(url));
  expect(series.get('fleet_router_requests_total{kind="query",name="N99",code="OK"}')).toBe(1);
  expect(series.get('fleet_router_requests_total{kind="query",name="(others)",code="OK"}')).toBe(6);
  expect(series.get('fleet_router_requests_total{kind="query",name="(others)",code="INTERNAL"}')).toBe(1);
  expect(series.has('fleet_router_requests_total{kind="query",name="N100",code="OK"}')).toBe(false);
});

test('the format is Prometheus’, every metric with its type and its help', async () => {
  // prom-client's own figures of the process do not keep the rules of names.
  const { url } = await harbour.another({ metrics: async () => '' });
  await harbour.ask('{ broken crews }', { url });
  const text = await scrape(url);
  const names = new Set([...seriesOf(text).keys()].map((key) => key.replace(/\{.*/, '')));
  const kinds = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, kind]) => [name, kind]));
  const helps = new Set([...text.matchAll(/^# HELP (\S+) \S.*$/gm)].map(([, name]) => name));
  for (const name of names) {
    const family = kinds.has(name) ? name : name.replace(/_(bucket|sum|count)$/, '');
    expect([name, kinds.has(family), helps.has(family)]).toEqual([name, true, true]);
    if (name === family) expect([name, name.endsWith('_total')]).toEqual([name, kinds.get(family) === 'counter']);
  }
  const promtool = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
  if (promtool.error) expect((promtool.error as NodeJS.ErrnoException).code).toBe('ENOENT');
  else expect(promtool.stdout + promtool.stderr).toBe('');
});

describe('the coordinate of an error', () => {
  const schema = buildSchema(`
    type Query { pets: [Pet] cat: Cat }
    interface Pet { name: String friend: Pet }
    type Cat implements Pet { name: String friend: Pet lives: Int }`);
  const document = parse(`query A { all: pets { ...P ... on Cat { left: lives } } } query B { cat { lives } }
    fragment P on Pet { friend { friend { name } } }`);
  test.each([
    [['all'], 'Query.pets'],
    [['all', 0, 'left'], 'Cat.lives'],
    [['all', 3, 'friend', 'friend', 'name'], 'Pet.name'],
    [['all', 0, 'nothing'], undefined],
    [[], undefined],
  ])('%j is %s', (path, coordinate) => {
    expect(coordinateOf(schema, document, 'A', path)).toBe(coordinate);
  });
  test('depends on the operation', () => {
    expect(coordinateOf(schema, document, 'B', ['cat', 'lives'])).toBe('Cat.lives');
    expect(coordinateOf(schema, document, undefined, ['cat'])).toBeUndefined();
  });
});
