import { type LogsHouse, startLogsHouse } from './support.ts';

let house: LogsHouse;
beforeAll(async () => {
  house = await startLogsHouse();
});
afterAll(() => house.close());

const INGEST = `mutation ($input: IngestLogsInput!) { ingestLogs(input: $input) { accepted rejected { index reason } userErrors { code message field } } }`;
const LOGS = `query ($filter: LogFilter, $first: Int, $after: String, $last: Int, $before: String) {
  logs(filter: $filter, first: $first, after: $after, last: $last, before: $before) {
    nodes { id time observedAt severity service body attributes resource traceId spanId agent { id } trace { traceId } }
    edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount changeCursor
  }
}`;

test('what was ingested is found whole, at once', async () => {
  const answer = await house.ask(INGEST, {
    input: {
      records: [{ time: '1970-01-01T00:00:00.001Z', severity: 'WARN', service: 'old', body: 'Hello there', attributes: { a: { b: 1 } }, traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8) }],
    },
  });
  expect(answer).toEqual({ data: { ingestLogs: { accepted: 1, rejected: [], userErrors: [] } } });
  const found = await house.ask(LOGS, { filter: { query: 'hello service:old attributes.a.b:1' } });
  console.log(JSON.stringify(found, null, 1));
  const again = await house.ask(`query($id: ID!){ logEntry(id:$id){ id body time } logHistogram { time count } }`, { id: found.data?.logs.nodes[0].id });
  console.log(JSON.stringify(again));
});
