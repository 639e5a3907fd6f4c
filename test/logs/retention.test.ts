import 'reflect-metadata';
import { patchOf } from '../../lib/json-patch.ts';
import { Retention } from '../../subgraphs/logs/service/retention.ts';
import { RetentionStore, SweepStore } from '../../subgraphs/logs/store/index.ts';
import { bodies, ingest, type LogsHouse, standingClock, startLogsHouse } from './support.ts';

const DAY_MS = 24 * 60 * 60_000;
const START = Date.parse('2026-03-01T12:00:00Z');
const clock = standingClock(START);

let house: LogsHouse;
let retention: Retention;
beforeAll(async () => {
  house = await startLogsHouse({ clock });
  const { runtime, telemetry } = house;
  const store = new RetentionStore(runtime.database);
  retention = new Retention(store, new SweepStore(telemetry), runtime.writes, clock, 30 * DAY_MS);
});
afterAll(() => house.close());

const APPLY = `mutation ($input: RetentionPolicyInput!) {
  applyRetentionPolicy(input: $input) {
    policy { name version match { services maxSeverity } keepFor maxBytes hold }
    changes { op path value oldValue }
    userErrors { code message field }
    auditEntry { id }
  }
}`;
const POLICIES = '{ retentionPolicies { name version keepFor hold match { services maxSeverity } } }';

const apply = async (input: object) => (await house.ask(APPLY, { input })).data.applyRetentionPolicy;
const entries = async (action: string) =>
  (
    await house.runtime.database.query(`select entry from audit_outbox where entry->>'action' = $1 order by seq`, [
      action,
    ])
  ).map(({ entry }: { entry: { reason: string; outcome: string } }) => entry);

describe('applyRetentionPolicy', () => {
  test('the default is 30 days, also before anybody set it', async () => {
    const answer = await house.ask(POLICIES);
    const standard = {
      name: 'default',
      version: 0,
      keepFor: 'P30D',
      hold: false,
      match: { services: null, maxSeverity: null },
    };
    expect(answer.data.retentionPolicies).toEqual([standard]);
  });

  test('makes, changes and shows a policy; the change is told and audited', async () => {
    const input = {
      name: 'chatter',
      match: { services: ['chat'], maxSeverity: 'DEBUG' },
      keepFor: 'P1D',
      expectedVersion: 0,
    };
    const made = await apply(input);
    const policy = {
      name: 'chatter',
      version: 1,
      match: { services: ['chat'], maxSeverity: 'DEBUG' },
      keepFor: 'P1D',
      maxBytes: null,
      hold: false,
    };
    expect(made).toMatchObject({ policy, userErrors: [], auditEntry: { id: expect.any(String) } });
    expect(made.changes).toEqual(patchOf(undefined, policy).map((step) => ({ ...step, oldValue: null })));

    const changed = await apply({ ...input, keepFor: 'P2D', expectedVersion: 1 });
    expect(changed.policy).toMatchObject({ version: 2, keepFor: 'P2D' });
    expect(changed.changes).toEqual([
      { op: 'replace', path: '/keepFor', value: 'P2D', oldValue: 'P1D' },
      { op: 'replace', path: '/version', value: 2, oldValue: 1 },
    ]);
    expect(await apply({ ...input, keepFor: 'P2D', expectedVersion: 2 })).toMatchObject({
      policy: { version: 2 },
      changes: [],
    });
    expect((await house.ask(POLICIES)).data.retentionPolicies.map(({ name }: { name: string }) => name)).toEqual([
      'chatter',
      'default',
    ]);
    expect((await entries('applyRetentionPolicy')).map(({ outcome }: { outcome: string }) => outcome)).toEqual(
      Array(3).fill('SUCCEEDED'),
    );
  });

  test('a dry run says what would change and changes nothing', async () => {
    const dry = await apply({ name: 'idea', match: {}, keepFor: 'P1D', dryRun: true });
    expect(dry).toMatchObject({ policy: { name: 'idea', version: 1 }, changes: [{ op: 'add' }], userErrors: [] });
    expect((await house.ask(POLICIES)).data.retentionPolicies).toHaveLength(2);
  });

  test('a repeat with its key is the first outcome', async () => {
    const input = { name: 'keyed', match: {}, keepFor: 'P40D', clientMutationId: 'k1' };
    const first = await apply(input);
    expect(await apply(input)).toEqual(first);
    expect((await apply({ ...input, keepFor: 'P41D' })).userErrors).toMatchObject([{ code: 'IDEMPOTENCY_KEY_REUSED' }]);
    await house.runtime.database.query(`delete from retention_policy where name = 'keyed'`);
  });

  test.each([
    [{ expectedVersion: 7 }, 'CONFLICT', ['input', 'expectedVersion']],
    [{ name: 'bad name' }, 'BAD_INPUT', ['input', 'name']],
    [{ match: { services: [] } }, 'BAD_INPUT', ['input', 'match', 'services']],
    [{ name: 'default', match: { services: ['x'] } }, 'BAD_INPUT', ['input', 'match']],
    [{ keepFor: 'PT1S' }, 'BAD_INPUT', ['input', 'keepFor']],
    [{ maxBytes: 0 }, 'BAD_INPUT', ['input', 'maxBytes']],
  ])('%j is refused', async (wrong, code, field) => {
    const answer = await apply({ name: 'refused', match: {}, keepFor: 'P1D', ...wrong });
    expect(answer).toMatchObject({ policy: null, changes: [], userErrors: [{ code, field }] });
  });

  test('only an admin may', async () => {
    const viewer = { id: 'v', kind: 'SCRIPT' as const, name: 'v', scopes: ['operator' as const] };
    const input = { name: 'x', match: {}, keepFor: 'P1D' };
    const answer = await house.ask(APPLY, { input }, { principal: viewer });
    expect(answer.errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  });
});

describe('the sweep', () => {
  const kept = () => bodies(house, {});

  test('takes what was kept long enough, by the longest policy about it, and says so in the trail', async () => {
    await apply({ name: 'legal', match: { services: ['court'] }, keepFor: 'P1D', hold: true });
    await apply({ name: 'longer', match: { services: ['chat'], maxSeverity: 'TRACE' }, keepFor: 'P4D' });
    await ingest(house, [
      { time: '1980-01-01T00:00:00Z', service: 'web', body: 'web', severity: 'INFO' },
      { service: 'chat', body: 'chat info', severity: 'INFO' },
      { service: 'chat', body: 'chat debug', severity: 'DEBUG' },
      { service: 'chat', body: 'chat trace', severity: 'TRACE' },
      { service: 'court', body: 'court', severity: 'DEBUG' },
    ]);
    expect(await retention.sweep()).toBe(0);

    clock.moveTo(START + 2 * DAY_MS + 1);
    expect(await retention.sweep()).toBe(1);
    expect((await kept()).sort()).toEqual(['chat info', 'chat trace', 'court', 'web']);
    clock.moveTo(START + 4 * DAY_MS + 1);
    expect(await retention.sweep()).toBe(1);
    clock.moveTo(START + 30 * DAY_MS + 1);
    await ingest(house, [{ service: 'web', body: 'new' }]);
    expect(await retention.sweep()).toBe(2);
    expect((await kept()).sort()).toEqual(['court', 'new']);

    const swept = await entries('logs.retention.swept');
    expect(swept.map(({ reason }: { reason: string }) => reason)).toEqual([
      '1 entries of policy chatter: kept for P2D',
      '1 entries of policy longer: kept for P4D',
      '2 entries of policy default: kept for P30D',
    ]);
    const [{ swept_stamp }] = await house.runtime.database.query('select swept_stamp from retention_state');
    expect(Number(swept_stamp)).toBe(START * 1_000);
  });

  test('takes the oldest of what is too much', async () => {
    for (const minute of [1, 2, 3, 4]) {
      clock.moveTo(START + 40 * DAY_MS + minute * 60_000);
      await ingest(house, [{ service: 'big', body: `${minute} ${'x'.repeat(1_000)}` }]);
    }
    await apply({ name: 'size', match: { services: ['big'] }, keepFor: 'P9D', maxBytes: 2_500 });
    expect(await retention.sweep()).toBe(2);
    expect((await bodies(house, { services: ['big'] })).map((body) => body[0])).toEqual(['4', '3']);
    expect(await retention.sweep()).toBe(0);
  });
});
