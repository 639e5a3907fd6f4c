import { randomUUID } from 'node:crypto';
import { systemPrincipal } from '../../lib/call/principal.ts';
import { callOf, type TestHouse } from '../support/house.ts';
import { until } from '../support/until.ts';
import { AgentsDriver, OPERATOR, SCRIPT, startAgents, VIEWER } from './support.ts';

const REGISTER = `mutation ($input: RegisterAgentInput!) { registerAgent(input: $input) {
  agent { id name kind version state desiredState presence config configVersion observedConfigVersion labels capabilities
          endpoints { name url } restarts lastSeenAt leaseExpiresAt health { score grade penalties { points } } }
  token userErrors { code message field } auditEntry { id } } }`;

describe('the registry', () => {
  let house: TestHouse;
  let driver: AgentsDriver;
  beforeAll(async () => {
    house = await startAgents();
    driver = new AgentsDriver(house);
  });
  afterAll(() => house.stop());

  const register = async (input: object, principal = SCRIPT) =>
    (
      await driver.do(
        REGISTER,
        { input: { name: `agent-${randomUUID()}`, kind: 'worker', version: '1.0.0', ...input } },
        { principal },
      )
    ).registerAgent;

  const principalOf = async (token: unknown) => {
    const call = callOf({ principal: systemPrincipal('router') });
    const answer = await house.client.send('POST /internal/credentials', { call, body: JSON.stringify({ token }) });
    return answer.status === 200 ? JSON.parse(answer.body.toString()).principal : answer.status;
  };

  const principalsOf = async (tokens: string[]) => {
    const call = callOf({ principal: systemPrincipal('router') });
    const answer = await house.client.send('POST /internal/credentials', { call, body: JSON.stringify({ tokens }) });
    return JSON.parse(answer.body.toString()).principals;
  };

  test('an agent that comes is known with all it said, and has a token of its own', async () => {
    const input = {
      name: 'newcomer',
      endpoints: [{ name: 'http', url: 'http://127.0.0.1:9/' }],
      capabilities: ['search'],
      labels: { env: 'prod' },
      config: { batch: 5 },
    };
    const { agent, token, userErrors, auditEntry } = await register(input);
    expect(userErrors).toEqual([]);
    expect(agent).toEqual({
      ...input,
      id: agent.id,
      kind: 'worker',
      version: '1.0.0',
      state: 'REGISTERED',
      desiredState: 'RUNNING',
      presence: 'OFFLINE',
      configVersion: 1,
      observedConfigVersion: null,
      restarts: 0,
      lastSeenAt: null,
      leaseExpiresAt: null,
      health: { score: 100, grade: 'UNKNOWN', penalties: [] },
    });
    expect(token).toMatch(/^fa_[0-9a-f-]{36}\.[\w-]{43}$/);
    expect(await principalOf(token)).toEqual({
      id: agent.id,
      kind: 'AGENT',
      name: 'newcomer',
      scopes: ['agent'],
      agentId: agent.id,
      incarnation: 1,
    });
    const [entry] = await driver.entries(agent.id);
    expect(entry).toMatchObject({
      action: 'registerAgent',
      outcome: 'SUCCEEDED',
      actor: { id: 'script' },
      before: null,
    });
    expect(JSON.stringify(entry)).not.toContain(token.split('.')[1]);
    expect(auditEntry.id).toBeTruthy();
  });

  test('the same name by the same caller is the same agent with a fresh token', async () => {
    const first = await register({ name: 'twice', config: { a: 1 } });
    const second = await register({ name: 'twice', version: '1.1.0', config: { a: 2 }, labels: { env: 'dev' } });
    expect(second.agent).toMatchObject({
      id: first.agent.id,
      version: '1.1.0',
      config: { a: 1 },
      labels: { env: 'dev' },
    });
    // An answer that was lost locks nobody out: the old token is good until the new one is used.
    expect(await principalOf(first.token)).toMatchObject({ agentId: first.agent.id });
    expect(await principalOf(second.token)).toMatchObject({ agentId: first.agent.id });
    expect(await principalOf(first.token)).toBe(404);
  });

  test('a repeated registration shows no token again', async () => {
    const input = { name: 'repeated', clientMutationId: 'register-once' };
    const first = await register(input);
    const again = await register(input);
    expect(again).toMatchObject({ agent: { id: first.agent.id }, token: null, auditEntry: first.auditEntry });
    expect(again.userErrors).toEqual([expect.objectContaining({ code: 'SECRET_ALREADY_SHOWN' })]);
  });

  test('another’s name is a conflict, and audited as failed', async () => {
    await register({ name: 'taken' });
    const { agent, token, userErrors } = await register({ name: 'taken' }, OPERATOR);
    expect({ agent, token }).toEqual({ agent: null, token: null });
    expect(userErrors).toEqual([expect.objectContaining({ code: 'CONFLICT', field: ['name'] })]);
    expect((await driver.entries('taken')).at(-1)).toMatchObject({ outcome: 'FAILED', actor: { id: 'operator' } });
  });

  test.each([
    ['a name with blanks around it', { name: ' x' }, ['name']],
    ['no kind', { kind: '' }, ['kind']],
    ['a long version', { version: 'v'.repeat(65) }, ['version']],
    ['a nameless endpoint', { endpoints: [{ name: '', url: 'http://x/' }] }, ['endpoints', '0', 'name']],
    ['an endpoint nowhere', { endpoints: [{ name: 'a', url: 'nowhere' }] }, ['endpoints', '0', 'url']],
    ['many endpoints', { endpoints: Array(65).fill({ name: 'a', url: 'http://x/' }) }, ['endpoints']],
    ['an empty capability', { capabilities: [''] }, ['capabilities']],
    ['a configuration that is a list', { config: [1] }, ['config']],
    ['a huge configuration', { config: { a: 'x'.repeat(64_001) } }, ['config']],
  ])('refuses a definition with %s', async (_what, input, field) => {
    const { agent, userErrors } = await register(input);
    expect(agent).toBeNull();
    expect(userErrors).toEqual([expect.objectContaining({ code: 'BAD_INPUT', field })]);
  });

  test('an agent registers itself again, nobody else', async () => {
    const agent = await driver.register();
    expect((await register({ name: agent.name }, agent.itself)).agent.id).toBe(agent.id);
    expect((await register({}, agent.itself)).userErrors).toEqual([expect.objectContaining({ code: 'FORBIDDEN' })]);
  });

  test('a rotated token voids those before it at once', async () => {
    const agent = await driver.register();
    const ROTATE =
      'mutation ($input: AgentActionInput!) { rotateAgentToken(input: $input) { agent { id } token userErrors { code } } }';
    const rotate = async (principal = agent.itself) =>
      (await driver.do(ROTATE, { input: { id: agent.id } }, { principal })).rotateAgentToken;
    const { token } = await rotate();
    expect(await principalOf(agent.token)).toBe(404);
    expect(await principalOf(token)).toMatchObject({ agentId: agent.id });
    const other = await driver.register({}, OPERATOR);
    expect(await rotate(other.itself)).toEqual({ agent: null, token: null, userErrors: [{ code: 'FORBIDDEN' }] });
    expect((await rotate(OPERATOR)).userErrors).toEqual([]);
  });

  test('nobody is known by a token that is not one', async () => {
    const { token } = await driver.register();
    const wrong = [undefined, 7, '', 'x', token.replace(/.$/, token.endsWith('A') ? 'Q' : 'A'), `fk_${token.slice(3)}`];
    for (const text of wrong) expect(await principalOf(text)).toBe(404);
  });

  test('an agent that came back after a crash counts a restart', async () => {
    const agent = await driver.register();
    await driver.beat(agent);
    expect(await driver.agent(agent.id)).toMatchObject({ state: 'RUNNING', restarts: 0 });
    await register({ name: agent.name });
    expect(await driver.agent(agent.id)).toMatchObject({ state: 'REGISTERED', restarts: 1 });
    expect(await driver.beat(agent, { sequence: 0 })).toMatchObject({ userErrors: [] });
    expect(await driver.agent(agent.id)).toMatchObject({ state: 'RUNNING', restarts: 1 });
  });

  test('a deregistered agent is gone from lists and resolvable by id; its name is free', async () => {
    const agent = await driver.register();
    await driver.beat(agent);
    expect((await driver.act('deregister', agent.id)).userErrors).toEqual([]);
    const { agents } = await driver.do(
      'query ($names: [String!]) { agents(filter: { names: $names }) { totalCount } }',
      {
        names: [agent.name],
      },
    );
    expect(agents.totalCount).toBe(0);
    expect(await driver.agent(agent.id, 'name')).toEqual({ name: agent.name });
    expect(await driver.do('query ($name: String) { agent(name: $name) { id } }', { name: agent.name })).toEqual({
      agent: null,
    });
    expect(await principalOf(agent.token)).toBe(404);
    expect((await driver.beat(agent)).userErrors).toEqual([expect.objectContaining({ code: 'NOT_FOUND' })]);
    expect((await driver.act('pause', agent.id)).userErrors).toEqual([expect.objectContaining({ code: 'NOT_FOUND' })]);
    expect((await register({ name: agent.name })).agent.id).not.toBe(agent.id);
  });

  test('the router resolves references by either key, and a stranger’s not at all', async () => {
    const agent = await driver.register();
    const ENTITIES = 'query ($of: [_Any!]!) { _entities(representations: $of) { ... on Agent { id name } } }';
    const of = [
      { __typename: 'Agent', id: agent.id },
      { __typename: 'Agent', name: agent.name },
      { __typename: 'Agent', id: 'nonsense' },
      { __typename: 'Agent', name: 'nobody' },
    ];
    const known = { id: agent.id, name: agent.name };
    expect(await driver.do(ENTITIES, { of }, { principal: VIEWER })).toEqual({ _entities: [known, known, null, null] });
    const other = await driver.register();
    expect(await driver.do(ENTITIES, { of: of.slice(0, 1) }, { principal: other.itself })).toEqual({
      _entities: [null],
    });
  });

  test('API keys are made, used, listed, and revoked for good', async () => {
    const CREATE = `mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) {
      apiKey { id name scopes expiresAt createdBy { id } } secret userErrors { code field } } }`;
    const expiresAt = new Date(Date.now() + 60_000).toISOString();
    const input = {
      name: 'grafana',
      scopes: ['viewer', 'viewer'],
      expiresAt,
      requestsPerSecond: 5,
      clientMutationId: 'k1',
    };
    const { createApiKey } = await driver.do(CREATE, { input });
    const { apiKey, secret } = createApiKey;
    expect(apiKey).toEqual({
      id: apiKey.id,
      name: 'grafana',
      scopes: ['viewer'],
      expiresAt,
      createdBy: { id: 'admin' },
    });
    expect(await principalOf(secret)).toEqual({
      id: apiKey.id,
      kind: 'SCRIPT',
      name: 'grafana',
      scopes: ['viewer'],
      expiresAtMs: Date.parse(expiresAt),
      requestsPerSecond: 5,
    });
    expect((await driver.do(CREATE, { input })).createApiKey).toMatchObject({
      secret: null,
      userErrors: [{ code: 'SECRET_ALREADY_SHOWN' }],
    });
    const listed = async () =>
      (await driver.do('{ apiKeys { id lastUsedAt revokedAt } }')).apiKeys.find(
        ({ id }: { id: string }) => id === apiKey.id,
      );
    await until(async () => (await listed()).lastUsedAt);
    const grafana = expect.objectContaining({ name: 'grafana', kind: 'SCRIPT' });
    const { secret: made } = (await driver.do(CREATE, { input: { ...input, clientMutationId: 'k2' } })).createApiKey;
    const [id, last] = [made.slice(0, -1), made.at(-1)];
    const altered = `${id}${last === 'A' ? 'B' : 'A'}`;
    expect(await principalOf(altered)).toBe(404);
    expect(await principalOf(`${secret.split('.')[0]}.${made.split('.')[1]}`)).toBe(404);
    const stored = await house.runtime.database.query('select * from api_key');
    expect(JSON.stringify(stored)).not.toContain(secret.split('.')[1]);

    const REVOKE =
      'mutation ($input: RevokeApiKeyInput!) { revokeApiKey(input: $input) { apiKey { revokedAt } userErrors { code } } }';
    const revoke = async (id: string) => (await driver.do(REVOKE, { input: { id, reason: 'leaked' } })).revokeApiKey;
    const revoked = await revoke(apiKey.id);
    expect(revoked.apiKey.revokedAt).toBeTruthy();
    expect(await principalOf(secret)).toBe(404);
    expect(await principalsOf([made, secret, altered, 'nonsense', made])).toEqual([grafana, null, null, null, grafana]);
    expect(await revoke(apiKey.id)).toEqual(revoked);
    expect(await revoke('nobody')).toEqual({ apiKey: null, userErrors: [{ code: 'NOT_FOUND' }] });
    expect((await driver.entries(apiKey.id)).map(({ action, reason }) => [action, reason])).toEqual([
      ['createApiKey', null],
      ['revokeApiKey', 'leaked'],
      ['revokeApiKey', 'leaked'],
    ]);
  });

  test.each([
    [{ name: ' ' }, ['name']],
    [{ scopes: [] }, ['scopes']],
    [{ scopes: ['root'] }, ['scopes']],
    [{ expiresAt: '2001-01-01T00:00:00Z' }, ['expiresAt']],
    [{ requestsPerSecond: 0 }, ['requestsPerSecond']],
  ])('refuses a key that is wrong: %j', async (input, field) => {
    const { createApiKey } = await driver.do(
      'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret userErrors { code field } } }',
      { input: { name: 'key', scopes: ['viewer'], ...input } },
    );
    expect(createApiKey).toEqual({ secret: null, userErrors: [{ code: 'BAD_INPUT', field }] });
  });

  test('callers see who they are', async () => {
    const VIEW = '{ viewer { actor { id kind name } scopes expiresAt } }';
    expect(await driver.do(VIEW, {}, { principal: { ...VIEWER, expiresAtMs: 0 } })).toEqual({
      viewer: {
        actor: { id: 'viewer', kind: 'PERSON', name: 'Vera' },
        scopes: ['viewer'],
        expiresAt: '1970-01-01T00:00:00.000Z',
      },
    });
    expect((await driver.do(VIEW)).viewer.expiresAt).toBeNull();
  });

  test('who may not is refused: moves by viewers, keys by operators, others by agents', async () => {
    const agent = await driver.register();
    const codes = async (query: string, principal: typeof VIEWER, variables = {}) =>
      (await house.ask(query, variables, { principal })).errors?.map(({ extensions }) => extensions.code);
    const PAUSE = 'mutation ($id: ID!) { pauseAgent(input: { id: $id }) { userErrors { code } } }';
    expect(await codes(PAUSE, VIEWER, { id: agent.id })).toEqual(['FORBIDDEN']);
    expect(await codes(PAUSE, agent.itself, { id: agent.id })).toEqual(['FORBIDDEN']);
    expect(await codes('{ apiKeys { id } }', OPERATOR)).toEqual(['FORBIDDEN']);
    expect(await codes('{ agents { totalCount } }', agent.itself)).toEqual(['FORBIDDEN']);
    const other = await driver.register({}, OPERATOR);
    const READ = 'query ($id: ID!) { agent(id: $id) { name } }';
    expect(await codes(READ, agent.itself, { id: other.id })).toEqual(['FORBIDDEN']);
    expect(await codes(READ, SCRIPT, { id: other.id })).toEqual(['FORBIDDEN']);
    expect(await codes(READ, agent.itself, { id: agent.id })).toBeUndefined();
    expect(await codes(READ, SCRIPT, { id: agent.id })).toBeUndefined();
    expect(await codes('{ agent { name } }', VIEWER)).toEqual(['BAD_INPUT']);
    expect(await codes('{ agent(id: "x") { name } }', VIEWER)).toEqual(['BAD_INPUT']);
  });
});
