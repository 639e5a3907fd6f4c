import { nodeId } from '../../lib/node-id.ts';
import type { AnyShape, TestHouse } from '../support/house.ts';
import { deliver, draft, openStream, type StreamPayload, startAudit } from './support.ts';

let house: TestHouse;
beforeAll(async () => {
  house = await startAudit();
});
afterAll(() => house.stop());

const APPENDED = `subscription ($filter: AuditFilter, $after: String) { auditEntryAppended(filter: $filter, after: $after) {
  cursor occurredAt kind node { id action after } } }`;

const entryIds = (payloads: readonly StreamPayload[]): string[] =>
  payloads.map(({ next }) => next.data.auditEntryAppended.node.id);
const idsOf = (entries: readonly { id: string }[]) => entries.map(({ id }) => nodeId('AuditEntry', id));

test('a subscriber hears each entry once, in order, and resumes behind its cursor', async () => {
  const stream = await openStream(house, APPENDED);
  const entries = Array.from({ length: 5 }, (_, n) => draft({ after: { n } }));
  for (const entry of entries) await deliver(house, [entry]);
  const heard = await stream.take(5);
  stream.close();
  expect(entryIds(heard)).toEqual(idsOf(entries));
  const [first, second] = heard as [StreamPayload, StreamPayload];
  expect(first.next).toEqual({
    data: {
      auditEntryAppended: {
        cursor: first.id,
        occurredAt: new Date(entries[0]?.occurredAtMs as number).toISOString(),
        kind: 'CREATED',
        node: { id: idsOf(entries)[0], action: 'registerAgent', after: { n: 0 } },
      },
    },
  });
  const byArgument = await openStream(house, APPENDED, { after: second.id });
  expect(entryIds(await byArgument.take(3))).toEqual(idsOf(entries.slice(2)));
  byArgument.close();
  const byHeader = await openStream(house, APPENDED, { after: second.id }, { lastEventId: heard[3]?.id as string });
  expect(entryIds(await byHeader.take(1))).toEqual(idsOf(entries.slice(4)));
  byHeader.close();
});

test('query, then subscribe behind its changeCursor: nothing is missed and nothing repeated', async () => {
  const writing = (async () => {
    for (let n = 0; n < 30; n += 1) await deliver(house, [draft({ action: 'race', after: { n } })]);
  })();
  const { data } = await house.ask(
    '{ auditEntries(first: 100, filter: { actions: ["race"] }) { nodes { id } changeCursor } }',
  );
  const read: string[] = data.auditEntries.nodes.map(({ id }: AnyShape) => id);
  const stream = await openStream(house, APPENDED, {
    filter: { actions: ['race'] },
    after: data.auditEntries.changeCursor,
  });
  const heard = entryIds(await stream.take(30 - read.length));
  stream.close();
  await writing;
  expect(new Set([...read, ...heard]).size).toBe(30);
  expect(read.length + heard.length).toBe(30);
});

test('a filter lets through what it names', async () => {
  const stream = await openStream(house, APPENDED, {
    filter: { query: 'action:deleteAlertRule', outcomes: ['FAILED'] },
  });
  const wanted = draft({ action: 'deleteAlertRule', outcome: 'FAILED' });
  await deliver(house, [draft({ action: 'deleteAlertRule' }), draft({ outcome: 'FAILED' }), wanted]);
  expect(entryIds(await stream.take(1))).toEqual(idsOf([wanted]));
  stream.close();
});

test('a forged cursor, a wrong query and a cursor of another epoch are told', async () => {
  const codeOf = async (variables: object) => {
    const stream = await openStream(house, APPENDED, variables);
    const [payload] = await stream.take(1);
    stream.close();
    return payload?.next.errors?.[0]?.extensions.code;
  };
  expect(await codeOf({ after: 'forged' })).toBe('BAD_CURSOR');
  expect(await codeOf({ filter: { query: '(' } })).toBe('BAD_QUERY');
  const { data } = await house.ask('{ auditEntries(first: 1) { changeCursor } }');
  await house.runtime.database.query(`update tree set epoch = 'restored'`);
  expect(await codeOf({ after: data.auditEntries.changeCursor })).toBe('RESUME_GAP');
});
