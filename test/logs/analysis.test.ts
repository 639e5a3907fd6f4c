import { nodeId } from '../../lib/node-id.ts';
import { ingest, type LogsHouse, startLogsHouse, type TestRecord } from './support.ts';

const AGENT = '01890000-0000-7000-8000-0000000000aa';
const at = (second: number) => new Date(Date.parse('2026-01-01') + second * 1_000).toISOString();

let house: LogsHouse;
beforeAll(async () => {
  house = await startLogsHouse({ settings: { FLEET_LOG_PATTERN_ROWS: 100, FLEET_LOG_FACET_ROWS: 1_000 } });
  const requests: TestRecord[] = Array.from({ length: 60 }, (_, n) => ({
    time: at(n),
    severity: n % 6 === 0 ? 'ERROR' : 'INFO',
    service: n % 3 === 0 ? 'web' : 'db',
    body: `request ${n} took ${n * 7} ms`,
    attributes: { status: n % 6 === 0 ? 503 : 200, user: { id: `u${n % 2}` }, 'http.path': '/x', empty: '' },
  }));
  const others: TestRecord[] = [
    { time: at(100), service: 'web', body: 'cache is cold', agentId: nodeId('Agent', AGENT), traceId: 'ab'.repeat(16) },
    { time: at(101), service: 'web', body: 'cache is cold', attributes: { status: null } },
  ];
  await ingest(house, [...requests, ...others]);
});
afterAll(() => house.close());

const FACETS = `query ($filter: LogFilter, $field: String!, $first: Int) {
  logFacets(filter: $filter, field: $field, first: $first) { value count share }
}`;
const facets = async (field: string, filter: object = {}, first = 20) => {
  const { data, errors } = await house.ask(FACETS, { field, filter, first });
  expect(errors).toBeUndefined();
  return data.logFacets.map(({ value, count }: { value: string; count: number }) => [value, count]);
};

test('the values of a field are counted over all that match, commonest first', async () => {
  expect((await house.ask(FACETS, { field: 'attributes.status', filter: { query: 'request' } })).data).toEqual({
    logFacets: [
      { value: '200', count: 50, share: 50 / 60 },
      { value: '503', count: 10, share: 10 / 60 },
    ],
  });
  expect(await facets('service')).toEqual([
    ['db', 40],
    ['web', 22],
  ]);
  expect(await facets('service', {}, 1)).toEqual([['db', 40]]);
  expect(await facets('severity')).toEqual([
    ['INFO', 52],
    ['ERROR', 10],
  ]);
  expect(await facets('agent')).toEqual([[nodeId('Agent', AGENT), 1]]);
  expect(await facets('traceId')).toEqual([['ab'.repeat(16), 1]]);
  expect(await facets('spanId')).toEqual([]);
  expect(await facets('attributes.user.id', { services: ['web'] })).toEqual([
    ['u0', 10],
    ['u1', 10],
  ]);
  expect(await facets('attributes.http.path')).toEqual([['/x', 60]]);
  expect(await facets('attributes.empty')).toEqual([['', 60]]);
  expect(await facets('attributes.absent')).toEqual([]);
  expect(await facets('service', { query: 'nothing' })).toEqual([]);
});

test('a share is of all that match, also of those without the field', async () => {
  const { data } = await house.ask(FACETS, { field: 'attributes.status', filter: { services: ['web'] } });
  expect(data.logFacets).toEqual([
    { value: '200', count: 10, share: 10 / 22 },
    { value: '503', count: 10, share: 10 / 22 },
  ]);
});

test('an unknown field is refused with those that there are', async () => {
  const { errors } = await house.ask(FACETS, { field: 'gravity' });
  expect(errors?.[0]).toMatchObject({
    message: expect.stringContaining('there is no field gravity: expected one of severity, service'),
    extensions: {
      code: 'BAD_INPUT',
      field: ['field'],
      fields: [
        'severity',
        'service',
        'agent',
        'traceId',
        'spanId',
        'attributes.status',
        'attributes.empty',
        'attributes.http.path',
        'attributes.user',
        'attributes.<name>',
        'resource.<name>',
      ],
    },
  });
  for (const field of ['attributes', 'attributes.', 'constructor']) {
    expect((await house.ask(FACETS, { field })).errors?.[0]?.extensions.code).toBe('BAD_INPUT');
  }
});

test.each([
  ['logFacets(field: "service", first: 0) { count }', 'first is 1 to 100'],
  ['logFacets(field: "service", first: 101) { count }', 'first is 1 to 100'],
  ['logPatterns(first: 0) { count }', 'first is 1 to 100'],
  ['logPatterns(filter: { query: "(" }) { count }', 'column 2'],
])('%s is refused', async (selection, message) => {
  expect((await house.ask(`{ ${selection} }`)).errors?.[0]?.message).toContain(message);
});

const PATTERNS = `query ($filter: LogFilter, $first: Int) {
  logPatterns(filter: $filter, first: $first) {
    template count share severity firstSeenAt lastSeenAt sample { body attributes } rowsRead isComplete
  }
}`;

test('patterns say what entries have in common, with a sample of each', async () => {
  const { data, errors } = await house.ask(PATTERNS);
  expect(errors).toBeUndefined();
  expect(data.logPatterns).toEqual([
    {
      template: 'request <*> took <*> ms',
      count: 60,
      share: 60 / 62,
      severity: 'ERROR',
      firstSeenAt: at(0),
      lastSeenAt: at(59),
      sample: expect.objectContaining({ body: 'request 59 took 413 ms' }),
      rowsRead: 62,
      isComplete: true,
    },
    {
      template: 'cache is cold',
      count: 2,
      share: 2 / 62,
      severity: 'INFO',
      firstSeenAt: at(100),
      lastSeenAt: at(101),
      sample: expect.objectContaining({ attributes: { status: null } }),
      rowsRead: 62,
      isComplete: true,
    },
  ]);
  expect((await house.ask(PATTERNS, { first: 1 })).data.logPatterns).toEqual([data.logPatterns[0]]);
  expect((await house.ask(PATTERNS, { filter: { query: 'nothing' } })).data.logPatterns).toEqual([]);
});

test('beyond the setting the newest are read, and the answer says so', async () => {
  await ingest(
    house,
    Array.from({ length: 100 }, (_, n) => ({ time: at(200 + n), body: `beat ${n}`, service: 'pulse' })),
  );
  const { data } = await house.ask(PATTERNS);
  expect(data.logPatterns).toMatchObject([{ template: 'beat <*>', count: 100, rowsRead: 100, isComplete: false }]);
});

test('without the scope there is nothing to count', async () => {
  const principal = { id: 'agent', kind: 'AGENT' as const, name: 'agent', scopes: ['agent' as const] };
  for (const query of ['{ logFacets(field: "service") { count } }', '{ logPatterns { count } }']) {
    expect((await house.ask(query, {}, { principal })).errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  }
});

test('of more entries than are counted one by one a part is, and the answer says so', async () => {
  const many: TestRecord[] = Array.from({ length: 1_200 }, (_, n) => ({
    time: at(1_000 + n),
    service: 'many',
    body: n % 2 ? 'odd one' : 'even one',
    attributes: { kind: n % 3 ? 'plain' : 'rare' },
  }));
  await ingest(house, many);
  const ask = async (filter: object) =>
    (await house.ask(FACETS.replace('share', 'share isExact'), { field: 'attributes.kind', filter })).data.logFacets;
  const range = { from: at(1_000), to: at(9_000) };
  expect(await ask({ services: ['many'], range })).toEqual([
    { value: 'plain', count: 800, share: 800 / 1_200, isExact: false },
    { value: 'rare', count: 400, share: 400 / 1_200, isExact: false },
  ]);
  expect(await ask({ query: 'odd', range })).toEqual([
    { value: 'plain', count: 400, share: 400 / 600, isExact: true },
    { value: 'rare', count: 200, share: 200 / 600, isExact: true },
  ]);
});
