import { nodeId } from '../../lib/node-id.ts';
import { mayBeOnItsWay } from '../../subgraphs/audit/service/index.ts';
import type { TestHouse } from '../support/house.ts';
import { deliver, draft, freshUuid, startAudit } from './support.ts';

let house: TestHouse;
beforeAll(async () => {
  house = await startAudit();
});
afterAll(() => house.stop());

const RECEIPT = `query ($r: [_Any!]!) { _entities(representations: $r) { ... on AuditEntry { id action leafHash proof { treeSize } } } }`;
const reference = (id: string) => ({ __typename: 'AuditEntry', id: nodeId('AuditEntry', id) });

test('a receipt that is asked for before the relay delivered it is waited for, with its proof', async () => {
  const entry = draft();
  const asked = house.ask(RECEIPT, { r: [reference(entry.id)] });
  const also = house.ask(RECEIPT, { r: [reference(entry.id)] });
  await deliver(house, [entry]);
  for (const { data, errors } of [await asked, await also]) {
    expect(errors).toBeUndefined();
    expect(data._entities).toEqual([
      {
        id: nodeId('AuditEntry', entry.id),
        action: 'registerAgent',
        leafHash: expect.any(String),
        proof: { treeSize: expect.any(String) },
      },
    ]);
  }
});

test('a receipt that does not come in time is null with AUDIT_PENDING, and spoils no other', async () => {
  const here = draft();
  await deliver(house, [here]);
  const { data, errors } = await house.ask(RECEIPT, { r: [reference(here.id), reference(freshUuid())] });
  expect(data._entities).toEqual([expect.objectContaining({ id: nodeId('AuditEntry', here.id) }), null]);
  expect(errors).toEqual([
    expect.objectContaining({
      path: ['_entities', 1],
      extensions: expect.objectContaining({ code: 'AUDIT_PENDING', retryable: true }),
    }),
  ]);
});

test('an id that no entry can still have is null at once, without an error', async () => {
  const old = '01890a5d-ac96-774b-bcce-b302099a8057';
  const random = '3f333df6-90a4-4fda-8dd3-9485d27cee36';
  const { data, errors } = await house.ask(
    `query ($r: [_Any!]!, $a: ID!, $b: ID!) { _entities(representations: $r) { __typename } a: auditEntry(id: $a) { id } b: auditEntry(id: $b) { id } }`,
    {
      r: [reference(old), reference(random), { __typename: 'AuditEntry', id: nodeId('Agent', old) }],
      a: nodeId('Agent', old),
      b: 'no id',
    },
  );
  expect([data, errors]).toEqual([{ _entities: [null, null, null], a: null, b: null }, undefined]);
});

test('only a recent id of version 7 may be on its way', () => {
  const nowMs = 0x01890a5dac96;
  expect(mayBeOnItsWay('01890a5d-ac96-774b-bcce-b302099a8057', nowMs + 59_000)).toBe(true);
  expect(mayBeOnItsWay('01890a5d-ac96-774b-bcce-b302099a8057', nowMs + 61_000)).toBe(false);
  expect(mayBeOnItsWay('01890a5d-ac96-474b-bcce-b302099a8057', nowMs)).toBe(false);
});

test('a proof of an entry that gets no place in time is null with AUDIT_PENDING', async () => {
  const entry = draft();
  // Whoever holds the sequencer's lock keeps every entry from its place.
  const holder = house.runtime.database.createQueryRunner();
  await holder.query(`select pg_advisory_lock(hashtext(current_schema()), hashtext('entry'))`);
  try {
    await deliver(house, [entry]);
    const { data, errors } = await house.ask(RECEIPT, { r: [reference(entry.id)] });
    expect(data._entities[0]).toEqual(expect.objectContaining({ id: nodeId('AuditEntry', entry.id), proof: null }));
    expect(errors?.[0]?.extensions.code).toBe('AUDIT_PENDING');
  } finally {
    await holder.query(`select pg_advisory_unlock(hashtext(current_schema()), hashtext('entry'))`);
    await holder.release();
  }
  const { data } = await house.ask(RECEIPT, { r: [reference(entry.id)] });
  expect(data._entities[0].proof).toEqual({ treeSize: expect.any(String) });
});

test('a stop ends what waits', async () => {
  const other = await startAudit();
  const asked = other.ask(RECEIPT, { r: [reference(freshUuid())] });
  const answered = asked.then(
    ({ errors }) => errors?.[0]?.extensions.code,
    () => 'closed',
  );
  await other.subgraph.stop?.();
  expect(['AUDIT_PENDING', 'closed']).toContain(await answered);
  await other.stop();
});
