import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { systemClock } from '../../../lib/clock.ts';
import { FileFlags, FLAG_NAMES } from '../../../lib/flags/index.ts';
import { silentLog } from '../../../lib/log.ts';
import type { AnyShape } from '../../support/house.ts';
import { until } from '../../support/until.ts';
import { type AskOptions, type Harbour, openHarbour } from './support.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'fleetgraph-flag-desk-'));
const file = path.join(folder, 'flags.json');
const flags = new FileFlags({ file, log: silentLog });
let harbour: Harbour;
beforeAll(async () => {
  harbour = await openHarbour({ flags });
  harbour.sea.tokens.set('viewer-token', { id: 'key-1', kind: 'SCRIPT', name: 'viewer', scopes: ['viewer'] });
});
beforeEach(() => {
  rmSync(file, { force: true });
  flags.reload();
  harbour.sea.entries.length = 0;
});
afterAll(async () => {
  await harbour.stop();
  flags.close();
  rmSync(folder, { recursive: true });
});

const APPLY = `mutation ($input: ApplyFeatureFlagInput!) { applyFeatureFlag(input: $input) {
  flag { name state percentage clients version updatedAt } previous { state version }
  userErrors { code message field } auditEntry { id action }
} }`;

/** Entries of what the graph was asked; each test begins with a file that was taken away, which is told too. */
const asked = () => harbour.sea.entries.filter(({ action }) => action !== 'router.flag.edited');

async function apply(input: object, options: AskOptions = {}): Promise<AnyShape> {
  const answer = await harbour.ask(APPLY, { variables: { input: { name: 'router.dedup', ...input } }, ...options });
  return { ...answer.data?.applyFeatureFlag, errors: answer.errors };
}

test('every flag is told with what it does and for whom it is on', async () => {
  const { data, errors } = await harbour.ask(`{ featureFlags {
    name description owner since isOnByDefault state percentage clients isHeld version updatedAt } }`);
  expect(errors).toBeUndefined();
  expect(data.featureFlags.map(({ name }: AnyShape) => name)).toEqual(FLAG_NAMES);
  expect(data.featureFlags[0]).toEqual({
    name: 'router.dedup',
    description: expect.stringMatching(/\.$/),
    owner: expect.stringMatching(/^router\//),
    since: '0.1.0',
    isOnByDefault: true,
    state: 'ON',
    percentage: null,
    clients: [],
    isHeld: false,
    version: 0,
    updatedAt: null,
  });
});

test('a flag is turned off: audited first, then in effect in every process that reads the file', async () => {
  const other = new FileFlags({ file, log: silentLog });
  const done = await apply({ state: 'OFF', reason: 'it stalls', expectedVersion: 0 });
  expect(done).toMatchObject({
    flag: { state: 'OFF', version: 1, percentage: null, clients: [] },
    previous: { state: 'ON', version: 0 },
    userErrors: [],
    auditEntry: { action: 'known' },
  });
  expect(flags.isOn('router.dedup')).toBe(false);
  expect(asked()).toEqual([
    expect.objectContaining({
      action: 'applyFeatureFlag',
      outcome: 'SUCCEEDED',
      reason: 'it stalls',
      targetType: 'FeatureFlag',
      targetId: 'router.dedup',
      before: null,
      after: expect.objectContaining({ defaultVariant: 'off', version: 1 }),
    }),
  ]);
  await until(() => !other.isOn('router.dedup'));
  other.close();
});

test('a flag is on for a share and for those that are listed', async () => {
  const done = await apply({ state: 'PARTIAL', percentage: 25, clients: ['key-1'] });
  expect(done.flag).toMatchObject({ state: 'PARTIAL', percentage: 25, clients: ['key-1'] });
  expect(flags.isOn('router.dedup', { id: 'key-1' })).toBe(true);
  expect(flags.isOn('router.dedup')).toBe(false);
  expect((await apply({ state: 'PARTIAL', percentage: 0 })).flag).toMatchObject({ state: 'OFF', version: 2 });
  expect((await apply({ state: 'PARTIAL', percentage: 100 })).flag).toMatchObject({ state: 'ON', version: 3 });
});

test.each([
  [{ name: 'router.wings', state: 'ON' }, 'NOT_FOUND', 'name'],
  [{ state: 'ON', percentage: 5 }, 'BAD_INPUT', 'state'],
  [{ state: 'PARTIAL' }, 'BAD_INPUT', 'state'],
  [{ state: 'PARTIAL', percentage: 101 }, 'BAD_INPUT', 'percentage'],
  [{ state: 'PARTIAL', clients: [''] }, 'BAD_INPUT', 'clients'],
  [{ state: 'PARTIAL', clients: Array(1_001).fill('x') }, 'BAD_INPUT', 'clients'],
  [{ state: 'OFF', reason: 'x'.repeat(1_001) }, 'BAD_INPUT', 'reason'],
  [{ state: 'OFF', expectedVersion: 7 }, 'CONFLICT', 'expectedVersion'],
])('%j is refused, and the trail says so', async (input, code, field) => {
  const refused = await apply(input);
  expect(refused).toMatchObject({ flag: null, previous: null, userErrors: [{ code, field: [field] }] });
  expect(asked()).toEqual([expect.objectContaining({ action: 'applyFeatureFlag', outcome: 'FAILED' })]);
  expect(existsSync(file)).toBe(false);
  expect(existsSync(`${file}.next`)).toBe(false);
});

test('a dry run tells what would be and changes nothing; the trail says that it was one', async () => {
  expect(await apply({ state: 'OFF', dryRun: true })).toMatchObject({
    flag: { state: 'OFF', version: 1 },
    previous: { state: 'ON' },
    userErrors: [],
  });
  expect(await apply({ state: 'OFF', dryRun: true, reason: 'curious', expectedVersion: 3 })).toMatchObject({
    flag: null,
    userErrors: [{ code: 'CONFLICT' }],
  });
  expect([existsSync(file), flags.isOn('router.dedup')]).toEqual([false, true]);
  expect(existsSync(`${file}.next`)).toBe(false);
  expect(asked()).toEqual([
    expect.objectContaining({ action: 'applyFeatureFlag', outcome: 'SUCCEEDED', isDryRun: true, reason: null }),
    expect.objectContaining({ action: 'applyFeatureFlag', outcome: 'FAILED', isDryRun: true }),
  ]);
});

test('an edit of the file by hand is in the trail, once for all routers, and what the graph changed is not told again', async () => {
  const elsewhere = new FileFlags({ file, log: silentLog });
  await harbour.another({ flags: elsewhere });
  await apply({ state: 'OFF' });
  await until(() => !elsewhere.isOn('router.dedup'));
  const edited = (name: string) =>
    harbour.sea.entries.filter(({ action, targetId }) => action === 'router.flag.edited' && targetId === name);
  const rule = { defaultVariant: 'off', clients: ['key-1'] };
  const before = flags.rules['router.dedup'];
  writeFileSync(file, JSON.stringify({ flags: { 'router.dedup': before, 'router.retries': rule } }));
  await until(() => edited('router.retries').length === 2);
  const [one, other] = edited('router.retries');
  expect(one).toMatchObject({
    outcome: 'SUCCEEDED',
    reason: 'the flags file was edited',
    actor: { id: 'system:router', kind: 'SYSTEM' },
    targetType: 'FeatureFlag',
    before: null,
    after: expect.objectContaining(rule),
  });
  // Seen in the same ten seconds it is the same entry.
  const stretchOf = (entry = one) => Math.floor((entry?.occurredAtMs ?? 0) / 10_000);
  expect(one?.id === other?.id).toBe(stretchOf(one) === stretchOf(other));
  expect(edited('router.dedup').filter(({ after }) => after !== null)).toEqual([]);
  elsewhere.close();
});

test('without the audit trail nothing is changed', async () => {
  harbour.sea.audits = false;
  const refused = await apply({ state: 'OFF' });
  harbour.sea.audits = true;
  expect(refused.errors?.[0]?.extensions).toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
  expect([existsSync(file), existsSync(`${file}.next`), flags.isOn('router.dedup')]).toEqual([false, false, true]);
});

test('a change of which nobody knows whether it was audited is finished, once: no other takes its version', async () => {
  harbour.sea.cutsAudits = true;
  const cut = await apply({ state: 'OFF' });
  expect(cut.errors?.[0]).toMatchObject({
    message: expect.stringMatching(/^it is not known whether this was audited/),
    extensions: { code: 'AUDIT_UNAVAILABLE' },
  });
  expect((await apply({ state: 'ON' })).errors?.[0]?.extensions).toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
  expect(flags.isOn('router.dedup')).toBe(true);
  harbour.sea.cutsAudits = false;
  await until(() => !flags.isOn('router.dedup'));
  expect(existsSync(`${file}.next`)).toBe(false);
  expect(await apply({ state: 'ON' })).toMatchObject({ flag: { version: 2 }, userErrors: [] });
  const done = asked().filter(({ outcome }) => outcome === 'SUCCEEDED');
  const versions = new Map(done.map(({ id, after }) => [id, (after as { version: number }).version]));
  expect([...versions.values()].sort()).toEqual([1, 2]);
});

test('a repeat with the same key changes nothing more; the key with other arguments is refused', async () => {
  const headers = { 'idempotency-key': 'once' };
  const first = await apply({ state: 'OFF' }, { headers });
  const again = await apply({ state: 'OFF' }, { headers });
  expect(again).toMatchObject({ flag: { version: 1 }, auditEntry: { id: first.auditEntry.id } });
  const other = await apply({ state: 'ON' }, { headers });
  expect(other.userErrors).toMatchObject([{ code: 'IDEMPOTENCY_KEY_REUSED' }]);
});

test('changes do not overtake each other; one that was left behind hinders nobody for long', async () => {
  writeFileSync(`${file}.next`, '');
  expect((await apply({ state: 'OFF' })).userErrors).toMatchObject([{ code: 'CONFLICT', field: ['name'] }]);
  const longAgo = new Date(Date.now() - 120_000);
  utimesSync(`${file}.next`, longAgo, longAgo);
  expect((await apply({ state: 'OFF' })).userErrors).toMatchObject([{ code: 'CONFLICT' }]);
  expect(await apply({ state: 'OFF' })).toMatchObject({ flag: { state: 'OFF' }, userErrors: [] });
});

/** What a router that was killed leaves beside the file. */
function leave(more: object): void {
  const { pid } = spawnSync('true');
  writeFileSync(`${file}.next`, JSON.stringify({ by: { host: hostname(), pid, start: 'earlier' }, ...more }));
}

test('a change that its router was killed in after it was prepared takes effect, and is told once', async () => {
  const rule = { state: 'ENABLED', defaultVariant: 'off', clients: [], version: 1 };
  const entry = { id: systemClock.uuid(), action: 'applyFeatureFlag', targetId: 'router.dedup', after: rule };
  leave({ flags: { 'router.dedup': rule }, entry });
  await until(() => !existsSync(`${file}.next`) && !flags.isOn('router.dedup'));
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ flags: { 'router.dedup': rule } });
  // Whichever routers told it: it is one entry.
  expect(new Set(asked().map(({ id }) => id))).toEqual(new Set([entry.id]));
});

test('a change that its router was killed in before it was prepared is gone', async () => {
  leave({});
  expect((await apply({ state: 'OFF' })).userErrors).toMatchObject([{ code: 'CONFLICT' }]);
  expect(await apply({ state: 'OFF' })).toMatchObject({ flag: { state: 'OFF' }, userErrors: [] });
});

test('a viewer may look and may not change', async () => {
  const looked = await harbour.ask('{ featureFlags { name } }', { token: 'viewer-token' });
  expect(looked.data.featureFlags.length).toBe(FLAG_NAMES.length);
  expect((await apply({ state: 'OFF' }, { token: 'viewer-token' })).errors?.[0]?.extensions).toMatchObject({
    code: 'FORBIDDEN',
  });
  expect(existsSync(file)).toBe(false);
});

test('a router without a flags file shows the defaults and refuses changes', async () => {
  const bare = await openHarbour();
  const options = { variables: { input: { name: 'router.dedup', state: 'OFF' } } };
  const { data } = await bare.ask(APPLY, options);
  expect(data.applyFeatureFlag).toMatchObject({ flag: null, userErrors: [{ code: 'BAD_INPUT', field: ['name'] }] });
  await bare.stop();
});

test('held flags show as held; what is applied waits until they are let go', async () => {
  const held = new FileFlags({ file, hold: 'all-off', log: silentLog });
  const router = await harbour.another({ flags: held });
  const options = { variables: { input: { name: 'router.dedup', state: 'ON' } }, url: router.url };
  expect((await harbour.ask(APPLY, options)).data.applyFeatureFlag).toMatchObject({
    flag: { state: 'OFF', version: 1 },
    userErrors: [],
  });
  expect(held.isOn('router.dedup')).toBe(false);
  await until(() => flags.rules['router.dedup']?.version === 1);
  held.close();
});
