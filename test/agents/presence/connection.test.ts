import { emptyHouseDatabase } from '../../support/database.ts';
import type { TestHouse } from '../../support/house.ts';
import { until } from '../../support/until.ts';
import { AgentsDriver, startAgents, type TestAgent, VIEWER } from '../support.ts';

const MAIL = 'subscription ($agentId: ID!) { agentCommands(agentId: $agentId) { name } }';

describe('the connection to a mailbox', () => {
  let house: TestHouse;
  let driver: AgentsDriver;
  beforeAll(async () => {
    // A lease that no test outlives: who is OFFLINE here is so by his connection.
    house = await startAgents({ settings: { FLEET_LEASE_BEATS: 1_000 } });
    driver = new AgentsDriver(house);
  });
  afterAll(() => house.stop());

  const listen = (agent: TestAgent, principal = agent.itself) =>
    driver.subscribe(MAIL, { agentId: agent.id }, { principal });
  const presences = async (agent: TestAgent) => {
    const { events } = await driver.agent(agent.id, 'events(first: 20) { nodes { name detail } }');
    return events.nodes
      .filter(({ name }: { name: string }) => name === 'presence.changed')
      .map(({ detail }: { detail: { to: string; reason: string } }) => detail)
      .reverse();
  };

  test('that closes is told at once, with the reason; without a beat the agent is OFFLINE before its lease ends', async () => {
    const [agent, other] = [await driver.register(), await driver.register()];
    const [live, others] = [await listen(agent), await listen(other)];
    await driver.beat(agent);
    await driver.beat(other);
    live.end();
    await until(async () => (await driver.agent(agent.id)).presence === 'SUSPECT');
    const { health } = await driver.agent(agent.id, 'health { penalties { reason points evidence } }');
    expect(health.penalties).toEqual([
      {
        reason: 'its connection closed',
        points: 20,
        evidence: expect.stringMatching(/^presence SUSPECT: its connection closed 0\.\d s ago; no beat for/),
      },
    ]);
    await until(async () => (await driver.agent(agent.id)).presence === 'OFFLINE');
    expect(await presences(agent)).toEqual([
      { from: 'OFFLINE', to: 'ONLINE', reason: 'told by its beat' },
      { from: 'ONLINE', to: 'SUSPECT', reason: expect.stringContaining('its connection closed') },
      { from: 'SUSPECT', to: 'OFFLINE', reason: expect.stringContaining('its connection closed') },
    ]);
    const moves = (await driver.entries(agent.id)).filter(({ action }) => action === 'agent.state.changed');
    expect(moves.at(-1)).toMatchObject({
      reason: expect.stringContaining('its connection closed'),
      after: { presence: 'OFFLINE' },
    });
    others.end();
  });

  test('that comes back, or is followed by a beat, is held against nobody', async () => {
    const [agent, other] = [await driver.register(), await driver.register()];
    const [first, others] = [await listen(agent), await listen(other)];
    await driver.beat(agent);
    await driver.beat(other);
    first.end();
    await until(async () => (await driver.agent(agent.id)).presence === 'SUSPECT');
    const second = await listen(agent);
    await driver.beat(agent);
    expect((await driver.agent(agent.id)).presence).toBe('ONLINE');
    second.end();
    others.end();
    expect((await presences(agent)).map(({ to }: { to: string }) => to)).not.toContain('OFFLINE');
  });

  test('of an onlooker says nothing of the agent', async () => {
    const agent = await driver.register();
    await driver.beat(agent);
    const onlooker = await listen(agent, { ...VIEWER, scopes: ['operator'] });
    onlooker.end();
    await driver.beat(agent);
    await until(async () => (await presences(agent)).some(({ to }: { to: string }) => to === 'SUSPECT'));
    const [, silence] = await presences(agent);
    expect(silence.reason).toMatch(/^no beat for 2\.\d s; it beats every 2\.0 s ± 0\.\d s$/);
  });

  test('of a whole crowd that closes is rather the road’s doing', async () => {
    const agents = await Promise.all(Array.from({ length: 6 }, () => driver.register()));
    const streams = await Promise.all(agents.map((agent) => listen(agent)));
    await Promise.all(agents.map((agent) => driver.beat(agent)));
    for (const stream of streams) stream.end();
    const again = await Promise.all(agents.map((agent) => listen(agent)));
    await Promise.all(agents.map((agent) => driver.beat(agent)));
    const told = await Promise.all(agents.map(presences));
    expect(told.flat().map(({ to }: { to: string }) => to)).toEqual(agents.map(() => 'ONLINE'));
    for (const stream of again) stream.end();
  });
});

describe('mere beats', () => {
  test('stay in memory, are seen in answers at once, and are written before they are sorted by, and at the end', async () => {
    const databaseUrl = await emptyHouseDatabase('agents');
    const house = await startAgents({ databaseUrl, settings: { FLEET_BEAT_MS: 60_000 } });
    const driver = new AgentsDriver(house);
    const agent = await driver.register();
    const stored = async () => {
      const [row] = await house.runtime.database.query('select beat_sequence::int as sequence from agent');
      return row.sequence;
    };
    await driver.beat(agent, { sequence: 1 });
    for (let sequence = 2; sequence < 10; sequence += 1) await driver.beat(agent, { sequence });
    const { lastSeenAt } = await driver.agent(agent.id, 'lastSeenAt');
    await driver.beat(agent, { sequence: 10 });
    const later = await driver.agent(agent.id, 'lastSeenAt');
    expect(Date.parse(later.lastSeenAt)).toBeGreaterThanOrEqual(Date.parse(lastSeenAt));
    expect(await stored()).toBe(1);
    const { agents } = await driver.do('{ agents(orderBy: [{ field: LAST_SEEN }]) { nodes { lastSeenAt } } }');
    expect(agents.nodes).toEqual([later]);
    expect(await stored()).toBe(10);
    await driver.beat(agent, { sequence: 11 });
    await house.stop();
    const again = await startAgents({ databaseUrl, settings: { FLEET_BEAT_MS: 60_000 } });
    expect(await again.runtime.database.query('select beat_sequence::int as sequence from agent')).toEqual([
      { sequence: 11 },
    ]);
    await again.stop();
  });
});
