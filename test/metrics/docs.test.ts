import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type MetricsHouse, startMetricsHouse } from './metrics-house.ts';

const text = readFileSync(path.resolve(__dirname, '../../docs/metrics.md'), 'utf8');
const search = /`(service:writer [^`]+)`/.exec(text)?.[1];

let house: MetricsHouse;
beforeAll(async () => {
  house = await startMetricsHouse();
});
afterAll(() => house.stop());

test('the search of the document is one', async () => {
  expect(search).toBeDefined();
  const answer = await house.ask('query ($query: String) { traces(filter: { query: $query }) { totalCount } }', {
    query: search,
  });
  expect(answer).toEqual({ data: { traces: { totalCount: 0 } } });
});
