import { openStream } from '../audit/support.ts';
import { emptyHouseDatabase } from '../support/database.ts';
import { type AnyShape } from '../support/house.ts';
import { until as told } from '../support/until.ts';
import { ingest, type LogsHouse, startLogsHouse } from './support.ts';

const FOLLOW = `subscription ($filter: ErrorGroupFilter, $states: [ErrorGroupState!], $after: String) {
  errorGroupChanged(filter: $filter, states: $states, after: $after) {
    cursor kind previous node { id state code place message severity count services versions resolvedInVersion sample { body } } } }`;
const LIST = `query ($first: Int) { errorGroups(first: $first) { nodes { id message count } pageInfo { endCursor } changeCursor } }`;
const RESOLVE = `mutation ($input: ResolveErrorGroupInput!) { resolveErrorGroup(input: $input) { userErrors { message } } }`;
const REOPEN = `mutation ($input: ReopenErrorGroupInput!) { reopenErrorGroup(input: $input) { userErrors { message } } }`;

let house: LogsHouse;
beforeEach(async () => {
  house = await startLogsHouse();
});
afterEach(() => house.close());

const fail = (what: string, count: number, more: object = {}) =>
  ingest(
    house,
    Array.from({ length: count }, (_, at) => ({
      severity: 'ERROR',
      service: 'checkout',
      body: `${what} ${at} failed`,
      attributes: { 'error.code': what.toUpperCase() },
      ...more,
    })),
  );

async function follow(variables: object = {}) {
  const stream = await openStream(house, FOLLOW, variables);
  return {
    async take(count: number): Promise<AnyShape[]> {
      const taken = await stream.take(count);
      return taken.map(({ next }) => next.data?.errorGroupChanged ?? next);
    },
    close: stream.close,
  };
}

/** Changes until a group was counted so far; what counts a group on in between is one change or several. */
async function until(stream: Awaited<ReturnType<typeof follow>>, message: string, count: number): Promise<AnyShape[]> {
  const taken: AnyShape[] = [];
  for (;;) {
    const [change] = await stream.take(1);
    taken.push(change);
    if (change.node.message === message && change.node.count >= count) return taken;
  }
}

test('a new group is told with what it is, and then how it is counted on: exactly, at the last', async () => {
  const stream = await follow();
  await fail('alpha', 2);
  const [created] = await until(stream, 'alpha <n> failed', 2);
  expect(created).toMatchObject({
    kind: 'CREATED',
    previous: null,
    node: {
      state: 'UNRESOLVED',
      code: 'ALPHA',
      place: 'checkout',
      message: 'alpha <n> failed',
      severity: 'ERROR',
      services: ['checkout'],
      sample: { body: expect.stringMatching(/^alpha \d failed$/) },
    },
  });
  for (let round = 0; round < 40; round += 1) await fail('alpha', 5);
  const changes = await until(stream, 'alpha <n> failed', 202);
  expect(changes.at(-1)).toMatchObject({ kind: 'UPDATED', previous: 'UNRESOLVED', node: { count: 202 } });
  // Forty inserts are far fewer changes.
  expect(changes.length).toBeLessThan(40);
  const counts = changes.map(({ node }) => node.count);
  expect(counts).toEqual([...new Set(counts)].sort((a, b) => a - b));
  stream.close();
});

test('what is said of a group is told, and that it came again', async () => {
  const stream = await follow();
  await fail('bravo', 1);
  const [{ node }] = await until(stream, 'bravo <n> failed', 1);
  await house.ask(RESOLVE, { input: { id: node.id, inVersion: '1.0' } });
  await house.ask(REOPEN, { input: { id: node.id } });
  await house.ask(RESOLVE, { input: { id: node.id } });
  const said = await stream.take(3);
  expect(said.map(({ previous, node: is }) => [previous, is.state, is.resolvedInVersion])).toEqual([
    ['UNRESOLVED', 'RESOLVED', '1.0'],
    ['RESOLVED', 'UNRESOLVED', null],
    ['UNRESOLVED', 'RESOLVED', null],
  ]);
  await fail('bravo', 1, { time: new Date(Date.now() + 1_000).toISOString() });
  const [again] = await stream.take(1);
  expect(again).toMatchObject({ kind: 'UPDATED', previous: 'RESOLVED', node: { state: 'REGRESSED', count: 2 } });
  stream.close();
});

test('who follows some groups is told of those, and once that one left its states', async () => {
  const codes = await follow({ filter: { codes: ['DELTA'], services: ['checkout'], minSeverity: 'ERROR' } });
  const open = await follow({ states: ['UNRESOLVED'] });
  await fail('charlie', 1);
  await fail('delta', 1);
  const [{ node }] = await until(codes, 'delta <n> failed', 1);
  expect(node.code).toBe('DELTA');
  await until(open, 'delta <n> failed', 1);
  await house.ask(RESOLVE, { input: { id: node.id } });
  expect(await open.take(1)).toEqual([
    expect.objectContaining({ kind: 'LEFT', node: expect.objectContaining({ id: node.id }) }),
  ]);
  codes.close();
  open.close();
});

test('a list tells where to go on: nothing that happens behind it is missed', async () => {
  await fail('echo', 3);
  const { data } = await house.ask(LIST, { first: 1 });
  await fail('foxtrot', 1);
  await fail('echo', 1);
  const stream = await follow({ after: data.errorGroups.changeCursor });
  const last = new Map<string, number>();
  while (last.get('echo <n> failed') !== 4 || !last.has('foxtrot <n> failed')) {
    const [{ node }] = await stream.take(1);
    last.set(node.message, node.count);
  }
  stream.close();
  const next = await house.ask(`query ($after: String) { errorGroups(first: 1, after: $after) { changeCursor } }`, {
    after: data.errorGroups.pageInfo.endCursor,
  });
  expect(next.data.errorGroups.changeCursor).toBe(data.errorGroups.changeCursor);
});

test('a restart loses no change and repeats none', async () => {
  await house.close();
  const databaseUrl = await emptyHouseDatabase('logs');
  house = await startLogsHouse({ databaseUrl });
  const before = await follow();
  await fail('golf', 2);
  const [created] = await until(before, 'golf <n> failed', 2);
  const { folder } = house;
  await fail('golf', 3);
  before.close();
  // Whether these three were told before it ended or are told after it began again is all one.
  await house.close();
  house = await startLogsHouse({ databaseUrl, folder });
  await fail('hotel', 1);
  const after = await follow({ after: created.cursor });
  const changes = await until(after, 'hotel <n> failed', 1);
  const golf = changes.filter(({ node }) => node.code === 'GOLF').map(({ kind, node }) => [kind, node.count]);
  expect(golf.at(-1)).toEqual(['UPDATED', 5]);
  expect(new Set(changes.map(({ cursor }) => cursor)).size).toBe(changes.length);
  after.close();
});

test('what a group was told to be is forgotten once the log has it no more', async () => {
  await house.close();
  const databaseUrl = await emptyHouseDatabase('logs');
  house = await startLogsHouse({ databaseUrl });
  const stream = await follow();
  await fail('india', 1);
  await until(stream, 'india <n> failed', 1);
  await fail('kilo', 1);
  await until(stream, 'kilo <n> failed', 1);
  stream.close();
  await house.telemetry.command(`alter table log delete where body like 'india%' settings mutations_sync = 1`);
  const { folder } = house;
  await house.close();
  house = await startLogsHouse({ databaseUrl, folder });
  await told(async () => (await house.runtime.database.query('select id from error_told')).length === 1);
});
