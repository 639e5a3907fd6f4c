import { readFileSync } from 'node:fs';
import path from 'node:path';
import { HealthFactor } from '../../subgraphs/agents/entity/health-model.ts';
import { RecoveryAction, RecoveryTrouble } from '../../subgraphs/agents/entity/recovery.ts';
import { type AlertsWorld, startAlerts } from '../alerts/support/house.ts';
import type { AnyShape, TestHouse } from '../support/house.ts';
import { until } from '../support/until.ts';
import { AgentsDriver, OPERATOR, startAgents, type TestAgent, VIEWER } from './support.ts';

const APPLY = `mutation ($input: RecoveryPolicyInput!) { applyRecoveryPolicy(input: $input) {
  policy { name version mode kinds steps { action attempts on } rest maxShare }
  changes { op path value oldValue } userErrors { code message field } auditEntry { id } } }`;
const POLICIES = '{ recoveryPolicies { name version mode priority steps { action attempts on } window rest } }';
const FAST = { FLEET_BEAT_MS: 200, FLEET_LEASE_BEATS: 50 };
const AT_ONCE = { rest: 'PT0S', maxRest: 'PT0S', jitter: 0 };

describe('recovery policies', () => {
  let house: TestHouse;
  let alerts: AlertsWorld;
  let driver: AgentsDriver;
  beforeAll(async () => {
    alerts = await startAlerts();
    house = await startAgents({ settings: FAST, addresses: { alerts: alerts.house.url } });
    driver = new AgentsDriver(house);
  });
  afterAll(async () => {
    await house.stop();
    await alerts.stop();
  });

  const apply = async (input: object, call: object = { principal: OPERATOR }) =>
    (await driver.do(APPLY, { input }, call)).applyRecoveryPolicy;
  const story = async (agent: TestAgent): Promise<AnyShape[]> =>
    (await driver.agent(agent.id, 'events(first: 100) { nodes { name detail actor { id } } }')).events.nodes;
  const told = async (agent: TestAgent, name: string) => (await story(agent)).filter((event) => event.name === name);
  const recoveries = async (agent: TestAgent) =>
    (await driver.entries(agent.id)).filter(({ action }) => action.startsWith('agent.recovery.'));
  const CRITICAL = {
    checks: ['a', 'b', 'c', 'd'].map((name) => ({ name, ok: false })),
    stats: { requests: 10, errors: 10 },
  };

  test('are applied by name: told first, versioned, refused when they cannot be, and audited', async () => {
    expect((await driver.do(POLICIES)).recoveryPolicies).toMatchObject([
      {
        name: 'default',
        version: 0,
        mode: 'ACT',
        window: 'PT10M',
        rest: 'PT5S',
        steps: [
          { action: 'RESTART', attempts: 5, on: ['SILENT', 'FAILED', 'CRITICAL'] },
          { action: 'PAUSE', attempts: 1, on: ['OVERSPENT'] },
          { action: 'QUARANTINE', attempts: 1, on: ['SILENT', 'FAILED', 'CRASH_LOOP', 'CRITICAL'] },
        ],
      },
    ]);
    const input = { name: 'archivists', kinds: ['archivist'], steps: [{ action: 'PAGE' }], expectedVersion: 0 };
    const dry = await apply({ ...input, dryRun: true });
    expect(dry).toMatchObject({ policy: { name: 'archivists', version: 1 }, changes: [{ op: 'add', path: '' }] });
    expect((await driver.do(POLICIES)).recoveryPolicies).toHaveLength(1);
    const done = await apply({ ...input, clientMutationId: 'archivists-1' });
    expect(done).toMatchObject({
      policy: { version: 1, steps: [{ action: 'PAGE', attempts: 1, on: ['SILENT', 'FAILED', 'CRITICAL'] }] },
      userErrors: [],
    });
    expect(await apply({ ...input, clientMutationId: 'archivists-1' })).toEqual(done);
    expect(await apply(input)).toMatchObject({ userErrors: [{ code: 'CONFLICT', field: ['expectedVersion'] }] });
    const next = await apply({ ...input, expectedVersion: 1, mode: 'OFF' });
    expect(next).toMatchObject({
      policy: { version: 2 },
      changes: [{ op: 'replace', path: '/mode', value: 'OFF', oldValue: 'ACT' }],
    });
    const [entry] = (await driver.entries('archivists')).slice(-1);
    expect(entry).toMatchObject({ action: 'applyRecoveryPolicy', before: { mode: 'ACT' }, after: { mode: 'OFF' } });
    const refused = [
      [{ steps: [] }, ['steps']],
      [{ steps: [{ action: 'PAGE', attempts: 99 }] }, ['steps', '0', 'attempts']],
      [{ steps: [{ action: 'PAGE', on: [] }] }, ['steps', '0', 'on']],
      [{ maxShare: 0 }, ['maxShare']],
      [{ rest: 'PT10S', maxRest: 'PT5S' }, ['maxRest']],
      [{ window: 'P9D' }, ['window']],
      [{ kinds: [''] }, ['kinds']],
      [{ name: ' ' }, ['name']],
    ] as const;
    for (const [more, field] of refused) {
      const answer = await apply({ name: 'wrong', steps: [{ action: 'PAGE' }], ...more });
      expect(answer).toMatchObject({ policy: null, userErrors: [{ code: 'BAD_INPUT', field }] });
    }
    await expect(apply(input, { principal: VIEWER })).rejects.toThrow('FORBIDDEN');
    const remove = (name: string) =>
      driver.do(
        'mutation ($input: DeleteByNameInput!) { deleteRecoveryPolicy(input: $input) { name userErrors { code } } }',
        { input: { name } },
      );
    expect(await remove('archivists')).toEqual({ deleteRecoveryPolicy: { name: 'archivists', userErrors: [] } });
    expect(await remove('archivists')).toEqual({
      deleteRecoveryPolicy: { name: null, userErrors: [{ code: 'NOT_FOUND' }] },
    });
  });

  test('that observe only tell what they would do, and those that are off do not even that', async () => {
    const steps = [{ action: 'RESTART', on: ['FAILED'] }];
    await apply({ name: 'watched', kinds: ['watched'], mode: 'OBSERVE', steps, ...AT_ONCE });
    await apply({ name: 'left', kinds: ['left'], mode: 'OFF', steps, ...AT_ONCE });
    const [left, watched] = [await driver.register({ kind: 'left' }), await driver.register({ kind: 'watched' })];
    await driver.beat(left, { state: 'FAILED' });
    await driver.beat(watched, { state: 'FAILED' });
    await until(async () => (await told(watched, 'recovery.held')).length);
    expect(await told(watched, 'recovery.observed')).toEqual([
      {
        name: 'recovery.observed',
        detail: {
          reason: 'it failed (restart 1 of 1)',
          trouble: 'FAILED',
          action: 'RESTART',
          policy: 'watched',
          policyVersion: 1,
        },
        actor: { id: 'system:agents' },
      },
    ]);
    expect(await recoveries(watched)).toMatchObject([
      { action: 'agent.recovery.observed', reason: 'would restart: it failed (restart 1 of 1)' },
    ]);
    expect((await driver.beat(watched, { state: 'FAILED' })).commands).toEqual([]);
    expect(await recoveries(left)).toEqual([]);
  });

  test('give back the configuration an agent did well under, and keep the history of those it had', async () => {
    const steps = [{ action: 'ROLLBACK_CONFIG', on: ['FAILED'] }];
    await apply({ name: 'configured', kinds: ['configured'], steps, ...AT_ONCE });
    const agent = await driver.register({ kind: 'configured', config: { model: 'tried' } });
    for (let beat = 0; beat < 13; beat += 1) await driver.beat(agent, { configVersion: 1 });
    const { database } = house.runtime;
    const provenOnes = () =>
      database.query('select version from agent_config where proven_at is not null and config @> $1', [
        { model: 'tried' },
      ]);
    await until(async () => (await provenOnes()).length);
    await driver.do(
      'mutation ($input: SetAgentConfigInput!) { setAgentConfig(input: $input) { userErrors { code } } }',
      {
        input: { id: agent.id, config: { model: 'untried' } },
      },
    );
    await driver.beat(agent, { configVersion: 2, state: 'FAILED' });
    const back = await until(async () => {
      const found = await driver.agent(agent.id, 'config configVersion');
      return found.configVersion === 3 && found;
    });
    expect(back.config).toEqual({ model: 'tried' });
    const { commands } = await driver.beat(agent, { configVersion: 2, state: 'FAILED' });
    expect(commands.map(({ name, arguments: given }: AnyShape) => [name, given.configVersion])).toEqual([
      ['config', 2],
      ['config', 3],
      ['restart', undefined],
    ]);
    expect(await recoveries(agent)).toMatchObject([
      {
        action: 'agent.recovery.rollbackConfig',
        reason: 'it failed (roll back of its configuration to version 1 1 of 1)',
        before: { configVersion: 2 },
        after: { configVersion: 3 },
      },
    ]);
    const kept = await database.query(
      `select h.version, h.config from agent_config h join agent on agent.id = agent_id where agent.name = $1 order by h.version`,
      [agent.name],
    );
    expect(kept).toEqual([
      { version: 1, config: { model: 'tried' } },
      { version: 2, config: { model: 'untried' } },
      { version: 3, config: { model: 'tried' } },
    ]);
  });

  test('never take more of a kind from its work than their share: the others are told why they wait', async () => {
    const steps = [{ action: 'RESTART', attempts: 5, on: ['CRITICAL'] }];
    await apply({ name: 'herd', kinds: ['herd'], steps, criticalBeats: 2, maxShare: 0.5, ...AT_ONCE });
    const herd = await Promise.all(Array.from({ length: 4 }, () => driver.register({ kind: 'herd' })));
    for (let beat = 0; beat < 3; beat += 1) await Promise.all(herd.map((agent) => driver.beat(agent, CRITICAL)));
    const held = async () => {
      const all = await Promise.all(herd.map((agent) => told(agent, 'recovery.held')));
      return all.flat();
    };
    await until(async () => (await held()).length === 2);
    expect((await held()).map(({ detail }) => detail.reason)).toEqual(
      Array(2).fill('2 of 4 agents of kind herd are being healed, and no more than 2 may be at a time'),
    );
    const restarted = await Promise.all(herd.map(async (agent) => (await told(agent, 'recovery.restart')).length));
    expect(restarted.sort()).toEqual([0, 0, 1, 1]);
  });

  test('restart those that depend on an agent with it, as its effect', async () => {
    const steps = [{ action: 'RESTART_DEPENDANTS', on: ['FAILED'] }];
    await apply({ name: 'roots', kinds: ['root'], steps, ...AT_ONCE });
    const root = await driver.register({ kind: 'root' });
    const [leaf, other] = [
      await driver.register({ kind: 'leaf', dependencies: [root.name] }),
      await driver.register({ kind: 'leaf' }),
    ];
    for (const agent of [leaf, other]) await driver.beat(agent);
    await driver.beat(root, { state: 'FAILED' });
    await until(async () => (await recoveries(leaf)).length);
    const [cause] = await recoveries(root);
    expect(cause).toMatchObject({ action: 'agent.recovery.restartDependants' });
    expect(await recoveries(leaf)).toMatchObject([
      {
        action: 'agent.recovery.restart',
        reason: `${root.name}, which it depends on, starts anew`,
        causedBy: (cause as AnyShape).id,
      },
    ]);
    expect((await driver.beat(leaf)).commands).toMatchObject([{ name: 'restart' }]);
    expect(await recoveries(other)).toEqual([]);
  });

  test('page a person: one alert however often, and none is lost when it cannot be told at once', async () => {
    const steps = [{ action: 'PAGE', attempts: 2, on: ['FAILED'] }];
    await apply({ name: 'paging', kinds: ['paging'], steps, ...AT_ONCE });
    const agent = await driver.register({ kind: 'paging' });
    await driver.beat(agent, { state: 'FAILED' });
    const waiting = () => house.runtime.database.query('select count(*)::int as count from page');
    await until(async () => (await recoveries(agent)).length === 2 && (await waiting())[0].count === 0);
    const { alerts: open } = await alerts.data(
      '{ alerts { nodes { name severity state labels annotations agent { id } } } }',
    );
    expect(open.nodes).toEqual([
      {
        name: 'agent needs a person',
        severity: 'CRITICAL',
        state: 'FIRING',
        labels: expect.objectContaining({ agent: agent.name, kind: 'paging' }),
        annotations: { reason: 'it failed (page 1 of 2)' },
        agent: { id: agent.id },
      },
    ]);
    expect((await driver.beat(agent, { state: 'FAILED' })).commands).toEqual([]);
  });

  test('are written as docs/health.md shows it', async () => {
    const text = readFileSync(path.resolve(__dirname, '../../docs/health.md'), 'utf8');
    const [, example = ''] = /```graphql\n([\s\S]*?)```/.exec(text) ?? [];
    const { applyRecoveryPolicy } = await driver.do(example, {}, { principal: OPERATOR });
    expect(applyRecoveryPolicy).toEqual({ policy: { version: 1 }, userErrors: [] });
    for (const name of [...Object.keys(RecoveryAction), ...Object.keys(RecoveryTrouble), ...Object.keys(HealthFactor)])
      expect({ name, isTold: text.includes(name) }).toEqual({ name, isTold: true });
  });
});
