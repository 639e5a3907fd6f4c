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

test('schemas change under load: no request fails, and no stream misses or repeats anything', async () => {
  // Named, so that none is another's equal and each has an upstream of its own.
  const named = ['One', 'Two', 'Three'].map((name) => FLASHES.replace('subscription', `subscription ${name}`));
  const streams = await Promise.all(named.map((query) => watch(house.router.url, query)));
  await until(() => house.running === 3);
  let isOver = false;
  const answers: object[] = [];
  const asking = [1, 2, 3].map(async () => {
    while (!isOver) answers.push(await house.ask('{ light }'));
  });
  for (let swap = 0; swap < 20; swap++) {
    house.flash();
    await house.router.schema.swap(house.supergraph(lightSdl(`f${swap}: Int`)));
  }
  await until(() => streams.every((stream) => stream.answers.length === house.flashed));
  isOver = true;
  await Promise.all(asking);
  expect(house.router.engine.subgraphs.size).toBe(1);
  expect(answers.length).toBeGreaterThan(20);
  expect(answers.filter((answer) => JSON.stringify(answer) !== '{"status":200,"data":{"light":"on"}}')).toEqual([]);
  const numbers = Array.from({ length: 20 }, (_, at) => at + 1);
  for (const stream of streams) {
    expect(stream.answers.map(({ data }) => data.flashed.number)).toEqual(numbers);
    expect(stream.ended).toBe(false);
    stream.leave();
  }
});
