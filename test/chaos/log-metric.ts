import { type SpawnedPlatform, wait } from '../support/spawned-platform.ts';

const METRIC = 'chaos_errors_total';
const APPLY = `mutation ($input: LogMetricInput!) { applyLogMetric(input: $input) { userErrors { message } } }`;
const NEWEST = `{ series(query: { metric: "${METRIC}", maxPoints: 1, across: SUM }) { series { values } } }`;

/** Has what a service logs from now on counted as a metric. */
export async function countLog(platform: SpawnedPlatform, service: string): Promise<void> {
  const input = { name: METRIC, kind: 'COUNTER', filter: { services: [service] }, by: ['severity'] };
  const { data, errors } = await platform.ask(APPLY, { input });
  const failure = data?.applyLogMetric?.userErrors[0] ?? errors?.[0];
  if (failure) throw new Error(failure.message);
}

/** What the metric came to, once it stands at `expected`, or after half a minute. */
export async function countedLog(platform: SpawnedPlatform, expected: number): Promise<number> {
  let value = 0;
  const stands = async () => {
    const { data } = await platform.ask(NEWEST);
    value = data?.series?.series[0]?.values[0] ?? 0;
    return value >= expected;
  };
  await wait(stands, 30_000, 'all errors are in the metric').catch(() => undefined);
  return value;
}
