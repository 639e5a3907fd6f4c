import { nodeId } from '../../lib/node-id.ts';
import type { AnyShape } from '../support/house.ts';
import { ingest, type LogsHouse, startLogsHouse } from './support.ts';

const AGENT = nodeId('Agent', '01890000-0000-7000-8000-0000000000aa');
const TIME = '2026-01-01T00:00:00.000Z';

let house: LogsHouse;
beforeAll(async () => {
  house = await startLogsHouse();
  // All on one timestamp, two streams in turn, over several groups.
  for (let group = 0; group < 5; group += 1) {
    await ingest(
      house,
      Array.from({ length: 40 }, (_, n) => ({
        time: TIME,
        body: `${n % 2 ? 'mine' : 'theirs'} ${group * 20 + Math.floor(n / 2)}`,
        service: n % 2 ? 'mine' : 'theirs',
      })),
    );
  }
  await ingest(house, [
    { time: TIME, body: 'by the agent 0', service: 'mine', agentId: AGENT },
    { time: TIME, body: 'by the agent 1', service: 'other', agentId: AGENT },
  ]);
});
afterAll(() => house.close());

const QUERY = `query ($filter: LogFilter, $first: Int, $count: Int, $after: String) {
  logs(filter: $filter, first: $first, after: $after) {
    pageInfo { hasNextPage endCursor }
    nodes {
      body
      before(first: $count) { nodes { body } pageInfo { hasNextPage hasPreviousPage endCursor } totalCount }
      after(first: $count) { nodes { body } pageInfo { hasNextPage hasPreviousPage } }
    }
  }
}`;
const said = ({ nodes }: AnyShape): string[] => nodes.map(({ body }: { body: string }) => body);

test('what stands before and after an entry is exact, also where all have one timestamp', async () => {
  const { data, errors } = await house.ask(QUERY, { filter: { query: 'service:mine -agent:*' }, first: 100, count: 3 });
  expect(errors).toBeUndefined();
  const all = said(data.logs);
  expect(all).toEqual(Array.from({ length: 100 }, (_, n) => `mine ${99 - n}`));
  const newer = 'by the agent 0';
  for (const [index, { before, after }] of data.logs.nodes.entries()) {
    expect(said(before)).toEqual(all.slice(index + 1, index + 4));
    expect(said(after)).toEqual([newer, ...all].slice(Math.max(0, index - 2), index + 1));
  }
});

test('an agent’s entry stands in the agent’s stream, whatever the service', async () => {
  const { data } = await house.ask(QUERY, { filter: { agentIds: [AGENT] }, first: 2, count: 10 });
  const [second, first] = data.logs.nodes;
  expect([said(second.before), said(second.after)]).toEqual([['by the agent 0'], []]);
  expect([said(first.before), said(first.after)]).toEqual([[], ['by the agent 1']]);
});

test('one can go on from what stands before', async () => {
  const filter = { services: ['theirs'] };
  const { data } = await house.ask(QUERY, { filter, first: 1, count: 5 });
  const [{ before }] = data.logs.nodes;
  expect(before.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: true });
  const next = await house.ask(QUERY, { filter, first: 2, count: 1, after: before.pageInfo.endCursor });
  expect(said(next.data.logs)).toEqual(['theirs 93', 'theirs 92']);
});

test('a page says what was read for it, and by which indexes', async () => {
  const scanned = async (filter: object) => {
    const { data, errors } = await house.ask(
      'query ($filter: LogFilter) { logs(first: 1, filter: $filter) { scan { rows bytes elapsedMs from to indexes isExact } } }',
      { filter },
    );
    expect(errors).toBeUndefined();
    return data.logs.scan;
  };
  expect(await scanned({ query: '-never' })).toEqual({
    rows: expect.any(Number),
    bytes: expect.any(Number),
    elapsedMs: expect.any(Number),
    from: null,
    to: null,
    indexes: [],
    isExact: true,
  });
  expect((await scanned({})).rows).toBeGreaterThan(0);
  const range = { from: '2026-01-01T00:00:00.000Z', to: '2026-01-02T00:00:00.000Z' };
  expect(await scanned({ range })).toMatchObject(range);
  expect((await scanned({ query: 'never' })).indexes).toContain('words');
  expect((await scanned({ range: { from: '2027-01-01T00:00:00Z' } })).indexes.length).toBeGreaterThan(0);
});
