import { Across, OverTime, type SeriesQuery } from '../../lib/graphql/series-query.ts';
import { MatchOp } from '../../lib/graphql/shared.ts';
import { planSeries } from '../../subgraphs/metrics/service/series-plan.ts';

const NOW = Date.parse('2026-01-31T12:00:00.500Z');
const HOUR = 3_600_000;
const plan = (query: Partial<SeriesQuery>) => planSeries({ metric: 'm', ...query }, NOW);

test('nothing said is the last hour at a round step that ends now', () => {
  expect(plan({})).toEqual({
    metric: 'm',
    labels: [],
    startMs: NOW - HOUR,
    stepMs: 15_000,
    points: 241,
    windowMs: 300_000,
    overTime: OverTime.LAST,
    across: null,
    by: [],
    topK: null,
  });
});

test('a range with a begin is stepped from there, else to its end', () => {
  const from = new Date('2026-01-31T10:00:00Z');
  const to = new Date('2026-01-31T10:10:00Z');
  expect(plan({ range: { from, to }, step: 'PT4M' })).toMatchObject({ startMs: from.getTime(), points: 3 });
  expect(plan({ range: { from }, step: 'PT1H' })).toMatchObject({ startMs: from.getTime(), points: 3 });
  expect(plan({ range: { to }, step: 'PT30M' })).toMatchObject({ startMs: to.getTime() - HOUR, points: 3 });
  expect(plan({ range: { last: 'PT10M' }, step: 'PT4M' })).toMatchObject({ startMs: NOW - 480_000, points: 3 });
  expect(plan({ range: { from, to }, maxPoints: 1 })).toMatchObject({ startMs: to.getTime(), points: 1 });
});

test('steps are round from a millisecond to many days', () => {
  expect(plan({ range: { last: 'PT0.1S' }, maxPoints: 101 })).toMatchObject({ stepMs: 1, points: 101 });
  expect(plan({ range: { last: 'P30D' }, maxPoints: 100 })).toMatchObject({ stepMs: (28_800_000 / 8) * 12 });
  expect(plan({ range: { last: 'P3650D' }, maxPoints: 11 })).toMatchObject({ stepMs: 365 * 86_400_000, points: 11 });
});

test('what looks back looks at least five minutes, the rest one step', () => {
  expect(plan({ overTime: OverTime.RATE, step: 'PT1M' }).windowMs).toBe(300_000);
  expect(plan({ overTime: OverTime.RATE, step: 'PT10M' }).windowMs).toBe(600_000);
  expect(plan({ overTime: OverTime.AVG, step: 'PT1M' }).windowMs).toBe(60_000);
  expect(plan({ overTime: OverTime.RATE, step: 'PT1M', window: 'PT2M' }).windowMs).toBe(120_000);
});

test('labels to join by are named once; an agent’s own matcher is added', () => {
  const own = { name: 'agent_id', op: MatchOp.EQ, value: 'a' };
  const query = { metric: 'm', across: Across.SUM, by: ['a', 'a', 'b'], labels: [{ ...own, name: 'x' }] };
  expect(planSeries(query, NOW, [own])).toMatchObject({ by: ['a', 'b'], labels: [{ name: 'x' }, own] });
});

const matcher = (value: string) => ({ name: 'a', op: MatchOp.EQ, value });
test.each<[string, Partial<SeriesQuery>]>([
  ['metric', { metric: '' }],
  ['labels', { labels: Array(33).fill(matcher('a')) }],
  ['labels', { labels: [matcher('x'.repeat(1_001))] }],
  ['by', { by: ['a'] }],
  ['by', { by: Array(33).fill('a'), across: Across.SUM }],
  ['topK', { topK: 0 }],
  ['topK', { topK: 1_001 }],
  ['maxPoints', { maxPoints: 0 }],
  ['maxPoints', { maxPoints: 11_001 }],
  ['step', { step: 'PT0S' }],
  ['step', { step: 'PT0.1S' }],
  ['window', { window: 'PT0S' }],
  ['range', { range: { from: new Date(NOW + 1) } }],
  ['range', { range: { to: new Date(60_000) } }],
  ['range', { range: { from: new Date(5), to: new Date(5) } }],
  ['range', { range: { last: 'PT0S' } }],
  ['range', { range: { last: 'PT1H', from: new Date(5) } }],
])('%s must be usable: %j', (field, query) => {
  expect(() => plan(query)).toThrow(
    expect.objectContaining({ code: 'BAD_INPUT', extensions: expect.objectContaining({ field: ['query', field] }) }),
  );
});
