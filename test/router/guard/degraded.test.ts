import { systemClock } from '../../../lib/clock.ts';
import { FleetError } from '../../../lib/errors.ts';
import { fixedFlags } from '../../../lib/flags/index.ts';
import { loadSettings, SettingsError } from '../../../lib/settings/index.ts';
import { STALE_MS } from '../../../router/degradation.ts';
import { SubgraphRequest } from '../../../router/execute/subgraph-request.ts';
import { GUARD_LIMITS, Guard } from '../../../router/guard/guard.ts';
import type { SubgraphPolicy } from '../../../router/guard/lane.ts';
import { StaleAnswers, staleKey } from '../../../router/guard/stale-answers.ts';
import { plainWire } from '../../../router/wire/wire.ts';
import { type Harbour, openHarbour, SHIP } from '../edge/support.ts';
import { ask, CALL, codeOf, type Island, json, openIsland, WELL } from './support.ts';

let island: Island;
let guard: Guard;

beforeEach(async () => {
  island = await openIsland();
});
afterEach(async () => {
  guard.close();
  await island.stop();
});

function guardBy(policy: SubgraphPolicy, clock = systemClock) {
  const wireOf = (_subgraph: string, url: string) => plainWire(url);
  const breaker = { ...GUARD_LIMITS.breaker, minimumCalls: 1_000_000 };
  guard = new Guard({ wireOf, limits: { ...GUARD_LIMITS, breaker }, clock, policies: { sea: policy } });
  guard.setReplicas('sea', [island.url]);
  return guard;
}

const PRINCIPAL = CALL.principal;

test('where there is no fresh answer an older one is served, with its age', async () => {
  guardBy({ staleIfErrorMs: 60_000 });
  expect((await ask(guard))[STALE_MS]).toBeUndefined();
  island.answer = json({}, 500);
  const stale = await ask(guard);
  expect({ ...stale, [STALE_MS]: 0 }).toEqual({ data: { a: 1 }, [STALE_MS]: 0 });
  expect(stale[STALE_MS]).toBeGreaterThanOrEqual(0);
  expect(await codeOf(ask(guard, {}, '{ b }'))).toBe('SUBGRAPH_UNAVAILABLE');
  expect(await codeOf(ask(guard, {}, 'mutation { a }'))).toBe('SUBGRAPH_UNAVAILABLE');
});

test('nobody is served what another was answered, nor what other scopes opened, nor are the router’s own questions', async () => {
  guardBy({ staleIfErrorMs: 60_000 });
  const system = { ...PRINCIPAL, kind: 'SYSTEM' as const };
  await ask(guard);
  await ask(guard, { principal: system });
  island.answer = json({}, 500);
  const others = [
    { ...PRINCIPAL, id: 'another' },
    { ...PRINCIPAL, scopes: ['viewer' as const] },
    { ...PRINCIPAL, agentId: 'agent' },
    system,
  ];
  const codes = await Promise.all(others.map((principal) => codeOf(ask(guard, { principal }))));
  expect(codes).toEqual(Array(4).fill('SUBGRAPH_UNAVAILABLE'));
  expect(await codeOf(ask(guard))).toBe('ok');
});

test('an answer with errors is not kept, an older one neither served for ever', async () => {
  let nowMs = Date.now();
  guardBy({ staleIfErrorMs: 1_000 }, { ...systemClock, nowMs: () => nowMs });
  island.answer = json({ data: { a: 1 }, errors: [{ message: 'x' }] });
  await ask(guard);
  expect(guard.staleCache.entries).toBe(0);
  island.answer = WELL;
  await ask(guard);
  island.answer = json({}, 500);
  nowMs += 1_000;
  expect((await ask(guard))[STALE_MS]).toBe(1_000);
  nowMs += 1;
  expect(await codeOf(ask(guard))).toBe('SUBGRAPH_UNAVAILABLE');
  expect(guard.staleCache).toEqual({ entries: 0, sizeBytes: 0, hits: 1, misses: 1 });
});

test('what is kept is bounded in entries and in bytes; what was used longest ago goes first', () => {
  guardBy({});
  const few = new StaleAnswers({ entries: 2, bytes: 1_000_000 });
  for (const key of ['a', 'b']) few.keep(key, Buffer.from('{}'), 0);
  few.find('a', 10, 0);
  few.keep('c', Buffer.from('{}'), 0);
  expect(['a', 'b', 'c'].map((key) => few.find(key, 10, 0) !== undefined)).toEqual([true, false, true]);
  const small = new StaleAnswers({ entries: 100, bytes: 1_000 });
  for (let entry = 0; entry < 50; entry++) small.keep(`key ${entry}`, Buffer.alloc(300), 0);
  expect(small.size.sizeBytes).toBeLessThanOrEqual(1_000);
  small.keep('large', Buffer.alloc(2_000), 0);
  expect(small.find('large', 10, 0)).toBeUndefined();
  expect(staleKey('sea', CALL, 'x')).not.toBe(staleKey('land', CALL, 'x'));
});

test('what is neither required nor served stale keeps nothing', async () => {
  guardBy({ need: 'optional' });
  await ask(guard);
  expect(guard.staleCache.entries).toBe(0);
});

test('a subgraph may have a time limit of its own', async () => {
  guardBy({ timeoutMs: 20 });
  island.answer = () => undefined;
  expect(await codeOf(ask(guard))).toBe('TIMEOUT');
});

test('the setting says what a subgraph is; what contradicts itself is refused', () => {
  guardBy({});
  const read = (value: unknown) => loadSettings({ FLEET_SUBGRAPHS: JSON.stringify(value) }).FLEET_SUBGRAPHS;
  const sea = {
    urls: ['http://a:1/graphql'],
    need: 'optional',
    staleIfErrorMs: 5_000,
    timeoutMs: 100,
    callsPerSecond: 50,
  };
  expect(read({ sea })).toEqual({ sea });
  const wrong = [{ sea: { need: 'required', staleIfErrorMs: 1 } }, { sea: { urls: [] } }, { sea: { url: 'x' } }, 'sea'];
  for (const each of wrong) expect(() => read(each)).toThrow(SettingsError);
  expect(() => loadSettings({ FLEET_SUBGRAPHS: '{' })).toThrow('expected JSON');
});

test('what all routers may ask of a subgraph is asked before each call, and what is refused takes no place', async () => {
  const asked: unknown[] = [];
  let isFull = true;
  const drawCall = (...draw: unknown[]) => {
    asked.push(draw);
    if (isFull) throw new FleetError('RATE_LIMITED', 'no more', { retryAfterMs: 5 });
  };
  const wireOf = (_subgraph: string, url: string) => plainWire(url);
  const bulkhead = { ...GUARD_LIMITS.bulkhead, initial: 1, most: 1 };
  const limits = { ...GUARD_LIMITS, bulkhead };
  guard = new Guard({ wireOf, limits, clock: systemClock, drawCall, policies: { sea: { callsPerSecond: 7 } } });
  guard.setReplicas('sea', [island.url]);
  expect([await codeOf(ask(guard)), await codeOf(ask(guard))]).toEqual(['RATE_LIMITED', 'RATE_LIMITED']);
  isFull = false;
  const entities = new SubgraphRequest('query { a }', undefined, '{"query":"{ a }"}', 12);
  expect((await guard.execute('sea', entities, CALL)).data).toEqual({ a: 1 });
  expect([asked, island.received]).toEqual([
    [
      ['sea', 7, 1],
      ['sea', 7, 1],
      ['sea', 7, 12],
    ],
    1,
  ]);
  // While it rests nothing is drawn.
  guard.circuits.get('sea')?.force('OPEN', 'maintenance');
  expect([await codeOf(ask(guard)), asked.length]).toEqual(['SUBGRAPH_UNAVAILABLE', 3]);
});

const QUERY = `{ ship(id: "${SHIP}") { name crew } crews }`;

async function harbourWithoutCrews(policy: SubgraphPolicy): Promise<Harbour> {
  guardBy({});
  const harbour = await openHarbour({
    flags: fixedFlags({ 'router.stale-if-error': true }),
    policies: { crews: policy },
  });
  expect((await harbour.ask(QUERY)).data).toEqual({ ship: { name: 'Argo', crew: 50 }, crews: 1 });
  await harbour.crews.stop();
  return harbour;
}

test('an answer says which of its parts are not fresh', async () => {
  const harbour = await harbourWithoutCrews({ staleIfErrorMs: 60_000 });
  const { data, errors, extensions } = (await harbour.ask(QUERY)) as Awaited<ReturnType<Harbour['ask']>> & {
    extensions: { degraded: { ageMs: number }[] };
  };
  expect([data, errors]).toEqual([{ ship: { name: 'Argo', crew: 50 }, crews: 1 }, undefined]);
  const parts = extensions.degraded.map((part) => ({ ...part, ageMs: typeof part.ageMs }));
  expect(parts).toHaveLength(2);
  expect(parts).toContainEqual({ subgraph: 'crews', ageMs: 'number', paths: [['crews']] });
  expect(parts).toContainEqual({ subgraph: 'crews', ageMs: 'number', paths: [['ship', 'crew']] });
  await harbour.stop();
});

test('without a required subgraph a query that asks it is refused whole with a time to come again; others are not', async () => {
  const harbour = await harbourWithoutCrews({ need: 'required' });
  const refused = await harbour.ask(QUERY);
  expect([refused.status, refused.data]).toEqual([503, undefined]);
  expect(refused.errors).toMatchObject([
    { extensions: { code: 'SUBGRAPH_UNAVAILABLE', subgraph: 'crews', retryAfterMs: expect.any(Number) } },
  ]);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  expect((await harbour.ask(`{ ship(id: "${SHIP}") { name } }`)).data).toEqual({ ship: { name: 'Argo' } });
  await harbour.stop();
});

test('without an optional one its fields are null, and the answer says why', async () => {
  const harbour = await harbourWithoutCrews({ need: 'optional' });
  const { status, data, errors } = await harbour.ask(QUERY);
  expect([status, data]).toEqual([200, { ship: { name: 'Argo', crew: null }, crews: null }]);
  expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['SUBGRAPH_UNAVAILABLE', 'SUBGRAPH_UNAVAILABLE']);
  await harbour.stop();
});
