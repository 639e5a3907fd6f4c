import { systemClock } from '../../lib/clock.ts';
import { LogMetric, SavedLogSearch } from '../../subgraphs/logs/entity/index.ts';
import { MetricCounter } from '../../subgraphs/logs/service/metric-counter.ts';
import { deliveryTo } from '../../subgraphs/logs/service/metric-delivery.ts';
import { SavedSearches } from '../../subgraphs/logs/service/saved-searches.ts';
import { LogMetricStore, LogReader, MetricCountStore, NamedStore } from '../../subgraphs/logs/store/index.ts';
import { entities as metricEntities, metricsSubgraph } from '../../subgraphs/metrics/index.ts';
import { startTestHouse, type TestHouse } from '../support/house.ts';
import { ingest, type LogsHouse, startLogsHouse } from './support.ts';

let metrics: TestHouse;
let logs: LogsHouse;
beforeAll(async () => {
  // Its own counting stands still: here the test counts.
  logs = await startLogsHouse({ settings: { FLEET_LOG_METRICS_MS: 60_000 } });
  const { telemetry } = logs;
  metrics = await startTestHouse({ name: 'metrics', entities: metricEntities, make: metricsSubgraph, telemetry });
});
afterAll(async () => {
  await metrics.stop();
  await logs.close();
});

/** The process ends at the so-manieth thing that it does: before it, or when it is done but nobody knows. */
class Mortal {
  #left: number;

  constructor(
    life: number,
    private readonly isDone: boolean,
  ) {
    this.#left = life;
  }

  async live<T>(act: () => Promise<T>): Promise<T> {
    this.#left -= 1;
    if (this.#left > 0) return await act();
    if (this.#left === 0 && this.isDone) await act();
    throw new Error('killed');
  }

  of<T extends object>(parts: T): T {
    return new Proxy(parts, {
      get: (target, name) => {
        const member = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
        return (...args: unknown[]) => this.live(() => member.apply(target, args));
      },
    });
  }
}

async function counter(mortal: Mortal, clock = systemClock): Promise<MetricCounter> {
  const { database, writes } = logs.runtime;
  const [top] = await logs.telemetry.query<{ top: string }>('select toString(max(stamp)) as top from log');
  const deliver = deliveryTo(metrics.client, systemClock);
  return new MetricCounter({
    counts: mortal.of(new MetricCountStore(new LogReader(logs.telemetry))),
    store: mortal.of(new LogMetricStore(database)),
    searches: new SavedSearches(new NamedStore(database, SavedLogSearch), writes),
    mark: { watermark: Number(top?.top) } as never,
    clock,
    deliver: (samples) => mortal.live(() => deliver(samples)),
  });
}

test('killed at every step, before it and behind it, and counted by two at once: each entry counts once', async () => {
  const input = { name: 'exact_total', kind: 'COUNTER', filter: { query: 'exact' }, by: ['service'] };
  const applied = await logs.ask(
    'mutation ($input: LogMetricInput!) { applyLogMetric(input: $input) { userErrors { code } } }',
    {
      input,
    },
  );
  expect(applied).toEqual({ data: { applyLogMetric: { userErrors: [] } } });
  const [definition] = await new NamedStore(logs.runtime.database, LogMetric).all();
  const step = async (mortal: Mortal) => await (await counter(mortal)).step(definition as LogMetric);
  let [count, killed] = [0, 0];
  for (const isDone of [false, true]) {
    for (let life = 1; life <= 9; life += 1) {
      const records = Array.from({ length: 3 + life }, () => ({ body: 'exact', service: `s${life % 4}` }));
      await ingest(logs, records);
      count += records.length;
      await step(new Mortal(life, isDone)).catch((error: Error) => {
        expect(error.message).toBe('killed');
        killed += 1;
      });
      if (life % 3 === 0) await Promise.all([step(new Mortal(99, true)), step(new Mortal(99, true))]);
    }
  }
  await step(new Mortal(99, true));
  expect(killed).toBeGreaterThan(8);
  const { data } = await metrics.ask(
    `{ newest: series(query: { metric: "exact_total", maxPoints: 1, across: SUM }) { series { values } }
       grown: series(query: { metric: "exact_total", maxPoints: 1, overTime: MAX, window: "PT1H", across: SUM }) { series { values } }
       samples: series(query: { metric: "exact_total", maxPoints: 1, overTime: MIN, window: "PT1H", across: SUM }) { series { values } } }`,
  );
  expect(data.newest.series).toEqual([{ values: [count] }]);
  expect(data.grown.series).toEqual([{ values: [count] }]);
  expect(data.samples.series).toEqual([{ values: [0] }]);
});

test('a series that stands still is told again while others go on', async () => {
  const input = { name: 'still_total', kind: 'COUNTER', filter: { query: 'still' }, by: ['service'] };
  await logs.ask('mutation ($input: LogMetricInput!) { applyLogMetric(input: $input) { userErrors { code } } }', {
    input,
  });
  const all = await new NamedStore(logs.runtime.database, LogMetric).all();
  let aheadMs = 0;
  const clock = { ...systemClock, nowMs: () => systemClock.nowMs() + aheadMs };
  for (const service of ['quiet', 'busy', 'busy', 'busy', 'busy']) {
    await ingest(logs, [{ body: 'still', service }]);
    const definition = all.find(({ name }) => name === input.name) as LogMetric;
    await (await counter(new Mortal(99, true), clock)).step(definition);
    aheadMs += 5_000;
  }
  const to = new Date(systemClock.nowMs() + 60_000).toISOString();
  const { data } = await metrics.ask(
    `{ series(query: { metric: "still_total", labels: [{ name: "service", value: "quiet" }], maxPoints: 1, overTime: COUNT,
         window: "PT1H", range: { from: "2026-01-01T00:00:00Z", to: "${to}" } }) { series { values } } }`,
  );
  // Of zero, of the first entry, and once more after 15 seconds.
  expect(data.series.series).toEqual([{ values: [3] }]);
});
