import 'reflect-metadata';
import { patchOf } from '../../lib/json-patch.ts';
import { nodeId } from '../../lib/node-id.ts';
import { ingest, type LogsHouse, standingClock, startLogsHouse } from './support.ts';

const START = Date.parse('2026-03-01T12:00:00Z');
const clock = standingClock(START);

let house: LogsHouse;
beforeAll(async () => {
  house = await startLogsHouse({ clock });
});
afterAll(() => house.close());

const APPLY = `mutation ($input: RetentionPolicyInput!) {
  applyRetentionPolicy(input: $input) {
    policy { name version match { services maxSeverity } keepFor maxBytes hold }
    nextSweep { policy reason entryCount sizeBytes observedBefore }
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
    [{ match: { attributes: [] } }, 'BAD_INPUT', ['input', 'match', 'attributes']],
    [{ match: { attributes: [{ name: 'a', op: 'RE', value: '(a' }] } }, 'BAD_QUERY', null],
    [{ match: { agentIds: ['x'] } }, 'BAD_INPUT', ['input', 'match', 'agentIds']],
    [{ match: { query: ' ' } }, 'BAD_INPUT', ['input', 'match', 'query']],
    [{ match: { query: 'a AND' } }, 'BAD_QUERY', ['input', 'match', 'query']],
    [{ match: { query: '/(a/' } }, 'BAD_QUERY', ['input', 'match', 'query']],
    [{ name: 'default', match: { services: ['x'] } }, 'BAD_INPUT', ['input', 'match']],
    [{ name: 'default', match: { query: 'x' } }, 'BAD_INPUT', ['input', 'match']],
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

describe('deleteRetentionPolicy', () => {
  const DELETE = `mutation ($input: DeleteByNameInput!) {
    deleteRetentionPolicy(input: $input) { name userErrors { code field } auditEntry { id } }
  }`;
  const remove = async (input: object) => (await house.ask(DELETE, { input })).data.deleteRetentionPolicy;
  const names = async () =>
    (await house.ask(POLICIES)).data.retentionPolicies.map(({ name }: { name: string }) => name);

  test('deletes a policy of that version, audited with what it was', async () => {
    await apply({ name: 'brief', match: { services: ['brief'] }, keepFor: 'PT1H' });
    const refused = await remove({ name: 'brief', expectedVersion: 2 });
    expect(refused).toMatchObject({
      name: null,
      userErrors: [{ code: 'CONFLICT', field: ['input', 'expectedVersion'] }],
    });
    const done = await remove({ name: 'brief', expectedVersion: 1, clientMutationId: 'd1' });
    expect(done).toMatchObject({ name: 'brief', userErrors: [], auditEntry: { id: expect.any(String) } });
    expect(await names()).not.toContain('brief');
    expect(await remove({ name: 'brief', expectedVersion: 1, clientMutationId: 'd1' })).toEqual(done);
    const [, entry] = await entries('deleteRetentionPolicy');
    expect(entry).toMatchObject({ outcome: 'SUCCEEDED', before: { name: 'brief', keepFor: 'PT1H' }, after: null });
  });

  test('one that is not there is NOT_FOUND; the default is the setting again', async () => {
    expect((await remove({ name: 'brief' })).userErrors).toEqual([{ code: 'NOT_FOUND', field: ['input', 'name'] }]);
    await apply({ name: 'default', match: {}, keepFor: 'P3D' });
    await remove({ name: 'default' });
    const policies = (await house.ask(POLICIES)).data.retentionPolicies;
    expect(policies.find(({ name }: { name: string }) => name === 'default')).toMatchObject({
      version: 0,
      keepFor: 'P30D',
    });
  });

  test('only an admin may', async () => {
    const operator = { id: 'v', kind: 'SCRIPT' as const, name: 'v', scopes: ['operator' as const] };
    const answer = await house.ask(DELETE, { input: { name: 'default' } }, { principal: operator });
    expect(answer.errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  });
});

describe('what policies govern and what would go', () => {
  const USAGE = '{ retentionPolicies { name entryCount sizeBytes oldestAt } }';
  const PREVIEW = `query ($without: [String!]) {
    retentionPreview(without: $without) { policy reason entryCount sizeBytes observedBefore }
  }`;
  const agentId = nodeId('Agent', '019a0000-0000-7000-8000-000000000001');

  test('is counted by the first policy that an entry meets, by label, agent and search too', async () => {
    await house.runtime.database.query('delete from retention_policy');
    await apply({ name: 'held', match: { query: 'severity>=error /case-\\d+/' }, keepFor: 'PT1H', hold: true });
    await apply({
      name: 'tenant',
      match: {
        attributes: [
          { name: 'tenant.id', value: '4[0-9]', op: 'RE' },
          { name: 'free', value: 'true', op: 'NE' },
        ],
      },
      keepFor: 'P2D',
    });
    await apply({ name: 'agent', match: { agentIds: [agentId], maxSeverity: 'INFO' }, keepFor: 'P1D' });
    await ingest(house, [
      { body: 'case-7 lost', severity: 'ERROR', attributes: { tenant: { id: 42 } } },
      { body: 'case-7 lost', severity: 'WARN', attributes: { tenant: { id: 42 } } },
      { body: 'one', attributes: { tenant: { id: '47' }, free: false } },
      { body: 'two', attributes: { tenant: { id: 42 }, free: true } },
      { body: 'three', attributes: { tenant: { id: 142 } } },
      { body: 'four', agentId },
      { body: 'five', agentId, severity: 'WARN' },
    ]);
    const shown = (await house.ask(USAGE)).data.retentionPolicies;
    const oldestAt = new Date(START).toISOString();
    const row = (name: string, entryCount: number) => ({ name, entryCount, sizeBytes: expect.any(Number), oldestAt });
    expect(shown).toEqual([row('agent', 1), row('default', 3), row('held', 1), row('tenant', 2)]);
    expect(shown[1].sizeBytes).toBeGreaterThan(3 * 32);
  });

  test('a dry run tells what the next sweep would take with it; a preview, as things are or without a policy', async () => {
    clock.moveTo(START + 36 * 60 * 60_000);
    const input = { name: 'default', match: {}, keepFor: 'PT1H', dryRun: true };
    const of = (policy: string, entryCount: number, before: string) => ({
      policy,
      reason: 'AGE',
      entryCount,
      sizeBytes: expect.any(Number),
      observedBefore: before,
    });
    const agent = of('agent', 1, '2026-03-02T00:00:00.000Z');
    expect((await apply(input)).nextSweep).toEqual([agent, of('default', 3, '2026-03-02T23:00:00.000Z')]);
    const preview = async (without?: string[]) => (await house.ask(PREVIEW, { without })).data.retentionPreview;
    expect(await preview()).toEqual([agent]);
    expect(await preview(['agent'])).toEqual([]);
    clock.moveTo(START + 40 * 24 * 60 * 60_000);
    expect((await preview(['held', 'tenant'])).at(-1)).toMatchObject({ policy: 'default', entryCount: 6 });
    expect((await apply({ ...input, keepFor: 'PT1S' })).nextSweep).toBeNull();
    expect((await house.ask('{ logs { totalCount } }')).data.logs.totalCount).toBe(7);
  });
});
