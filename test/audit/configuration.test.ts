import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ConfigurationReporter, givenSettings, reporterOf } from '../../cli/platform/configuration.ts';
import { MADE_BY_SUPERVISOR } from '../../cli/platform/processes.ts';
import { deriveKey } from '../../lib/call/signing.ts';
import { systemClock } from '../../lib/clock.ts';
import { FileFlags } from '../../lib/flags/index.ts';
import { silentLog } from '../../lib/log.ts';
import { loadSettings } from '../../lib/settings/index.ts';
import { CONFIGURATION_ROUTE } from '../../lib/write/configuration.ts';
import { TEST_SECRET } from '../support/database.ts';
import { callOf, type TestHouse } from '../support/house.ts';
import { allPlaced, deliver, draft, startAudit } from './support.ts';

let house: TestHouse;
const folder = mkdtempSync(path.join(tmpdir(), 'fleetgraph-configuration-'));
const file = path.join(folder, 'flags.json');
beforeEach(async () => {
  rmSync(file, { force: true });
  house = await startAudit();
});
afterEach(() => house.stop());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const key = deriveKey(TEST_SECRET, 'redaction:audit');
const ENV = { PORT: '4000', FLEET_ADMIN_TOKEN: 'a-token-of-twenty-letters', REDIS_URL: 'redis://me:hidden@host:6379' };

/** A start of the platform with this environment, and this flags file. */
async function start(env: Record<string, string> = ENV, hasAge = true): Promise<boolean> {
  if (hasAge) age();
  const flags = new FileFlags({ file, log: silentLog });
  const reporter = new ConfigurationReporter({
    process: 'platform',
    settings: givenSettings(env, key),
    flags,
    audit: house.client,
    clock: systemClock,
    log: silentLog,
  });
  try {
    return await reporter.report();
  } finally {
    flags.close();
  }
}

/** The file as it was left a minute ago. */
function age(): void {
  const then = new Date(Date.now() - 60_000);
  try {
    utimesSync(file, then, then);
  } catch {
    // There is none.
  }
}

const rule = (defaultVariant: string, version = 0) => ({ state: 'ENABLED', defaultVariant, clients: [], version });
const write = (flags: object) => writeFileSync(file, JSON.stringify({ flags }));

async function told(targetType: string) {
  await allPlaced(house);
  const { data } = await house.ask(
    'query ($filter: AuditFilter) { auditEntries(filter: $filter) { nodes { action actor { id } targetId reason before after changes { op path } } } }',
    { filter: { targetTypes: [targetType], actions: ['configuration.changed'] } },
  );
  return data.auditEntries.nodes.reverse();
}

test('settings that were changed while nothing ran leave one entry, with no secret in it', async () => {
  await start();
  await start();
  const { REDIS_URL: _, ...rest } = ENV;
  const changed = { ...rest, FLEET_ADMIN_TOKEN: 'another-token-of-letters' };
  // Two machines, or a start that was cut off before it was answered.
  await Promise.all([start(changed), start(changed), start(changed)]);
  const [first, second, ...more] = await told('Settings');
  expect(more).toEqual([]);
  expect(first).toMatchObject({
    actor: { id: 'system:platform' },
    targetId: 'platform',
    reason: 'first seen',
    before: null,
  });
  expect(first.after).toEqual({
    version: expect.any(String),
    PORT: '4000',
    FLEET_ADMIN_TOKEN: expect.stringMatching(/^redacted:hmac-sha256:/),
    REDIS_URL: expect.stringMatching(/^redis:\/\/me:redacted:hmac-sha256:[\w-]+@host:6379$/),
  });
  expect(second).toMatchObject({ before: first.after, reason: 'found at a start, changed outside of the graph' });
  expect(second.changes).toEqual([
    { op: 'replace', path: '/FLEET_ADMIN_TOKEN' },
    { op: 'remove', path: '/REDIS_URL' },
  ]);
  expect(JSON.stringify([first, second])).not.toMatch(/token-of|hidden/);
});

test('flags that were edited or taken away while nothing ran leave an entry each, and those that the trail knows none', async () => {
  await deliver(house, [
    draft({ action: 'applyFeatureFlag', targetType: 'FeatureFlag', targetId: 'router.dedup', after: rule('off', 1) }),
    draft({ action: 'applyFeatureFlag', targetType: 'FeatureFlag', targetId: 'router.retries', after: rule('off', 1) }),
    draft({
      action: 'applyFeatureFlag',
      targetType: 'FeatureFlag',
      targetId: 'router.dedup',
      after: rule('on', 2),
      isDryRun: true,
    }),
  ]);
  write({ 'router.dedup': rule('off', 1), 'router.retries': rule('off', 1) });
  await start();
  expect(await told('FeatureFlag')).toEqual([]);
  // Its version was raised by hand too: what is compared is all of it.
  write({ 'router.dedup': rule('on', 2), 'router.canary': rule('off') });
  await start();
  await start();
  const entries = await told('FeatureFlag');
  expect(
    entries.map(({ targetId, before, after }: Record<string, unknown>) => [targetId, before, after]).sort(),
  ).toEqual([
    ['router.canary', null, rule('off')],
    ['router.dedup', rule('off', 1), rule('on', 2)],
    ['router.retries', rule('off', 1), null],
  ]);
});

test('a change that the trail has but that was cut off before it took effect is told to have not', async () => {
  await deliver(house, [
    draft({ action: 'applyFeatureFlag', targetType: 'FeatureFlag', targetId: 'router.dedup', after: rule('off', 1) }),
  ]);
  await start();
  expect(await told('FeatureFlag')).toEqual([expect.objectContaining({ before: rule('off', 1), after: null })]);
});

test('a flags file that was changed just now is left to whoever changed it', async () => {
  write({ 'router.dedup': rule('off') });
  expect(await start(ENV, false)).toBe(false);
  expect(await told('FeatureFlag')).toEqual([]);
  expect(await start()).toBe(true);
  expect(await told('FeatureFlag')).toHaveLength(1);
});

test.each([
  ['no JSON', '{'],
  ['another type', JSON.stringify({ process: 'x', parts: [{ targetType: 'Agent', targetId: 'x', value: 1 }] })],
])('a report that is %s is refused', async (_what, body) => {
  expect((await house.client.send(CONFIGURATION_ROUTE, { call: callOf(), body })).status).toBe(400);
});

test('under a supervisor one process tells for all, and not what the supervisor made', () => {
  const settings = loadSettings({ FLEET_HOUSES: 'audit=http://127.0.0.1:1' });
  const flags = new FileFlags({ file, log: silentLog });
  const common = { settings, secret: TEST_SECRET, flags, log: silentLog };
  const made = { [MADE_BY_SUPERVISOR]: 'FLEET_HOUSES,DATABASE_URL', DATABASE_URL: 'postgres://made', PORT: '4000' };
  expect([reporterOf('router', made, common), reporterOf('telemetry', made, common)]).toEqual([undefined, undefined]);
  expect(reporterOf('state', made, common)).toBeDefined();
  expect(reporterOf('router', {}, common)).toBeDefined();
  expect(givenSettings(made, key)).toEqual({ version: expect.any(String), PORT: '4000' });
  flags.close();
});
