import { until } from '../../support/until.ts';
import { colourlessSdl, type Lighthouse, lightSdl, openLighthouse, watch } from './support.ts';

const FLASHES = 'subscription { flashed { cursor number colour } }';

let house: Lighthouse;
beforeEach(async () => {
  house = await openLighthouse();
});
afterEach(() => house.stop());

test('a field is there once its schema is, and gone with it', async () => {
  house.answer = (query) => ({ data: query.includes('lamp') ? { lamp: 'new' } : { light: 'on' } });
  expect(await house.ask('{ lamp }')).toMatchObject({ status: 400 });
  await house.router.schema.swap(house.supergraph(lightSdl('lamp: String')));
  expect(await house.ask('{ lamp }')).toEqual({ status: 200, data: { lamp: 'new' } });
  await house.router.schema.swap(house.supergraph(lightSdl()));
  expect(await house.ask('{ lamp }')).toMatchObject({ status: 400, errors: [{ extensions: { code: 'BAD_QUERY' } }] });
});

test('what was prepared before a swap runs as it was prepared', async () => {
  const { engine, schema } = house.router;
  await schema.swap(house.supergraph(lightSdl('lamp: String')));
  house.answer = () => ({ data: { lamp: 'old' } });
  const prepared = await engine.prepare({ query: '{ lamp }' });
  await schema.swap(house.supergraph(lightSdl()));
  const call = { principal: { id: 'x', kind: 'PERSON', name: 'x', scopes: [] } as const, requestId: 'r' };
  expect(await engine.execute(prepared as never, call)).toEqual({ data: { lamp: 'old' } });
});

test('a running stream goes on by its cursor: nothing is lost and nothing comes twice', async () => {
  const stream = await watch(house.router.url, FLASHES);
  await until(() => house.running === 1);
  for (let round = 1; round <= 5; round++) {
    house.flash();
    await until(() => stream.answers.length >= 1);
    const swapping = house.router.schema.swap(house.supergraph(lightSdl(`f${round}: Int`)));
    house.flash();
    await swapping;
    house.flash();
  }
  await until(() => stream.answers.length === house.flashed);
  expect(stream.answers.map(({ data }) => data.flashed.number)).toEqual([...Array(15).keys()].map((at) => at + 1));
  expect(stream.ended).toBe(false);
  stream.leave();
});

test('a stream without a cursor yet stays where it is until it has one, and then goes on', async () => {
  const stream = await watch(house.router.url, FLASHES);
  await until(() => house.running === 1);
  await house.router.schema.swap(house.supergraph(lightSdl('a: Int')));
  expect(house.running).toBe(1);
  house.flash();
  await until(() => stream.answers.length === 1);
  await until(() => house.running === 1);
  house.flash();
  await until(() => stream.answers.length === 2);
  expect(stream.answers.map(({ data }) => data.flashed.number)).toEqual([1, 2]);
  stream.leave();
});

test('a stream whose field went away ends with SCHEMA_CHANGED and its cursor', async () => {
  const stream = await watch(house.router.url, FLASHES);
  await until(() => house.running === 1);
  house.flash();
  await until(() => stream.answers.length === 1);
  await house.router.schema.swap(house.supergraph(colourlessSdl));
  await until(() => stream.ended);
  expect(stream.answers).toHaveLength(2);
  expect(stream.answers[1]).toMatchObject({
    errors: [{ extensions: { code: 'SCHEMA_CHANGED', cursor: '1', retryable: true } }],
  });
  expect(stream.answers[1]).not.toHaveProperty('data');
  await until(() => house.running === 0);
});

test('what is no supergraph changes nothing', async () => {
  await expect(house.router.schema.swap('type Query { a: Int }')).rejects.toThrow('no Federation 2 supergraph');
  expect(await house.ask('{ light }')).toEqual({ status: 200, data: { light: 'on' } });
});
