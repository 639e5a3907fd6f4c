import type { Flags } from '../../lib/flags/index.ts';
import { emptyHouseDatabase } from '../support/database.ts';
import type { TestHouse } from '../support/house.ts';
import { until } from '../support/until.ts';
import { AgentsDriver, OPERATOR, startAgents, type TestAgent, VIEWER } from './support.ts';

/** Agents that are not to be healed. */
const left = new Set<string>();
const flags: Flags = { isOn: (_name, caller) => !left.has(caller?.id ?? '') };
const FAST = { FLEET_BEAT_MS: 200, FLEET_LEASE_BEATS: 3 };

describe('an agent in trouble', () => {
  let house: TestHouse;
  let driver: AgentsDriver;
  beforeAll(async () => {
    house = await startAgents({ settings: FAST, flags });
    driver = new AgentsDriver(house);
  });
  afterAll(() => house.stop());

  const recoveries = async (agent: TestAgent) =>
    (await driver.entries(agent.id)).filter(({ action }) => action.startsWith('agent.recovery.'));
  const presenceOf = async (agent: TestAgent) => (await driver.agent(agent.id)).presence;

  test('is left alone while its recovery is turned off, and healed once it is on', async () => {
    const [one, other] = [await driver.register(), await driver.register()];
    left.add(one.id);
    await driver.beat(one);
    await driver.beat(other);
    await until(async () => (await recoveries(other)).length > 0);
    await until(async () => (await presenceOf(one)) === 'OFFLINE');
    expect(await recoveries(one)).toEqual([]);
    left.delete(one.id);
    await until(async () => (await recoveries(one)).length > 0);
  });

  test('that falls silent is SUSPECT, then OFFLINE, is asked to restart, and is healed when it does', async () => {
    const agent = await driver.register();
    const live = await driver.subscribe(
      'subscription ($ids: [ID!]) { agentChanged(filter: { ids: $ids }) { node { presence } } }',
      { ids: [agent.id] },
      { principal: VIEWER },
    );
    await driver.beat(agent);
    await until(async () => (await presenceOf(agent)) === 'OFFLINE');
    const seen = await until(() => {
      const presences = live.payloads.map(({ node }) => node.presence).filter((is, at, all) => is !== all[at - 1]);
      return presences.at(-1) === 'OFFLINE' && presences.length > 1 ? presences : undefined;
    });
    live.end();
    expect(seen.slice(-3)).toEqual(['ONLINE', 'SUSPECT', 'OFFLINE']);
    const [entry] = await until(async () => {
      const found = await recoveries(agent);
      return found.length ? found : undefined;
    });
    expect(entry).toMatchObject({
      action: 'agent.recovery.restart',
      actor: { id: 'system:agents', kind: 'SYSTEM', name: 'agents' },
      outcome: 'SUCCEEDED',
      reason: 'it went silent (restart 1 of 5)',
    });
    const { commands } = await driver.beat(agent, { state: 'STOPPED' });
    expect(commands).toEqual([
      expect.objectContaining({ name: 'restart', issuedBy: { id: 'system:agents', kind: 'SYSTEM', name: 'agents' } }),
    ]);
    const { id, fence } = commands[0];
    await driver.do(
      'mutation ($input: CompleteCommandInput!) { completeCommand(input: $input) { userErrors { code } } }',
      { input: { id, fence, outcome: 'DONE' } },
      { principal: agent.itself },
    );
    await driver.beat(agent);
    expect(await driver.agent(agent.id)).toMatchObject({ state: 'RUNNING', presence: 'ONLINE', restarts: 1 });
    expect(await recoveries(agent)).toHaveLength(1);
  });

  test('that was asked to stop is left in peace', async () => {
    const agent = await driver.register();
    await driver.beat(agent);
    await driver.act('stop', agent.id);
    await driver.beat(agent, { state: 'STOPPED' });
    await until(async () => (await presenceOf(agent)) === 'OFFLINE');
    expect((await driver.agent(agent.id, 'health { score }')).health.score).toBe(100);
    expect(await recoveries(agent)).toEqual([]);
  });

  test('that said farewell and is gone is left in peace too', async () => {
    const agent = await driver.register();
    const lost = await driver.register();
    for (const one of [agent, lost]) await driver.beat(one);
    await driver.beat(agent, { state: 'STOPPED' });
    await driver.beat(lost);
    await until(async () => (await presenceOf(agent)) === 'OFFLINE');
    // Whoever only fell silent was looked after by then.
    await until(async () => (await recoveries(lost)).length);
    expect(await driver.agent(agent.id, 'desiredState health { score }')).toMatchObject({
      desiredState: 'RUNNING',
      health: { score: 100 },
    });
    expect(await recoveries(agent)).toEqual([]);
    await driver.beat(agent);
    expect(await driver.agent(agent.id)).toMatchObject({ state: 'RUNNING', presence: 'ONLINE' });
  });

  test('that fails is asked once, while the restart is under way', async () => {
    const agent = await driver.register();
    await driver.beat(agent, { state: 'FAILED' });
    await until(async () => (await recoveries(agent)).length);
    for (let beat = 0; beat < 3; beat += 1) await driver.beat(agent, { state: 'FAILED' });
    expect((await recoveries(agent)).map(({ reason }) => reason)).toEqual(['it failed (restart 1 of 5)']);
  });

  test('that was restarted five times in vain is quarantined, and released by a person', async () => {
    const agent = await driver.register();
    await driver.beat(agent);
    const past = [5, 4, 3, 2, 1].map((minutes) => Date.now() - minutes * 100_000);
    await house.runtime.database.query(`update agent set recoveries = $2 where name = $1`, [
      agent.name,
      JSON.stringify(past.map((atMs) => ({ step: 'RESTART', atMs }))),
    ]);
    await driver.act('pause', agent.id);
    await driver.act('resume', agent.id);
    await driver.beat(agent, { state: 'FAILED' });
    await until(async () => (await driver.agent(agent.id)).state === 'QUARANTINED');
    expect((await recoveries(agent)).at(-1)).toMatchObject({
      action: 'agent.recovery.quarantine',
      reason: 'it failed, after 5 restarts in 10 minutes',
      before: { state: 'FAILED', desiredState: 'RUNNING' },
      after: { state: 'QUARANTINED', desiredState: 'QUARANTINED' },
    });
    expect((await driver.act('release', agent.id, {}, OPERATOR)).agent.desiredState).toBe('RUNNING');
  });
});

describe('two processes of the house', () => {
  let houses: [TestHouse, TestHouse];
  let [one, two]: AgentsDriver[] = [];
  beforeAll(async () => {
    const databaseUrl = await emptyHouseDatabase('agents');
    const settings = { FLEET_BEAT_MS: 1_000 };
    houses = [await startAgents({ databaseUrl, settings }), await startAgents({ databaseUrl, settings })];
    [one, two] = houses.map((house) => new AgentsDriver(house));
  });
  afterAll(() => Promise.all(houses.map((house) => house.stop())));

  test('what is asked at one reaches an agent that beats at the other, by stream and by beat', async () => {
    const [here, there] = [one as AgentsDriver, two as AgentsDriver];
    const agent = await here.register();
    await there.beat(agent);
    const live = await there.subscribe(
      'subscription ($agentId: ID!) { agentCommands(agentId: $agentId) { name } }',
      { agentId: agent.id },
      { principal: agent.itself },
    );
    await here.act('pause', agent.id);
    await until(() => live.payloads.length);
    live.end();
    expect(live.payloads).toEqual([{ name: 'pause' }]);
    const told = await until(async () => {
      const answer = await there.beat(agent);
      return answer.desiredState === 'PAUSED' && answer;
    });
    expect(told.commands).toEqual([expect.objectContaining({ name: 'pause' })]);
  });

  test('an agent that the other hears is not taken for silent by the one it left', async () => {
    const [here, there] = [one as AgentsDriver, two as AgentsDriver];
    const agent = await here.register();
    await here.beat(agent);
    const startedMs = Date.now();
    await until(async () => {
      await there.beat(agent);
      return Date.now() - startedMs > 3_500;
    });
    const { events } = await here.agent(agent.id, 'events(first: 100) { nodes { name detail } }');
    const deaths = events.nodes.filter(({ detail }: { detail: { to?: string } }) => detail.to === 'OFFLINE');
    expect(deaths).toEqual([]);
  });
});

describe('a platform that was away', () => {
  test('takes from the next beat what it could not write down of the last', async () => {
    const house = await startAgents();
    const driver = new AgentsDriver(house);
    const agent = await driver.register();
    await driver.beat(agent);
    const { database } = house.runtime;
    await database.query('alter table agent_event rename to hidden');
    await expect(driver.beat(agent, { state: 'PAUSED' })).rejects.toThrow('INTERNAL');
    await database.query('alter table hidden rename to agent_event');
    expect((await driver.agent(agent.id)).state).toBe('RUNNING');
    expect((await driver.beat(agent, { state: 'PAUSED' })).userErrors).toEqual([]);
    expect((await driver.agent(agent.id)).state).toBe('PAUSED');
    await house.stop();
  });

  test('holds no silence against agents that beat again, and keeps what it knew', async () => {
    const databaseUrl = await emptyHouseDatabase('agents');
    const first = await startAgents({ databaseUrl, settings: FAST });
    const before = new AgentsDriver(first);
    const agents = await Promise.all(Array.from({ length: 6 }, () => before.register()));
    await Promise.all(agents.map((agent) => before.beat(agent, { sequence: 50 })));
    await first.stop();
    const second = await startAgents({ databaseUrl, settings: FAST });
    const driver = new AgentsDriver(second);
    const answers = await Promise.all(agents.map((agent) => driver.beat(agent, { sequence: 51 })));
    expect(answers.every(({ userErrors }) => userErrors.length === 0)).toBe(true);
    expect((await driver.beat(agents[0] as TestAgent, { sequence: 49 })).userErrors).toHaveLength(1);
    const died = await second.runtime.database.query(
      `select count(*)::int as count from audit_outbox where entry->>'action' = 'agent.state.changed' and entry->'after'->>'presence' = 'OFFLINE'`,
    );
    expect(died).toEqual([{ count: 0 }]);
    await second.stop();
  });
});
