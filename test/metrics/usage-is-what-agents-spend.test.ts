import { priceOf, usageOf } from '../../subgraphs/metrics/service/prices.ts';
import { agentOf, type MetricsHouse, standingClock, startMetricsHouse } from './metrics-house.ts';

const PRICES = { 'gpt-5': { input: 1.25, output: 10 }, 'gpt-5-mini': { input: 0.25, output: 2 } };
const NOW = Math.floor(Date.now() / 1_000) * 1_000;
const agent = agentOf(1);

test('a model costs what it, or the longest name it is a version of, is listed at', () => {
  expect(priceOf(PRICES, 'gpt-5')).toBe(PRICES['gpt-5']);
  expect(priceOf(PRICES, 'openai/gpt-5')).toBe(PRICES['gpt-5']);
  expect(priceOf(PRICES, 'gpt-5-2025-08-07')).toBe(PRICES['gpt-5']);
  expect(priceOf(PRICES, 'gpt-5-mini-2025')).toBe(PRICES['gpt-5-mini']);
  expect(priceOf(PRICES, 'gpt-50')).toBeUndefined();
});

test('the dearest model comes first, one without a price costs nothing', () => {
  const usage = usageOf(
    2,
    [
      { model: 'home', inputTokens: 5, outputTokens: 5 },
      { model: 'gpt-5-mini', inputTokens: 1_000_000, outputTokens: 0 },
      { model: 'gpt-5', inputTokens: 1_000_000, outputTokens: 1_000_000 },
      { model: 'attic', inputTokens: 5, outputTokens: 5 },
    ],
    PRICES,
  );
  expect(usage).toMatchObject({ tasks: 2, inputTokens: 2_000_010, outputTokens: 1_000_010, cost: 11.5 });
  expect(usage.byModel.map(({ model, cost }) => [model, cost])).toEqual([
    ['gpt-5', 11.25],
    ['gpt-5-mini', 0.25],
    ['attic', 0],
    ['home', 0],
  ]);
});

describe('an agent’s usage', () => {
  let house: MetricsHouse;
  beforeAll(async () => {
    house = await startMetricsHouse({ clock: standingClock(NOW), settings: { FLEET_PRICES: PRICES } });
    const span = (id: number, more: object, attributes: Record<string, unknown> = {}, agoMs = 60_000) => ({
      traceId: '1'.repeat(32),
      spanId: String(id).padStart(16, '0'),
      startTimeUnixNano: `${NOW - agoMs}000000`,
      endTimeUnixNano: `${NOW - agoMs + 500}000000`,
      attributes: Object.entries(attributes).map(([key, value]) => ({
        key,
        value: typeof value === 'number' ? { intValue: String(value) } : { stringValue: value },
      })),
      ...more,
    });
    const spent = (model: string, input: unknown, output: unknown) => ({
      'gen_ai.request.model': model,
      'gen_ai.usage.input_tokens': input,
      'gen_ai.usage.output_tokens': output,
    });
    const parentSpanId = '0000000000000001';
    const spans = [
      span(1, { name: 'request' }),
      span(2, { name: 'writer task', kind: 5, parentSpanId }),
      span(3, { name: 'task', parentSpanId }),
      span(4, { name: 'chat', parentSpanId }, spent('gpt-5', 1_000, 200)),
      span(5, { name: 'chat', parentSpanId }, { ...spent('', 'many', 50), 'gen_ai.response.model': 'gpt-5-mini' }),
      // Says again what the two calls in it spent: only they count.
      span(6, { name: 'invoke_agent', parentSpanId }, spent('gpt-5', 3_000, 0)),
      span(7, { name: 'chat', parentSpanId: '0000000000000006' }, spent('gpt-5', 1_000, 0)),
      span(8, { name: 'chat', parentSpanId: '0000000000000006' }, spent('gpt-5', 2_000, 0)),
      span(9, { name: 'multitasking', parentSpanId }),
      span(10, { name: 'request' }, spent('gpt-5', 1_000_000, 0), 7_200_000),
    ];
    const body = { resourceSpans: [{ scopeSpans: [{ spans }] }] };
    await house.send('traces', body, agent);
    await house.send('traces', body, agent);
  });
  afterAll(() => house.stop());

  const usageOfAgents = async (range: object | null, ids = [agent.id]) => {
    const answer = await house.ask(
      `query ($of: [_Any!]!, $range: TimeRange) { _entities(representations: $of) { ... on Agent {
        usage(range: $range) { tasks inputTokens outputTokens cost byModel { model inputTokens outputTokens } } } } }`,
      { range, of: ids.map((id) => ({ __typename: 'Agent', id })) },
    );
    return answer.errors?.[0] ?? answer.data._entities.map(({ usage }: { usage: object }) => usage);
  };

  test('is of the last hour when nothing is said, and nobody else’s', async () => {
    expect(await usageOfAgents(null, [agent.id, agentOf(2).id])).toEqual([
      {
        tasks: 3,
        inputTokens: 4_000,
        outputTokens: 250,
        cost: (4_000 * 1.25 + 200 * 10) / 1e6,
        byModel: [
          { model: 'gpt-5', inputTokens: 4_000, outputTokens: 200 },
          { model: '', inputTokens: 0, outputTokens: 50 },
        ],
      },
      { tasks: 0, inputTokens: 0, outputTokens: 0, cost: 0, byModel: [] },
    ]);
  });

  test('is of the stretch that is asked for', async () => {
    expect(await usageOfAgents({ last: 'P1D' })).toMatchObject([{ tasks: 4, inputTokens: 1_004_000 }]);
    const until = new Date(NOW - 3_600_000).toISOString();
    expect(await usageOfAgents({ to: until })).toMatchObject([{ tasks: 1, inputTokens: 1_000_000 }]);
    const since = new Date(NOW - 3_600_000).toISOString();
    expect(await usageOfAgents({ from: since })).toMatchObject([{ tasks: 3, inputTokens: 4_000 }]);
    expect(await usageOfAgents({ from: since, to: until })).toMatchObject({ extensions: { code: 'BAD_INPUT' } });
  });
});
