import { type MetricsHouse, standingClock, startMetricsHouse } from './metrics-house.ts';

/** Rounded to minutes, so that steps fall on samples. */
const END = Math.floor(Date.now() / 60_000) * 60_000;
const MINUTE = 60_000;
const clock = standingClock(END);
const iso = (ms: number) => new Date(ms).toISOString();

let house: MetricsHouse;
beforeAll(async () => {
  house = await startMetricsHouse({ clock });
  const samples: object[] = [];
  for (let minute = 0; minute <= 10; minute += 1) {
    const time = iso(END - (10 - minute) * MINUTE);
    samples.push({ metric: 'heat', labels: { room: 'a', floor: '1' }, time, value: minute });
    samples.push({ metric: 'heat', labels: { room: 'b', floor: '1' }, time, value: 10 * minute });
    if (minute !== 5) samples.push({ metric: 'heat', labels: { room: 'c', floor: '2' }, time, value: 100 });
    // A counter that grows by 60 a minute and whose process restarts after the sixth.
    const value = minute <= 6 ? minute * 60 : (minute - 6) * 60;
    samples.push({ metric: 'done', labels: { room: 'a' }, time, value, type: 'COUNTER' });
  }
  const answer = await house.ask(
    'mutation ($input: RecordSamplesInput!) { recordSamples(input: $input) { accepted } }',
    {
      input: { samples },
    },
  );
  expect(answer.data.recordSamples.accepted).toBe(samples.length);
});
afterAll(() => house.stop());

async function ask(query: object) {
  const answer = await house.ask(
    'query ($query: SeriesQuery!) { series(query: $query) { series { metric labels times values } warnings } }',
    { query },
  );
  return answer.errors ? { error: answer.errors[0] } : answer.data.series;
}

const LAST_3 = { range: { last: 'PT2M' }, step: 'PT1M' };
const valuesOf = async (query: object) =>
  (await ask(query)).series.map(({ values }: { values: (number | null)[] }) => values);

test('the last step is now, and each shows the newest value before it', async () => {
  const labels = [{ name: 'room', value: 'a' }];
  expect(await ask({ metric: 'heat', labels, ...LAST_3 })).toEqual({
    series: [
      {
        metric: 'heat',
        labels: { room: 'a', floor: '1' },
        times: [END - 2 * MINUTE, END - MINUTE, END],
        values: [8, 9, 10],
      },
    ],
    warnings: [],
  });
});

test.each([
  ['RATE', 'done', [1, 1, 1]],
  ['INCREASE', 'done', [120, 120, 120]],
  ['DELTA', 'heat', [2, 2, 2]],
  ['AVG', 'heat', [7.5, 8.5, 9.5]],
  ['MIN', 'heat', [7, 8, 9]],
  ['MAX', 'heat', [8, 9, 10]],
  ['SUM', 'heat', [15, 17, 19]],
  ['COUNT', 'heat', [2, 2, 2]],
  ['P50', 'heat', [7.5, 8.5, 9.5]],
  ['P90', 'heat', [7.9, 8.9, 9.9]],
  ['P95', 'heat', [7.95, 8.95, 9.95]],
  ['P99', 'heat', [7.99, 8.99, 9.99]],
])('%s of %s over two minutes', async (overTime, metric, expected) => {
  const labels = [{ name: 'room', value: 'a' }];
  const [values] = await valuesOf({ metric, labels, overTime, window: 'PT2M', ...LAST_3 });
  values.forEach((value: number, at: number) => {
    expect(value).toBeCloseTo(expected[at] as number, 9);
  });
});

test('a counter that begins again has lost nothing', async () => {
  const query = { metric: 'done', overTime: 'INCREASE', window: 'PT10M', range: { last: 'PT10M' }, maxPoints: 1 };
  const [[grown]] = await valuesOf(query);
  expect(grown).toBeCloseTo(600, 9);
});

test('where there is no sample there is no value', async () => {
  const range = { from: iso(END - 6 * MINUTE), to: iso(END - 4 * MINUTE) };
  const query = { metric: 'heat', labels: [{ name: 'room', value: 'c' }], range, step: 'PT1M', window: 'PT1M' };
  expect(await valuesOf(query)).toEqual([[100, null, 100]]);
  expect(await valuesOf({ ...query, overTime: 'AVG' })).toEqual([[100, null, 100]]);
  expect(await valuesOf({ ...query, across: 'SUM' })).toEqual([[100, null, 100]]);
  expect(await valuesOf({ ...query, across: 'COUNT' })).toEqual([[1, null, 1]]);
});

test.each([
  ['SUM', [[11 * 10], [100]]],
  ['AVG', [[55], [100]]],
  ['MIN', [[10], [100]]],
  ['MAX', [[100], [100]]],
  ['COUNT', [[2], [1]]],
])('%s joins series that share the labels', async (across, expected) => {
  const { series } = await ask({ metric: 'heat', across, by: ['floor', 'floor', 'none'], maxPoints: 1 });
  expect(series.map(({ values }: { values: number[] }) => values)).toEqual(expected);
  expect(series.map(({ labels }: { labels: object }) => labels)).toEqual([{ floor: '1' }, { floor: '2' }]);
});

test('joined without labels it is one series', async () => {
  expect((await ask({ metric: 'heat', across: 'SUM', maxPoints: 1 })).series).toMatchObject([
    { labels: {}, values: [210] },
  ]);
});

test('the greatest come first', async () => {
  const { series, warnings } = await ask({ metric: 'heat', topK: 2, maxPoints: 1 });
  expect(series.map(({ labels }: { labels: { room: string } }) => labels.room)).toEqual(['b', 'c']);
  expect(warnings).toEqual([]);
});

test.each([
  [{ op: 'EQ', name: 'room', value: 'a' }, ['a']],
  [{ op: 'NE', name: 'room', value: 'a' }, ['b', 'c']],
  [{ op: 'RE', name: 'room', value: 'a|b' }, ['a', 'b']],
  [{ op: 'RE', name: 'room', value: '[bc]' }, ['b', 'c']],
  [{ op: 'RE', name: 'floor', value: '' }, []],
  [{ op: 'NRE', name: 'room', value: 'a|b' }, ['c']],
  [{ op: 'NE', name: 'absent', value: 'x' }, ['a', 'b', 'c']],
  [{ op: 'EQ', name: 'absent', value: '' }, ['a', 'b', 'c']],
  [{ name: `room'] or ['`, value: '' }, ['a', 'b', 'c']],
])('matches %j', async (matcher, rooms) => {
  const { series } = await ask({ metric: 'heat', labels: [matcher], maxPoints: 1 });
  expect(series.map(({ labels }: { labels: { room: string } }) => labels.room)).toEqual(rooms);
});

test('a metric that is not there is a warning, no failure', async () => {
  expect(await ask({ metric: 'nothing' })).toEqual({ series: [], warnings: ['no series of nothing matches'] });
});

test('an expression that cannot be read is told', async () => {
  const { error } = await ask({ metric: 'heat', labels: [{ name: 'room', op: 'RE', value: '(' }] });
  expect(error.extensions).toMatchObject({ code: 'BAD_INPUT', field: ['query', 'labels'] });
});

test('growth that is told since the last sample is summed', async () => {
  const ns = (ms: number) => `${ms}000000`;
  const dataPoints = [3, 2, 1, 0].map((minutes) => ({ asInt: '30', timeUnixNano: ns(END - minutes * MINUTE) }));
  const sum = { aggregationTemporality: 1, isMonotonic: true, dataPoints };
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'lambda' } }] };
  await house.send('metrics', {
    resourceMetrics: [{ resource, scopeMetrics: [{ metrics: [{ name: 'done', sum }] }] }],
  });
  const query = { metric: 'done', labels: [{ name: 'service', value: 'lambda' }], window: 'PT2M', ...LAST_3 };
  expect(await valuesOf({ ...query, overTime: 'INCREASE' })).toEqual([[60, 60, 60]]);
  expect(await valuesOf({ ...query, overTime: 'RATE' })).toEqual([[0.5, 0.5, 0.5]]);
  // Beside a series that tells its sum since the start.
  const both = { metric: 'done', overTime: 'INCREASE', across: 'SUM', window: 'PT2M', ...LAST_3 };
  expect(await valuesOf(both)).toEqual([[180, 180, 180]]);
});

test('the same sample twice counts once', async () => {
  const samples = [1, 0].map((ago) => ({
    metric: 'twice',
    time: iso(END - ago * MINUTE),
    value: 60 * (2 - ago),
    type: 'COUNTER',
  }));
  const input = { samples };
  const record = 'mutation ($input: RecordSamplesInput!) { recordSamples(input: $input) { accepted } }';
  await house.ask(record, { input });
  await house.ask(record, { input });
  const query = { metric: 'twice', maxPoints: 1, window: 'PT2M' };
  expect(await valuesOf({ ...query, overTime: 'COUNT' })).toEqual([[2]]);
  expect(await valuesOf({ ...query, overTime: 'INCREASE' })).toEqual([[120]]);
});

test('too many series are cut, and that is said', async () => {
  const samples = Array.from({ length: 1_005 }, (_, at) => ({ metric: 'many', labels: { at: `${at}` }, value: at }));
  await house.ask('mutation ($input: RecordSamplesInput!) { recordSamples(input: $input) { accepted } }', {
    input: { samples },
  });
  const { series, warnings } = await ask({ metric: 'many', maxPoints: 1 });
  expect(series).toHaveLength(1_000);
  expect(warnings).toEqual([expect.stringContaining('only 1000 series are shown')]);
  const long = await ask({ metric: 'many', range: { last: 'PT3H' }, step: 'PT1S' });
  expect(long.series).toHaveLength(9);
  expect(long.series[0].values).toHaveLength(10_801);
});

test('points are times and values together, labels are read one by one', async () => {
  const answer = await house.ask(
    `query ($query: SeriesQuery!) {
      series(query: $query) { series { points { time value } room: label(name: "room") none: label(name: "none") } }
    }`,
    { query: { metric: 'heat', topK: 1, maxPoints: 1 } },
  );
  expect(answer.data.series.series).toEqual([{ points: [{ time: iso(END), value: 100 }], room: 'b', none: null }]);
});

test('the catalogue is read in pages and searched by name', async () => {
  const PAGE = `query ($first: Int, $after: String, $match: String) {
    metrics(first: $first, after: $after, match: $match) { nodes { name } totalCount pageInfo { hasNextPage endCursor } }
  }`;
  const first = await house.ask(PAGE, { first: 2 });
  expect(first.data.metrics).toMatchObject({
    nodes: [{ name: 'done' }, { name: 'heat' }],
    pageInfo: { hasNextPage: true },
  });
  const rest = await house.ask(PAGE, { after: first.data.metrics.pageInfo.endCursor });
  expect(rest.data.metrics.nodes.map(({ name }: { name: string }) => name)).toEqual(['many', 'twice']);
  const names = async (match: string) =>
    (await house.ask(PAGE, { match })).data.metrics.nodes.map(({ name }: { name: string }) => name);
  expect(await names('EA')).toEqual(['heat']);
  expect(await names('*e')).toEqual(['done', 'twice']);
  expect(await names('h_at')).toEqual([]);
  const long = await house.ask(PAGE, { match: 'x'.repeat(256) });
  expect(long.errors?.[0]?.extensions.code).toBe('BAD_INPUT');
  const forged = await house.ask(PAGE, { after: 'forged' });
  expect(forged.errors?.[0]?.extensions.code).toBe('BAD_CURSOR');
});
