import { buildSchema } from 'graphql';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { FleetError } from '../../lib/errors.ts';
import { nodeId } from '../../lib/node-id.ts';
import { EVENT_PARTITIONS, WRITE_TABLES } from '../../lib/write/tables.ts';
import { type AnyShape, callOf, startTestHouse, type TestHouse } from '../support/house.ts';
import { until } from '../support/until.ts';
import { startAudit } from './support.ts';

/** A house that has nothing but what every house writes with. */
class Bare1795405000000 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    for (const statement of [...WRITE_TABLES, ...EVENT_PARTITIONS]) await run.query(statement);
  }

  async down(): Promise<void> {}
}

let audit: TestHouse;
let house: TestHouse;
beforeAll(async () => {
  audit = await startAudit();
  house = await startTestHouse({
    name: 'agents',
    entities: [],
    migrations: [Bare1795405000000],
    addresses: { audit: audit.url },
    make: async ({ name }) => ({ name, schema: buildSchema('type Query { one: Int }'), context: (call) => ({ call }) }),
  });
});
afterAll(async () => {
  await house.stop();
  await audit.stop();
});

const ENTRY = `query ($id: ID!) { auditEntry(id: $id) { action outcome reason targetId causedBy { id } proof { leafIndex } } }`;
const entryOf = async (uuid: string): Promise<AnyShape> =>
  (await audit.ask(ENTRY, { id: nodeId('AuditEntry', uuid) })).data.auditEntry;

test('a mutation’s receipt leads to its entry, right after the commit', async () => {
  const call = callOf({ idempotencyKey: 'once' });
  const dim = () =>
    house.runtime.writes.run({
      call,
      action: 'dimLamp',
      args: { reason: 'too bright' },
      target: { type: 'Lamp', id: 'a' },
      run: async () => ({
        result: { ok: true },
        after: { level: 3 },
        causes: [{ action: 'lamp.cooled', target: { type: 'Lamp', id: 'a' } }],
      }),
    });
  const { auditEntry, repeated } = await dim();
  expect(repeated).toBe(false);
  expect(await entryOf(auditEntry)).toEqual({
    action: 'dimLamp',
    outcome: 'SUCCEEDED',
    reason: 'too bright',
    targetId: 'a',
    causedBy: null,
    proof: { leafIndex: expect.any(String) },
  });
  expect((await dim()).auditEntry).toBe(auditEntry);
  const { data } = await until(async () => {
    const answer = await audit.ask('{ auditEntries { totalCount nodes { action causedBy { id } } } }');
    return answer.data.auditEntries.totalCount === 2 ? answer : null;
  });
  expect(data.auditEntries.nodes).toEqual(
    expect.arrayContaining([{ action: 'lamp.cooled', causedBy: { id: nodeId('AuditEntry', auditEntry) } }]),
  );
});

test('a refused attempt has its entry too', async () => {
  const { auditEntry, userErrors } = await house.runtime.writes.run({
    call: callOf(),
    action: 'dimLamp',
    args: {},
    target: { type: 'Lamp', id: 'b' },
    run: () => Promise.reject(new FleetError('NOT_FOUND', 'there is no lamp b')),
  });
  expect(userErrors.map(({ code }) => code)).toEqual(['NOT_FOUND']);
  expect(await entryOf(auditEntry)).toEqual(
    expect.objectContaining({ outcome: 'FAILED', reason: 'NOT_FOUND: there is no lamp b' }),
  );
});

test('large entries hold nothing up', async () => {
  const large = 'x'.repeat(3_000_000);
  const receipts: string[] = [];
  for (let n = 0; n < 8; n += 1) {
    const { auditEntry } = await house.runtime.writes.run({
      call: callOf(),
      action: 'describeLamp',
      args: {},
      target: { type: 'Lamp', id: `large ${n}` },
      run: async () => ({ result: null, after: { large } }),
    });
    receipts.push(auditEntry);
  }
  await until(async () => (await house.runtime.database.query('select 1 from audit_outbox')).length === 0);
  expect((await entryOf(receipts[7] as string)).action).toBe('describeLamp');
});
