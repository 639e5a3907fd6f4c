import { agentOf, type MetricsHouse, startMetricsHouse } from './metrics-house.ts';

let house: MetricsHouse;
beforeAll(async () => {
  house = await startMetricsHouse();
});
afterAll(() => house.stop());

const RECORD = `mutation ($input: RecordSamplesInput!) {
  recordSamples(input: $input) { accepted rejected { index reason } userErrors { code message field } }
}`;
const record = async (input: object, call = {}) => (await house.ask(RECORD, { input }, call)).data.recordSamples;

/** How often anything was recorded under a name. */
async function countOf(metric: string): Promise<number> {
  const query = { metric, overTime: 'COUNT', maxPoints: 1, window: 'PT1H', across: 'SUM' };
  const answer = await house.ask('query ($query: SeriesQuery!) { series(query: $query) { series { values } } }', {
    query,
  });
  return answer.data.series.series[0]?.values[0] ?? 0;
}

test('good samples are taken, bad ones are refused one by one', async () => {
  const answer = await record({
    samples: [
      { metric: 'depth', value: 3 },
      { metric: '', value: 1 },
      { metric: 'x'.repeat(256), value: 1 },
      { metric: 'depth', value: 1, time: '2100-01-01T00:00:00Z' },
      { metric: 'depth', value: 1, time: '1969-12-31T00:00:00Z' },
      { metric: 'depth\u0000', value: 1 },
      { metric: 'depth', value: 4, time: '1970-01-01T00:00:00Z', labels: { of: 'old', none: '' } },
    ],
  });
  expect(answer).toEqual({
    accepted: 2,
    rejected: [
      { index: 1, reason: 'a metric’s name has 1 to 255 characters' },
      { index: 2, reason: 'a metric’s name has 1 to 255 characters' },
      { index: 3, reason: 'the time is more than ten minutes ahead' },
      { index: 4, reason: 'the time is before 1970' },
      { index: 5, reason: 'text must be well-formed and without U+0000' },
    ],
    userErrors: [],
  });
});

test('a batch that cannot be one is a user error', async () => {
  const sample = { metric: 'depth', value: 1 };
  const many = await record({ samples: Array.from({ length: 10_001 }, () => sample) });
  expect(many).toMatchObject({ accepted: 0, userErrors: [{ code: 'BAD_INPUT', field: ['input', 'samples'] }] });
  for (const batchId of ['', 'x'.repeat(256), 'a\u0000']) {
    const answer = await record({ samples: [sample], batchId });
    expect(answer).toMatchObject({ accepted: 0, userErrors: [{ code: 'BAD_INPUT', field: ['input', 'batchId'] }] });
  }
});

test('the header Idempotency-Key names a batch as well', async () => {
  const keyed = (value: number) => record({ samples: [{ metric: 'keyed', value }] }, { idempotencyKey: 'h-1' });
  for (const value of [1, 1, 2, 2]) expect((await keyed(value)).accepted).toBe(1);
  expect(await countOf('keyed')).toBe(2);
});

test('a batch is stored once, by its id and who sent it, also over a restart', async () => {
  const input = { samples: [{ metric: 'batched', value: 1 }], batchId: 'b1' };
  expect((await record(input)).accepted).toBe(1);
  expect((await record(input)).accepted).toBe(1);
  expect(await countOf('batched')).toBe(1);
  house = await house.again();
  expect((await record(input)).accepted).toBe(1);
  expect(await countOf('batched')).toBe(1);
  const agent = agentOf(2);
  expect((await record(input, { principal: agent })).accepted).toBe(1);
  expect(await countOf('batched')).toBe(2);
});

test('an agent’s samples carry its id, whatever they say', async () => {
  const agent = agentOf(3);
  await record({ samples: [{ metric: 'own', value: 5, labels: { agent_id: 'another' } }] }, { principal: agent });
  const answer = await house.ask(
    `query ($agents: [_Any!]!, $query: SeriesQuery!) {
      _entities(representations: $agents) { ... on Agent { id series(query: $query) { series { labels values } } } }
    }`,
    {
      agents: [agent, agentOf(4)].map(({ id }) => ({ __typename: 'Agent', id })),
      query: { metric: 'own', maxPoints: 1 },
    },
  );
  expect(answer.data._entities).toEqual([
    { id: agent.id, series: { series: [{ labels: { agent_id: agent.id }, values: [5] }] } },
    { id: agentOf(4).id, series: { series: [] } },
  ]);
});

test('who may not send is refused, who may not read too', async () => {
  const viewer = { ...agentOf(5), scopes: ['viewer' as const] };
  const refused = await house.ask(RECORD, { input: { samples: [] } }, { principal: viewer });
  expect(refused.errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  const unread = await house.ask('{ metrics { totalCount } }', {}, { principal: agentOf(5) });
  expect(unread.errors?.[0]?.extensions.code).toBe('FORBIDDEN');
});

test('when the store is away nothing is accepted', async () => {
  await house.subgraph.stop?.();
  const answer = await house.ask(RECORD, { input: { samples: [{ metric: 'lost', value: 1 }] } });
  expect(answer.errors?.[0]?.extensions).toMatchObject({ code: 'SUBGRAPH_UNAVAILABLE', retryable: true });
  expect((await house.send('traces', { resourceSpans: [] })).status).toBe(200);
  house = await house.again();
});

test('samples and spans are kept as long as the settings say', async () => {
  const definition = async () => {
    const rows = await house.telemetry.query<{ name: string; sql: string }>(
      `select name, create_table_query as sql from system.tables where name in ('span', 'metric_sample', 'metric_series')`,
    );
    return rows.map(({ sql }) => /toIntervalDay\(\d+\)/.exec(sql)?.[0]);
  };
  expect(await definition()).toEqual(Array(3).fill('toIntervalDay(30)'));
  await house.stop();
  house = await startMetricsHouse({ settings: { FLEET_METRIC_RETENTION_DAYS: 3 } });
  expect(await definition()).toEqual(Array(3).fill('toIntervalDay(3)'));
});
