import type { TestHouse } from '../support/house.ts';
import { AgentsDriver, OPERATOR, SCRIPT, startAgents, VIEWER } from './support.ts';

const PUBLISH = `mutation ($input: PublishAgentVersionInput!) { publishAgentVersion(input: $input) {
  agentVersion { id kind version defaults migratesFrom operations { kind path name value factor } publishedBy { id } }
  changes { op path } userErrors { code message field } auditEntry { id } } }`;
const ALL = 'query ($kind: String!) { agentVersions(kind: $kind) { version } }';
const SCHEMA = {
  type: 'object',
  additionalProperties: false,
  properties: { limit: { type: 'integer', minimum: 1 }, model: { type: 'string' } },
};

describe('versions of a kind', () => {
  let house: TestHouse;
  let driver: AgentsDriver;
  beforeAll(async () => {
    house = await startAgents();
    driver = new AgentsDriver(house);
  });
  afterAll(() => house.stop());

  const publish = async (input: object, principal = OPERATOR) =>
    (await driver.do(PUBLISH, { input }, { principal })).publishAgentVersion;
  const configure = async (id: string, config: object) =>
    (
      await driver.do(
        'mutation ($input: SetAgentConfigInput!) { setAgentConfig(input: $input) { agent { config configVersion } userErrors { code field } } }',
        { input: { id, config } },
        { principal: OPERATOR },
      )
    ).setAgentConfig;

  test('are published once, listed newest first, and stay as they are', async () => {
    const kind = 'listed';
    const first = await publish({ kind, version: '1.9.0', defaults: { limit: 5 }, configSchema: SCHEMA });
    expect(first).toMatchObject({
      agentVersion: { kind, version: '1.9.0', defaults: { limit: 5 }, publishedBy: { id: OPERATOR.id } },
      userErrors: [],
    });
    const rename = { kind: 'RENAME', path: '/limit', name: 'max' };
    const next = { kind, version: '1.10.0', migratesFrom: '1.9.0', operations: [rename] };
    const dry = await publish({ ...next, dryRun: true });
    expect(dry).toMatchObject({ agentVersion: { version: '1.10.0' }, changes: [{ op: 'add', path: '' }] });
    expect((await driver.do(ALL, { kind })).agentVersions).toEqual([{ version: '1.9.0' }]);
    expect((await publish(next)).userErrors).toEqual([]);
    expect(await publish(next)).toMatchObject({ agentVersion: { operations: [rename] }, changes: [], userErrors: [] });
    expect((await publish({ ...next, notes: 'other' })).userErrors).toMatchObject([
      { code: 'CONFLICT', field: ['version'] },
    ]);
    expect((await driver.do(ALL, { kind })).agentVersions).toEqual([{ version: '1.10.0' }, { version: '1.9.0' }]);
    const entries = await driver.entries(first.agentVersion.id);
    expect(entries).toMatchObject([
      { action: 'publishAgentVersion', outcome: 'SUCCEEDED', actor: { id: OPERATOR.id } },
    ]);
  });

  test.each<[string, object, string, string[]]>([
    ['no semantic version', { version: 'v2' }, 'BAD_INPUT', ['version']],
    ['a schema that fetches', { configSchema: { $ref: 'http://x/' } }, 'BAD_INPUT', ['configSchema', '$ref']],
    ['defaults against its schema', { configSchema: SCHEMA, defaults: { limit: 0 } }, 'BAD_INPUT', ['config', 'limit']],
    ['operations from nowhere', { operations: [{ kind: 'WRAP', path: '/a' }] }, 'BAD_INPUT', ['migratesFrom']],
    [
      'a migration that would lose a default',
      { migratesFrom: '1.0.0', operations: [{ kind: 'REMOVE', path: '/limit', value: 6 }] },
      'CONFLICT',
      ['config', 'limit'],
    ],
    [
      'a migration whose result does not fit',
      { migratesFrom: '1.0.0', configSchema: { properties: { limit: { type: 'string' } } } },
      'BAD_INPUT',
      ['operations'],
    ],
  ])('are refused with %s', async (_what, input, code, field) => {
    const kind = 'refused';
    await publish({ kind, version: '1.0.0', defaults: { limit: 5 } });
    const { userErrors, agentVersion } = await publish({ kind, version: '2.0.0', ...input });
    expect({ agentVersion, userErrors }).toMatchObject({ agentVersion: null, userErrors: [{ code, field }] });
  });

  test('complete and check the configuration of the agents that run them', async () => {
    const kind = 'checked';
    const before = await driver.register({ kind, config: { anything: true } });
    await publish({ kind, version: '1.0.0', defaults: { limit: 5 }, configSchema: SCHEMA });
    expect(await configure(before.id, { model: 'm' })).toEqual({
      agent: { config: { model: 'm', limit: 5 }, configVersion: 2 },
      userErrors: [],
    });
    expect(await configure(before.id, { limit: 0 })).toMatchObject({
      userErrors: [{ code: 'BAD_INPUT', field: ['config', 'limit'] }],
    });
    const after = await driver.register({ kind, config: { model: 'n' } });
    expect((await driver.agent(after.id, 'config')).config).toEqual({ model: 'n', limit: 5 });
    await expect(driver.register({ kind, config: { unknown: 1 } })).rejects.toThrow();
    const other = await driver.register({ kind, version: '0.9.0', config: { unknown: 1 } });
    expect((await driver.agent(other.id, 'config')).config).toEqual({ unknown: 1 });
  });

  test('are published by operators and read by viewers', async () => {
    const input = { kind: 'guarded', version: '1.0.0' };
    const { errors } = await house.ask(PUBLISH, { input }, { principal: VIEWER });
    expect(errors?.[0]?.extensions.code).toBe('FORBIDDEN');
    const answer = await house.ask(ALL, { kind: 'guarded' }, { principal: SCRIPT });
    expect(answer.errors?.[0]?.extensions.code).toBe('FORBIDDEN');
    expect(await driver.do(ALL, { kind: 'guarded' }, { principal: VIEWER })).toEqual({ agentVersions: [] });
  });
});
