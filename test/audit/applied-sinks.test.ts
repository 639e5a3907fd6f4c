import { webhookHeaders } from '../../lib/webhook/index.ts';
import { emptyHouseDatabase } from '../support/database.ts';
import type { TestHouse } from '../support/house.ts';
import { until } from '../support/until.ts';
import { SinkTarget } from './sink-target.ts';
import { allPlaced, DATA, deliver, draft, startAudit } from './support.ts';

const DAY_MS = 86_400_000;
const APPLY = `mutation ($input: AuditSinkInput!) { applyAuditSink(input: $input) {
  sink { name version target format } changes { op path } userErrors { code field } } }`;
const DELETE = `mutation ($input: DeleteByNameInput!) { deleteAuditSink(input: $input) { name userErrors { code field } } }`;
const SINKS = '{ auditSinks { name version target format taken } }';
const KEEP = `mutation ($input: AuditRetentionInput!) { applyAuditRetention(input: $input) {
  retention { version keepFor } changes { op path } userErrors { code field } } }`;
const SECRET = 'what signs the lines';

const houses: TestHouse[] = [];
let target: SinkTarget;
beforeEach(async () => {
  target = new SinkTarget();
  await target.start();
});
afterEach(async () => {
  for (const house of houses.splice(0)) await house.stop();
  target.stop();
});

async function start(more: object = {}, databaseUrl?: string): Promise<TestHouse> {
  const settings = { FLEET_DATA: DATA, FLEET_WEBHOOK_PRIVATE: true, ...more };
  const house = await startAudit({ settings, ...(databaseUrl ? { databaseUrl } : {}) });
  houses.push(house);
  return house;
}

const drafts = (count: number) => Array.from({ length: count }, (_, at) => draft({ after: { at } }));
const apply = async (house: TestHouse, input: object) => {
  const { data, errors } = await house.ask(APPLY, { input: { name: 'collector', target: target.url, ...input } });
  expect(errors).toBeUndefined();
  return data.applyAuditSink;
};

test('a sink that is applied is given the trail from its first entry, signed by its secret, which nobody is told', async () => {
  const house = await start();
  await deliver(house, drafts(3));
  await allPlaced(house);
  expect(await apply(house, { secret: SECRET, dryRun: true })).toMatchObject({
    sink: { name: 'collector', version: 1, target: target.url, format: 'NDJSON' },
    userErrors: [],
  });
  expect((await house.ask(SINKS)).data.auditSinks).toEqual([]);
  expect(await apply(house, { secret: SECRET, expectedVersion: 0 })).toMatchObject({ sink: { version: 1 } });
  await until(() => target.taken.size === 3);
  const { headers, body } = target.received[0] as SinkTarget['received'][number];
  const [id, sentMs] = [String(headers['webhook-id']), Number(headers['webhook-timestamp']) * 1_000];
  expect(headers['webhook-signature']).toBe(webhookHeaders(id, SECRET, body, sentMs)['webhook-signature']);
  const shown = { name: 'collector', version: 1, target: target.url, format: 'NDJSON', taken: 3 };
  await until(async () => (await house.ask(SINKS)).data.auditSinks[0].taken === 3);
  expect((await house.ask(SINKS)).data.auditSinks).toEqual([shown]);
  // The same again changes nothing; another secret is told as a change, and neither stands anywhere.
  expect((await apply(house, { secret: SECRET })).changes).toEqual([]);
  expect((await apply(house, { secret: `${SECRET}!` })).changes).toEqual([{ op: 'replace', path: '/secret' }]);
  const [{ said }] = await house.runtime.database.query(
    `select (select string_agg(entry::text, '') from audit_outbox) || (select string_agg(s::text, '') from sink s)
       || coalesce((select string_agg(outcome::text, '') from idempotency), '') as said`,
  );
  expect(said).toContain('applyAuditSink');
  expect(said).not.toContain(SECRET);
});

test('a change goes on where the sink is; one that is deleted is given nothing, and begins anew', async () => {
  const [house, other] = [await start(), new SinkTarget()];
  await other.start();
  try {
    await apply(house, {});
    await deliver(house, drafts(2));
    await until(() => target.taken.size === 2);
    expect(await apply(house, { target: other.url, format: 'OCSF' })).toMatchObject({ sink: { version: 2 } });
    await deliver(house, drafts(1));
    await until(() => other.taken.size === 1);
    expect(JSON.parse(other.lines[0] ?? '')).toMatchObject({ class_uid: 6_003, metadata: { sequence: 2 } });
    const remove = async (input: object) => (await house.ask(DELETE, { input })).data.deleteAuditSink;
    expect((await remove({ name: 'collector', expectedVersion: 1 })).userErrors).toMatchObject([{ code: 'CONFLICT' }]);
    expect(await remove({ name: 'collector' })).toEqual({ name: 'collector', userErrors: [] });
    expect((await remove({ name: 'collector' })).userErrors).toEqual([{ code: 'NOT_FOUND', field: ['name'] }]);
    await deliver(house, drafts(1));
    await allPlaced(house);
    await apply(house, {});
    await until(() => target.taken.size === 4);
    expect([target.lines.length, other.lines.length]).toEqual([6, 1]);
  } finally {
    other.stop();
  }
});

test.each([
  ['a place that is none', { target: 'ftp://example.org' }, 'BAD_INPUT', 'target'],
  ['an address with a password', { target: 'https://a:b@example.org' }, 'BAD_INPUT', 'target'],
  ['an address with a query', { target: 'https://example.org/?token=x' }, 'BAD_INPUT', 'target'],
  ['what is not encrypted', { target: 'http://example.org' }, 'BAD_INPUT', 'target'],
  ['a private address', { target: 'https://127.0.0.1' }, 'BAD_INPUT', 'target'],
  ['a short secret', { secret: 'short' }, 'BAD_INPUT', 'secret'],
  ['a secret for syslog', { target: 'syslog+tls://example.org', secret: SECRET }, 'BAD_INPUT', 'secret'],
  ['a name that is none', { name: ' ' }, 'BAD_INPUT', 'name'],
  ['another version', { expectedVersion: 3 }, 'CONFLICT', 'expectedVersion'],
])('%s is refused', async (_what, input, code, field) => {
  const house = await start({ FLEET_WEBHOOK_PRIVATE: false });
  const refused = await apply(house, { target: 'https://example.org/audit', ...input });
  expect(refused).toMatchObject({ sink: null, userErrors: [{ code, field: [field] }] });
  const scopes = { principal: { id: 'o', kind: 'PERSON' as const, name: 'o', scopes: ['operator' as const] } };
  expect(
    (await house.ask(APPLY, { input: { name: 'x', target: 'https://example.org' } }, scopes)).errors?.[0],
  ).toMatchObject({
    extensions: { code: 'FORBIDDEN' },
  });
});

test('of two processes one gives a sink its batch: nothing comes twice, nothing is left out', async () => {
  const databaseUrl = await emptyHouseDatabase('audit');
  const [one, two] = [await start({}, databaseUrl), await start({}, databaseUrl)];
  await apply(one, {});
  for (let round = 0; round < 20; round += 1) await deliver(round % 2 ? one : two, drafts(5));
  await until(() => target.taken.size === 100);
  expect(target.lines.map((line) => JSON.parse(line).index)).toEqual(Array.from({ length: 100 }, (_, at) => at));
  expect(target.received.length).toBe(target.batches.size);
});

test('a lease that its holder does not renew goes to another, with the same batch', async () => {
  const house = await start();
  await deliver(house, drafts(3));
  await allPlaced(house);
  const { database } = house.runtime;
  const { ProgressStore } = await import('../../subgraphs/audit/store/index.ts');
  const progress = new ProgressStore(database);
  const claim = { name: 'somebody', leaseMs: 60_000, limit: 2, size: 3 };
  expect(await progress.begin({ ...claim, holder: 'a' })).toEqual({ after: 0, upTo: 2 });
  expect(await progress.begin({ ...claim, holder: 'b' })).toBeUndefined();
  expect(await progress.begin({ ...claim, holder: 'a' })).toEqual({ after: 0, upTo: 2 });
  await database.query(`update progress set held_until = now() - interval '1 ms' where name = 'somebody'`);
  expect(await progress.begin({ ...claim, holder: 'b', limit: 1 })).toEqual({ after: 0, upTo: 2 });
  expect(await progress.begin({ ...claim, holder: 'a' })).toBeUndefined();
  await progress.release('somebody', 'a');
  expect(await progress.begin({ ...claim, holder: 'a' })).toBeUndefined();
  await progress.release('somebody', 'b');
  expect(await progress.begin({ ...claim, holder: 'a' })).toEqual({ after: 0, upTo: 2 });
  // Of an applied sink, only as it still is.
  expect(await progress.begin({ ...claim, holder: 'a', applied: { name: 'gone', version: 1 } })).toBeUndefined();
});

test('retention is the setting until it is applied, and sweeps at once', async () => {
  const house = await start({ FLEET_AUDIT_RETENTION_DAYS: 30 });
  await deliver(house, [draft({ occurredAtMs: Date.now() - 9 * DAY_MS, after: { old: true } }), ...drafts(1)]);
  await allPlaced(house);
  const inForce = async () => (await house.ask('{ auditRetention { version keepFor } }')).data.auditRetention;
  const keep = async (input: object) => (await house.ask(KEEP, { input })).data.applyAuditRetention;
  expect(await inForce()).toEqual({ version: 0, keepFor: 'P30D' });
  expect((await keep({ keepFor: 'PT1H' })).userErrors).toEqual([{ code: 'BAD_INPUT', field: ['keepFor'] }]);
  expect((await keep({ keepFor: 'P2D', expectedVersion: 4 })).userErrors).toMatchObject([{ code: 'CONFLICT' }]);
  expect(await keep({ keepFor: 'P2D', dryRun: true })).toMatchObject({ retention: { version: 1, keepFor: 'P2D' } });
  expect(await inForce()).toEqual({ version: 0, keepFor: 'P30D' });
  expect(await keep({ keepFor: null })).toMatchObject({ retention: { version: 1, keepFor: null }, userErrors: [] });
  expect(await keep({ keepFor: 'P2D', expectedVersion: 1 })).toEqual({
    retention: { version: 2, keepFor: 'P2D' },
    changes: [{ op: 'replace', path: '/keepFor' }],
    userErrors: [],
  });
  const swept = '{ auditEntries(filter: { actions: ["audit.retention.swept"] }) { nodes { reason after } } }';
  const [entry] = await until(async () => {
    const { data } = await house.ask(swept);
    return data.auditEntries.nodes.length ? data.auditEntries.nodes : null;
  });
  expect(entry).toMatchObject({ reason: 'bytes are kept for P2D (version 2)', after: { removed: 1 } });
});
