import type { TestHouse } from '../support/house.ts';
import { until } from '../support/until.ts';
import { AgentsDriver, OPERATOR, startAgents, VIEWER } from './support.ts';

describe('an agent’s life', () => {
  let house: TestHouse;
  let driver: AgentsDriver;
  beforeAll(async () => {
    house = await startAgents();
    driver = new AgentsDriver(house);
  });
  afterAll(() => house.stop());

  const CHANGED = `subscription ($filter: AgentFilter, $after: String) { agentChanged(filter: $filter, after: $after) {
    cursor occurredAt kind previous node { id name state desiredState presence configVersion observedConfigVersion version
      health { score grade } } } }`;

  test('a beat makes it ONLINE and RUNNING, told on the stream and audited once', async () => {
    const agent = await driver.register();
    const live = await driver.subscribe(CHANGED, { filter: { ids: [agent.id] } }, { principal: VIEWER });
    const answer = await driver.beat(agent, { configVersion: 1 });
    expect(answer).toEqual({
      agentId: agent.id,
      beatEveryMs: 2_000,
      leaseMs: 6_000,
      desiredState: 'RUNNING',
      configVersion: 1,
      commands: [],
      userErrors: [],
    });
    await driver.beat(agent, { configVersion: 1 });
    await driver.beat(agent, { configVersion: 1, version: '1.0.1' });
    // An event that was committed just before may still come after "now".
    const told = await until(() => {
      const updates = live.payloads.filter(({ kind }) => kind === 'UPDATED');
      return updates.length >= 2 && updates;
    });
    live.end();
    expect(told).toEqual([
      expect.objectContaining({
        kind: 'UPDATED',
        previous: expect.objectContaining({ id: agent.id, state: 'REGISTERED', presence: 'OFFLINE' }),
        node: expect.objectContaining({
          state: 'RUNNING',
          presence: 'ONLINE',
          observedConfigVersion: 1,
          health: { score: 100, grade: 'HEALTHY' },
        }),
      }),
      expect.objectContaining({ node: expect.objectContaining({ version: '1.0.1' }) }),
    ]);
    const changes = (await driver.entries(agent.id)).filter(({ action }) => action === 'agent.state.changed');
    expect(changes).toEqual([
      expect.objectContaining({
        actor: { id: 'system:agents', kind: 'SYSTEM', name: 'agents' },
        before: { state: 'REGISTERED', presence: 'OFFLINE' },
        after: { state: 'RUNNING', presence: 'ONLINE' },
      }),
    ]);
  });

  test('a move sets what is desired, tells the agent, and is audited with its reason', async () => {
    const agent = await driver.register();
    await driver.beat(agent);
    const { agent: moved, userErrors, auditEntry } = await driver.act('pause', agent.id, { reason: 'deploy' });
    expect({ moved, userErrors }).toEqual({
      moved: { id: agent.id, state: 'RUNNING', desiredState: 'PAUSED', configVersion: 1 },
      userErrors: [],
    });
    const told = await driver.beat(agent);
    expect(told).toMatchObject({
      desiredState: 'PAUSED',
      commands: [
        { name: 'pause', arguments: { desiredState: 'PAUSED', reason: 'deploy' }, issuedBy: { id: 'operator' } },
      ],
    });
    await driver.beat(agent, { state: 'PAUSED' });
    expect(await driver.agent(agent.id)).toMatchObject({ state: 'PAUSED', desiredState: 'PAUSED' });
    const entry = (await driver.entries(agent.id)).find(({ action }) => action === 'pauseAgent');
    expect(entry).toMatchObject({
      outcome: 'SUCCEEDED',
      reason: 'deploy',
      before: { desiredState: 'RUNNING' },
      after: { desiredState: 'PAUSED' },
    });
    expect(auditEntry.id).toBe(Buffer.from(`AuditEntry:${entry.id}`).toString('base64url'));
  });

  test('a later move overtakes an earlier one that nobody obeyed yet', async () => {
    const agent = await driver.register();
    await driver.beat(agent);
    for (const action of ['pause', 'resume', 'stop']) await driver.act(action, agent.id);
    expect((await driver.beat(agent)).commands.map(({ name }: { name: string }) => name)).toEqual(['stop']);
  });

  test('a move that its life does not have is one CONFLICT and a FAILED entry', async () => {
    const agent = await driver.register();
    const { agent: moved, userErrors } = await driver.act('resume', agent.id);
    expect(moved).toBeNull();
    expect(userErrors).toEqual([
      {
        code: 'CONFLICT',
        message: expect.stringContaining(
          'it cannot be resumed, it can be started, paused, restarted, stopped, quarantined, retired',
        ),
        field: null,
      },
    ]);
    expect((await driver.entries(agent.id)).at(-1)).toMatchObject({ action: 'resumeAgent', outcome: 'FAILED' });
  });

  test('quarantine holds whatever the agent says, until it is released', async () => {
    const agent = await driver.register();
    await driver.beat(agent);
    expect((await driver.act('quarantine', agent.id)).agent).toMatchObject({
      state: 'QUARANTINED',
      desiredState: 'QUARANTINED',
    });
    expect(await driver.beat(agent)).toMatchObject({ desiredState: 'QUARANTINED' });
    expect(await driver.agent(agent.id, 'state health { grade }')).toEqual({
      state: 'QUARANTINED',
      health: { grade: 'CRITICAL' },
    });
    expect((await driver.act('start', agent.id)).userErrors).toEqual([expect.objectContaining({ code: 'CONFLICT' })]);
    expect((await driver.act('release', agent.id)).agent).toMatchObject({ state: 'RUNNING', desiredState: 'RUNNING' });
  });

  test('retirement is for good, and gives the name back', async () => {
    const agent = await driver.register();
    await driver.beat(agent);
    expect((await driver.act('retire', agent.id)).agent).toMatchObject({ state: 'RETIRED' });
    expect(await driver.beat(agent)).toMatchObject({ desiredState: 'RETIRED', userErrors: [] });
    expect((await driver.act('start', agent.id)).userErrors).toEqual([
      expect.objectContaining({ code: 'CONFLICT', message: expect.stringContaining('its life is over') }),
    ]);
    const heir = await driver.register({ name: agent.name });
    expect(heir.id).not.toBe(agent.id);
    const { agent: named } = await driver.do('query ($name: String) { agent(name: $name) { id } }', {
      name: agent.name,
    });
    expect(named.id).toBe(heir.id);
  });

  test('the same key moves it once', async () => {
    const agent = await driver.register();
    await driver.beat(agent);
    const input = { clientMutationId: 'pause-once' };
    const first = await driver.act('pause', agent.id, input);
    const again = await driver.act('pause', agent.id, input);
    expect(again).toEqual(first);
    expect((await driver.act('pause', agent.id, { ...input, reason: 'other' })).userErrors).toEqual([
      expect.objectContaining({ code: 'IDEMPOTENCY_KEY_REUSED' }),
    ]);
    expect(
      (await driver.entries(agent.id)).filter(
        ({ action, outcome }) => action === 'pauseAgent' && outcome === 'SUCCEEDED',
      ),
    ).toHaveLength(1);
  });

  test('moves of agents that are not are NOT_FOUND or BAD_INPUT', async () => {
    const nobody = Buffer.from('Agent:00000000-0000-7000-8000-000000000000').toString('base64url');
    expect((await driver.act('stop', nobody)).userErrors).toEqual([
      expect.objectContaining({ code: 'NOT_FOUND', field: ['id'] }),
    ]);
    expect((await driver.act('stop', 'x')).userErrors).toEqual([
      expect.objectContaining({ code: 'BAD_INPUT', field: ['id'] }),
    ]);
  });

  test('a configuration has versions, and its agent is told', async () => {
    const agent = await driver.register({ config: { batch: 1 } });
    const SET = `mutation ($input: SetAgentConfigInput!) { setAgentConfig(input: $input) {
      agent { config configVersion observedConfigVersion } userErrors { code field } } }`;
    const set = async (input: object) =>
      (await driver.do(SET, { input: { id: agent.id, ...input } }, { principal: OPERATOR })).setAgentConfig;
    const config = { batch: 2, apiKey: 'very secret' };
    expect(await set({ config, expectedVersion: 1 })).toEqual({
      agent: { config, configVersion: 2, observedConfigVersion: null },
      userErrors: [],
    });
    expect(await set({ config: {}, expectedVersion: 1 })).toEqual({
      agent: null,
      userErrors: [{ code: 'CONFLICT', field: ['expectedVersion'] }],
    });
    expect((await set({ config: 'text' })).userErrors).toEqual([{ code: 'BAD_INPUT', field: ['config'] }]);
    expect(await driver.beat(agent)).toMatchObject({
      configVersion: 2,
      commands: [{ name: 'config', arguments: { configVersion: 2 } }],
    });
    const entry = (await driver.entries(agent.id)).find(({ action }) => action === 'setAgentConfig');
    expect(entry.after.config).toEqual({ batch: 2, apiKey: '[redacted]' });
    await driver.beat(agent, { configVersion: 2 });
    expect(await driver.agent(agent.id, 'observedConfigVersion')).toEqual({ observedConfigVersion: 2 });
  });

  test('its story is told newest first, in pages', async () => {
    const agent = await driver.register();
    await driver.beat(agent);
    await driver.act('pause', agent.id, { reason: 'lunch' });
    const EVENTS =
      'events(first: 2) { totalCount nodes { name detail actor { kind } } pageInfo { hasNextPage endCursor } }';
    const { events } = await driver.agent(agent.id, EVENTS);
    expect(events).toMatchObject({
      totalCount: 4,
      nodes: [
        { name: 'pauseAgent', detail: { desiredState: 'PAUSED', reason: 'lunch' }, actor: { kind: 'PERSON' } },
        { name: expect.stringContaining('.changed'), actor: { kind: 'SYSTEM' } },
      ],
      pageInfo: { hasNextPage: true },
    });
    const rest = await driver.agent(agent.id, `events(after: "${events.pageInfo.endCursor}") { nodes { name } }`);
    expect(rest.events.nodes.map(({ name }: { name: string }) => name)).toEqual([
      expect.stringContaining('.changed'),
      'registered',
    ]);
  });

  test('beats: a repeat changes nothing, an older one conflicts, a stranger’s is refused', async () => {
    const agent = await driver.register();
    await driver.beat(agent, { sequence: 1_000 });
    expect(await driver.beat(agent, { sequence: 1_000, state: 'FAILED' })).toMatchObject({ userErrors: [] });
    expect((await driver.agent(agent.id)).state).toBe('RUNNING');
    expect((await driver.beat(agent, { sequence: 999 })).userErrors).toEqual([
      expect.objectContaining({ code: 'CONFLICT', field: ['sequence'] }),
    ]);
    const other = await driver.register();
    expect((await driver.beat(agent, {}, other.itself)).userErrors).toEqual([
      expect.objectContaining({ code: 'FORBIDDEN' }),
    ]);
    expect((await driver.beat(agent, { sequence: 1_001 }, OPERATOR)).userErrors).toEqual([]);
    for (const [wrong, field] of [
      [{ sequence: -1 }, 'sequence'],
      [{ sequence: 2_000, version: '' }, 'version'],
      [{ sequence: 2_000, stats: { requests: -1 } }, 'stats'],
      [{ sequence: 2_000, checks: Array(33).fill({ name: 'x', ok: true }) }, 'checks'],
    ] as const) {
      expect((await driver.beat(agent, wrong)).userErrors).toEqual([
        expect.objectContaining({ code: 'BAD_INPUT', field: [field] }),
      ]);
    }
  });

  test('many beats in one call each have their answer', async () => {
    const agents = await Promise.all(Array.from({ length: 30 }, () => driver.register()));
    const BEATS =
      'mutation ($input: AgentBeatsInput!) { agentBeats(input: $input) { beats { agentId userErrors { code } } } }';
    const beats = agents.map(({ id }) => ({ agentId: id, sequence: 1, state: 'RUNNING' }));
    beats.push({ agentId: 'nobody', sequence: 1, state: 'RUNNING' });
    const { agentBeats } = await driver.do(BEATS, { input: { beats } });
    expect(agentBeats.beats).toEqual([
      ...agents.map(({ id }) => ({ agentId: id, userErrors: [] })),
      { agentId: 'nobody', userErrors: [{ code: 'BAD_INPUT' }] },
    ]);
    const { fleet } = await driver.do(
      '{ fleet { total byState { state count } byPresence { presence count } kinds { kind count } health } }',
    );
    expect(
      fleet.byPresence.find(({ presence }: { presence: string }) => presence === 'ONLINE').count,
    ).toBeGreaterThanOrEqual(30);
    expect(fleet.kinds).toEqual([{ kind: 'worker', count: fleet.total }]);
    expect(fleet.byState.reduce((sum: number, { count }: { count: number }) => sum + count, 0)).toBe(fleet.total);
    expect(fleet.health).toBeGreaterThan(0);
    const tooMany = await house.ask(BEATS, { input: { beats: Array(1_001).fill(beats[0]) } });
    expect(tooMany.errors?.[0]?.extensions.code).toBe('BAD_INPUT');
  });

  test('health says what is wrong, and only a real change is told', async () => {
    const agent = await driver.register();
    await driver.beat(agent);
    const live = await driver.subscribe(CHANGED, { filter: { ids: [agent.id] } }, { principal: VIEWER });
    await driver.beat(agent, { stats: { requests: 1_000, errors: 15, latencyMs: 20 } });
    await driver.beat(agent, {
      stats: { requests: 1_000, errors: 900, latencyMs: 20, queue: 3 },
      checks: [
        { name: 'database', ok: false, message: 'away' },
        { name: 'disk', ok: true },
      ],
    });
    await until(() => live.payloads.some(({ node }) => node.health.score < 100));
    live.end();
    expect(live.payloads.map(({ node }) => node.health.score).filter((score) => score < 100)).toEqual([49]);
    expect((await driver.agent(agent.id, 'health { score penalties { reason points evidence } }')).health).toEqual({
      score: 49,
      penalties: [
        { reason: 'requests fail', points: 36, evidence: '915 of 2000 requests failed in the last 2 beats (46 %)' },
        { reason: 'check database fails', points: 15, evidence: 'away' },
      ],
    });
  });
});
