import { type MetricsHouse, startMetricsHouse } from './metrics-house.ts';

let house: MetricsHouse;
beforeAll(async () => {
  house = await startMetricsHouse();
});
afterAll(() => house.stop());

const RECORD = `mutation ($input: RecordSamplesInput!) {
  recordSamples(input: $input) { accepted rejected { index reason } userErrors { code message field } }
}`;

test('works', async () => {
  const now = Date.now();
  const a = await house.ask(RECORD, {
    input: {
      samples: [
        { metric: 'queue_depth', labels: { queue: 'a' }, value: 3, time: new Date(now - 2000).toISOString() },
        { metric: 'queue_depth', labels: { queue: 'b' }, value: 5 },
        { metric: '', value: 5 },
      ],
      batchId: 'x',
    },
  });
  console.log(JSON.stringify(a));
  const b =
    await house.ask(`{ metrics { nodes { name type unit help labels series lastSampleAt } totalCount pageInfo { hasNextPage } }
    series(query: { metric: "queue_depth", maxPoints: 3 }) { warnings series { metric labels label(name: "queue") times values points { time value } } }
    sum: series(query: { metric: "queue_depth", maxPoints: 2, across: SUM }) { warnings series { labels values } }
    avg: series(query: { metric: "queue_depth", maxPoints: 2, overTime: AVG, window: "PT1M", topK: 1 }) { warnings series { labels values } }
    re: series(query: { metric: "queue_depth", maxPoints: 2, overTime: P95, window: "PT1M", labels: [{name: "queue", op: RE, value: "a("}] }) { warnings series { labels values } }
    traces { nodes { traceId } totalCount }
    trace(traceId: "0123456789abcdef0123456789abcdef") { traceId }
    }`);
  console.log(JSON.stringify(b, null, 1));
});
