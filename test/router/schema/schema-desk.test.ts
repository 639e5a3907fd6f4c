import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { HouseClient } from '../../../lib/call/house-client.ts';
import type { EntryDraft } from '../../../lib/write/entry.ts';
import type { SwapState } from '../../../router/schema/swap-rules.ts';
import { until } from '../../support/until.ts';
import { type Lighthouse, lightSdl, openLighthouse, watch } from './support.ts';

/** An audit house that takes every entry, until it is told not to. */
function auditHouse() {
  const house = {
    entries: [] as EntryDraft[],
    takes: (_entry: EntryDraft) => true,
    client: {
      async send(_route: string, { body }: { body: string }) {
        const { entries } = JSON.parse(body) as { entries: EntryDraft[] };
        if (!entries.every((entry) => house.takes(entry))) return { status: 503 };
        house.entries.push(...entries);
        return { status: 200 };
      },
    } as unknown as HouseClient,
  };
  return house;
}

let house: Lighthouse;
afterEach(() => house.stop());

const TRIED = { share: 0.5, forMs: 60_000, minSamples: 5 };
const propose = (fields: string, force = false): Promise<SwapState> =>
  house.router.schema.propose({ supergraphSdl: house.supergraph(lightSdl(fields)) }, { from: 'test', force });

test('a new schema under which operations fail is rolled back by itself, and its streams go on', async () => {
  const audit = auditHouse();
  house = await openLighthouse({ audit: audit.client, schema: { canary: TRIED } });
  const stream = await watch(house.router.url, 'subscription { flashed { number } }');
  await until(() => house.running === 1);
  house.flash();
  await until(() => stream.answers.length === 1);
  house.answer = (query) => (query.includes('lamp') ? { errors: [{ message: 'broken' }] } : { data: { light: 'on' } });
  const settled = propose('lamp: String');
  await until(() => house.router.schema.state?.phase === 'CANARY');
  await until(async () => {
    await house.ask('{ lamp }');
    return (await Promise.race([settled, undefined]))?.phase;
  });
  expect(await settled).toMatchObject({
    phase: 'ROLLED_BACK',
    reason: expect.stringMatching(/^\d+ of \d+ operations failed/),
  });
  expect(await house.ask('{ lamp }')).toMatchObject({ status: 400 });
  expect(await house.ask('{ light }')).toEqual({ status: 200, data: { light: 'on' } });
  house.flash();
  await until(() => stream.answers.length === 2);
  stream.leave();
  await until(() => audit.entries.length === 5);
  expect(audit.entries.map(({ action, outcome }) => `${action} ${outcome}`)).toEqual([
    'router.schema.proposed SUCCEEDED',
    'router.schema.composed SUCCEEDED',
    'router.schema.checked SUCCEEDED',
    'router.schema.canary SUCCEEDED',
    'router.schema.rolled-back FAILED',
  ]);
});

test('a schema that does well is served to all when its time is over; what only it has is served from its first request', async () => {
  house = await openLighthouse({ schema: { canary: { share: 0.01, forMs: 1_000 } } });
  house.answer = () => ({ data: { lamp: 'new' } });
  const settled = propose('lamp: String');
  await until(() => house.router.schema.state?.phase === 'CANARY');
  expect(await house.ask('{ lamp }')).toEqual({ status: 200, data: { lamp: 'new' } });
  expect(await settled).toMatchObject({ phase: 'CURRENT' });
  expect(await house.ask('{ lamp }')).toEqual({ status: 200, data: { lamp: 'new' } });
});

test('a schema whose operations begin to fail after it was served to all is taken back by itself', async () => {
  house = await openLighthouse({ schema: { canary: { share: 0.5, forMs: 4_000, minSamples: 5 } } });
  house.answer = (query) => ({ data: query.includes('lamp') ? { lamp: 'new' } : { light: 'on' } });
  expect(await propose('lamp: String')).toMatchObject({ phase: 'CURRENT' });
  expect(await house.ask('{ lamp }')).toMatchObject({ status: 200 });
  house.answer = (query) => (query.includes('lamp') ? { errors: [{ message: 'broken' }] } : { data: { light: 'on' } });
  await until(async () => {
    await house.ask('{ lamp }');
    return house.router.schema.state?.phase === 'ROLLED_BACK';
  });
  expect(house.router.schema.state).toMatchObject({ reason: expect.stringMatching(/^\d+ of \d+ operations failed/) });
  await until(async () => (await house.ask('{ lamp }')).status === 400);
  expect(await house.ask('{ light }')).toEqual({ status: 200, data: { light: 'on' } });
});

test('a schema that breaks what clients send is refused with their names, over a restart too; forced, it is served', async () => {
  const operationsFile = path.join(mkdtempSync(path.join(tmpdir(), 'operations-')), 'operations.json');
  const schema = { canary: { share: 0 }, operationsFile };
  house = await openLighthouse({ schema });
  await propose('lamp: String');
  house.answer = () => ({ data: { lamp: 'new' } });
  await house.ask('query Lamp { lamp }');
  const reason =
    'it breaks 1 recorded operations\nLamp: Cannot query field "lamp" on type "Query". Did you mean "light"?';
  expect(await propose('')).toMatchObject({ phase: 'REFUSED' });
  await house.stop();
  expect(Object.values(JSON.parse(readFileSync(operationsFile, 'utf8')).operations)).toEqual([
    { text: 'query Lamp {\n  lamp\n}', count: 1, lastSeenMs: expect.any(Number) },
  ]);
  house = await openLighthouse({ schema });
  // It is not broken by a schema when the one before did not take it either.
  expect(await propose('other: String')).toMatchObject({ phase: 'CURRENT' });
  await propose('lamp: String');
  expect(await propose('')).toMatchObject({ phase: 'REFUSED', reason: expect.stringContaining(reason.slice(0, 80)) });
  expect(await propose('', true)).toMatchObject({ phase: 'CURRENT' });
});

test('what cannot be audited does not take effect', async () => {
  const audit = auditHouse();
  audit.takes = ({ action }) => action !== 'router.schema.current';
  house = await openLighthouse({ audit: audit.client, schema: { canary: { share: 0 } } });
  const { state, answer } = { state: await propose('lamp: String'), answer: await house.ask('{ lamp }') };
  expect(state).toMatchObject({ phase: 'REFUSED', reason: 'nothing was done, for it could not be audited: try again' });
  expect(answer).toMatchObject({ status: 400 });
});

test('subgraphs are composed off the main loop; those that do not compose are refused with the reason', async () => {
  house = await openLighthouse({ schema: { canary: { share: 0 } } });
  const from = { from: 'test' };
  const subgraph = { name: 'light', url: house.subgraphUrl };
  const bad = await house.router.schema.propose(
    { subgraphs: [{ ...subgraph, sdl: 'type Query { a: Nothing }' }] },
    from,
  );
  expect(bad).toMatchObject({ phase: 'REFUSED', reason: expect.stringContaining('Nothing') });
  const good = await house.router.schema.propose({ subgraphs: [{ ...subgraph, sdl: lightSdl('lamp: String') }] }, from);
  expect(good).toMatchObject({ phase: 'CURRENT' });
  house.answer = () => ({ data: { lamp: 'composed' } });
  expect(await house.ask('{ lamp }')).toEqual({ status: 200, data: { lamp: 'composed' } });
  const { text } = { text: await (await fetch(`${house.router.url}/metrics`)).text() };
  expect(text).toContain('fleet_router_schema_generation 2');
  expect(text).toContain('fleet_router_schema_moves_total{phase="REFUSED"} 1');
});

test('schemas that come at once are served one after the other, the last one last', async () => {
  house = await openLighthouse({ schema: { canary: { share: 0 } } });
  const states = await Promise.all(['a: Int', 'b: Int', 'c: Int'].map((fields) => propose(fields)));
  expect(states.map(({ phase }) => phase)).toEqual(['CURRENT', 'CURRENT', 'CURRENT']);
  expect((await house.ask('{ b }')).status).toBe(400);
  expect((await house.ask('{ c }')).status).toBe(200);
});

test('what clients ask for is planned before the new schema is served: nobody waits for it, and nobody is refused in a herd', async () => {
  house = await openLighthouse({ schema: { canary: { share: 0 } } });
  const queries = Array.from({ length: 80 }, (_, at) => `query Q${at} { light }`);
  // More than may be planned at once.
  for (const some of [queries.slice(0, 40), queries.slice(40)])
    await Promise.all(some.map((query) => house.ask(query)));
  await propose('lamp: String');
  const { engine } = house.router;
  expect(queries.filter((query) => engine.prepare({ query }) instanceof Promise)).toEqual([]);
  const answers = await Promise.all(queries.map((query) => house.ask(query)));
  expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
});
