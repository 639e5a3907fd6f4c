import { systemClock } from '../../lib/clock.ts';
import { silentLog } from '../../lib/log.ts';
import { nodeId } from '../../lib/node-id.ts';
import type { EntryDraft } from '../../lib/write/entry.ts';
import { Readings } from '../../subgraphs/audit/service/readings.ts';
import { type AnyShape, callOf, type TestHouse } from '../support/house.ts';
import { until } from '../support/until.ts';
import { deliver, draft, startAudit } from './support.ts';

const reader = (id: string) => ({
  principal: { id, kind: 'PERSON' as const, name: id, scopes: ['viewer' as const, 'auditor' as const] },
});
const READS = 'query ($filter: AuditFilter) { auditEntries(filter: $filter) { nodes { id } } }';

/** What was told of a reader so far, added up. */
async function told(house: TestHouse, id: string): Promise<{ reads: Record<string, number>; filters: unknown[] }> {
  const rows: { leaf: Buffer }[] = await house.runtime.database.query(
    `select leaf from entry where action = 'audit.read' and actor_id = $1`,
    [id],
  );
  const all: AnyShape[] = rows.map(({ leaf }) => JSON.parse(leaf.toString()).after);
  const reads: Record<string, number> = {};
  for (const { reads: some } of all)
    for (const [field, count] of Object.entries(some)) reads[field] = (reads[field] ?? 0) + Number(count);
  return { reads, filters: all.flatMap(({ filters }) => filters) };
}

test('who read what is in the trail once the window is over, summed up, and writing it is no read', async () => {
  const house = await startAudit({ settings: { FLEET_AUDIT_READ_WINDOW_MS: 100 } });
  const [entry] = [draft()];
  await deliver(house, [entry]);
  const filter = { query: 'outcome:failed' };
  for (let turn = 0; turn < 3; turn += 1) await house.ask(READS, { filter }, reader('ada'));
  await house.ask(
    'query ($id: ID!) { auditEntry(id: $id) { id } }',
    { id: nodeId('AuditEntry', entry.id) },
    reader('ada'),
  );
  await house.client.send('GET /v1/audit/export', { call: callOf(reader('bob')) });
  await house.ask(READS, {}, { principal: { id: 'system:router', kind: 'SYSTEM', name: 'router', scopes: ['admin'] } });
  await until(async () => (await told(house, 'bob')).reads['export'] === 1);
  await until(async () => {
    const { reads } = await told(house, 'ada');
    return reads['auditEntries'] === 3 && reads['auditEntry'] === 1;
  });
  expect((await told(house, 'ada')).filters).toContainEqual(filter);
  const count = async () => (await house.runtime.database.query('select count(*) from entry'))[0].count;
  const before = await count();
  expect((await told(house, 'system:router')).reads).toEqual({});
  // Windows go by, and nobody reads: nothing is added.
  const [{ now }] = await house.runtime.database.query('select now()');
  await until(
    async () =>
      (await house.runtime.database.query(`select now() > $1::timestamptz + interval '500 ms' as over`, [now]))[0].over,
  );
  expect(await count()).toBe(before);
  await house.stop();
});

test('a house that stops writes what it has counted', async () => {
  const house = await startAudit();
  await house.ask(READS, {}, reader('eve'));
  await house.subgraph.stop?.();
  expect((await told(house, 'eve')).reads).toEqual({ auditEntries: 1 });
  await house.stop();
});

test('readers and filters are bounded, and what could not be written is written later, once', async () => {
  const written = new Map<string, EntryDraft>();
  let isAway = true;
  const append = async (entries: readonly EntryDraft[]) => {
    if (isAway) throw new Error('away');
    for (const entry of entries) written.set(entry.id, entry);
  };
  const readings = new Readings(append, systemClock, 20, silentLog);
  for (let at = 0; at < 1_500; at += 1) readings.note(callOf(reader(`reader-${at}`)), 'auditEntries');
  for (let at = 0; at < 50; at += 1) readings.note(callOf(reader('reader-0')), 'auditEntries', { query: `word${at}` });
  readings.start();
  await until(() => isAway);
  isAway = false;
  await until(() => written.size > 0);
  await readings.stop();
  const entries = [...written.values()];
  const of = (id: string) => entries.filter(({ actor }) => actor.id === id).map(({ after }) => after as AnyShape);
  expect(entries).toHaveLength(1_001);
  expect(of('(others)')).toEqual([expect.objectContaining({ reads: { auditEntries: 500 } })]);
  expect([of('reader-0')[0].reads, of('reader-0')[0].filters.length]).toEqual([{ auditEntries: 51 }, 20]);
});
