import { verifyInclusion } from '../../lib/merkle/index.ts';
import { nodeId } from '../../lib/node-id.ts';
import { emptyHouseDatabase } from '../support/database.ts';
import { until } from '../support/until.ts';
import { allPlaced, deliver, draft, startAudit } from './support.ts';

const DAY_MS = 86_400_000;
const ENTRY = `query ($id: ID!) { auditEntry(id: $id) { action before after reason proof { leafIndex treeSize leaf leafHash hashes rootHash } } }`;

test('bytes go with age, hashes stay: proofs hold, and an entry says what went', async () => {
  const old = [1, 2, 3].map((at) => draft({ occurredAtMs: Date.now() - 40 * DAY_MS, after: { at } }));
  const flag = draft({
    occurredAtMs: Date.now() - 40 * DAY_MS,
    targetType: 'FeatureFlag',
    targetId: 'x',
    after: { state: 'ON' },
  });
  const fresh = draft({ after: { fresh: true } });
  const databaseUrl = await emptyHouseDatabase('audit');
  const databaseHouse = await startAudit({ databaseUrl });
  await deliver(databaseHouse, [...old, flag, fresh]);
  await allPlaced(databaseHouse);
  await databaseHouse.stop();
  const house = await startAudit({ databaseUrl, settings: { FLEET_AUDIT_RETENTION_DAYS: 30 } });
  try {
    const [swept] = await until(async () => {
      const { data } = await house.ask(
        '{ auditEntries(filter: { actions: ["audit.retention.swept"] }) { nodes { actor { kind } reason after } } }',
      );
      return data.auditEntries.nodes.length ? data.auditEntries.nodes : null;
    });
    expect(swept).toMatchObject({
      actor: { kind: 'SYSTEM' },
      reason: 'FLEET_AUDIT_RETENTION_DAYS is 30',
      after: { removed: 3, upToIndex: 3 },
    });
    for (const { id } of old) {
      const { data } = await house.ask(ENTRY, { id: nodeId('AuditEntry', id) });
      const { proof, ...entry } = data.auditEntry;
      expect(entry).toMatchObject({ action: 'registerAgent', before: null, after: null });
      expect(proof.leaf).toBeNull();
      const bytes = (text: string) => Buffer.from(text, 'base64');
      expect(
        verifyInclusion({
          leafIndex: Number(proof.leafIndex),
          treeSize: Number(proof.treeSize),
          leafHash: bytes(proof.leafHash),
          hashes: proof.hashes.map(bytes),
          rootHash: bytes(proof.rootHash),
        }),
      ).toBe(true);
    }
    const kept = await Promise.all([flag, fresh].map(({ id }) => house.ask(ENTRY, { id: nodeId('AuditEntry', id) })));
    expect(kept.map(({ data }) => data.auditEntry.after)).toEqual([{ state: 'ON' }, { fresh: true }]);
  } finally {
    await house.stop();
  }
});

test('bytes that a sink has not taken stay', async () => {
  const settings = {
    FLEET_AUDIT_RETENTION_DAYS: 1,
    FLEET_AUDIT_SINKS: ['https://192.0.2.1/nowhere'],
  };
  const databaseUrl = await emptyHouseDatabase('audit');
  const first = await startAudit({ databaseUrl });
  await deliver(first, [draft({ occurredAtMs: Date.now() - 9 * DAY_MS, after: { kept: true } })]);
  await allPlaced(first);
  await first.stop();
  const house = await startAudit({ databaseUrl, settings });
  try {
    await until(
      async () => (await house.runtime.database.query(`select 1 from progress where name = 'retention'`)).length,
    );
    const [{ count }] = await house.runtime.database.query('select count(*) from entry where leaf is null');
    expect(count).toBe('0');
  } finally {
    await house.stop();
  }
});
