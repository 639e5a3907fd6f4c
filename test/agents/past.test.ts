import { readNodeId } from '../../lib/node-id.ts';
import { PastStore } from '../../subgraphs/agents/store/past.ts';
import type { AnyShape, TestHouse } from '../support/house.ts';
import { until } from '../support/until.ts';
import {
  AgentsDriver,
  type MovableClock,
  movableClock,
  OPERATOR,
  startAgents,
  type TestAgent,
  VIEWER,
} from './support.ts';

const FIELDS = `id name kind version state desiredState presence labels label(name: "team") endpoints { name url }
  capabilities config configVersion observedConfigVersion registeredAt lastSeenAt leaseExpiresAt restarts
  health { score grade penalties { reason points } computedAt }`;
const DAY_MS = 86_400_000;

describe('what an agent was', () => {
  let house: TestHouse;
  let driver: AgentsDriver;
  let clock: MovableClock;
  beforeAll(async () => {
    clock = movableClock();
    house = await startAgents({ clock, settings: { FLEET_AGENT_HISTORY_DAYS: 30 } });
    driver = new AgentsDriver(house);
  });
  afterAll(() => house.stop());

  /** Now, and a second later for all that follows. */
  const moment = () => {
    const time = new Date(clock.nowMs()).toISOString();
    clock.skip(1_000);
    return time;
  };
  const at = (id: string, time: string, fields = FIELDS, principal = VIEWER) =>
    driver.do(
      `query ($id: ID!, $time: DateTime!) { agent(id: $id) { at(time: $time) { ${fields} } } }`,
      { id, time },
      { principal },
    );
  const was = async (id: string, time: string, fields = FIELDS): Promise<AnyShape> =>
    (await at(id, time, fields)).agent.at;

  test('every field is as it was then, through all kinds of change, and null before it was registered', async () => {
    const before = moment();
    const agent = await driver.register({
      labels: { team: 'atlas' },
      config: { batch: 1 },
      capabilities: ['code'],
      endpoints: [{ name: 'http', url: 'http://host:8080/' }],
    });
    const seen: { time: string; agent: AnyShape }[] = [];
    const look = async () => {
      const shown = await driver.agent(agent.id, FIELDS);
      seen.push({ time: moment(), agent: shown });
    };
    await look();
    await driver.beat(agent, { configVersion: 1 });
    await look();
    await driver.do(
      'mutation ($input: SetAgentConfigInput!) { setAgentConfig(input: $input) { userErrors { code } } }',
      { input: { id: agent.id, config: { batch: 2 } } },
      { principal: OPERATOR },
    );
    await look();
    await driver.beat(agent, { version: '1.1.0', configVersion: 2, checks: [{ name: 'db', ok: false }] });
    await look();
    await driver.act('pause', agent.id);
    await look();
    await driver.act('quarantine', agent.id);
    await look();
    await driver.register({ name: agent.name, version: '2.0.0', labels: { team: 'borg' } });
    await look();
    await driver.act('deregister', agent.id);
    const end = moment();
    // Leases and beats are told by no change.
    const told = ({ lastSeenAt: _, leaseExpiresAt: _lease, ...rest }: AnyShape) => rest;
    for (const { time, agent: shown } of seen) expect(told(await was(agent.id, time))).toEqual(told(shown));
    expect(await was(agent.id, before)).toBeNull();
    expect(await was(agent.id, end, 'name desiredState')).toEqual({ name: agent.name, desiredState: 'QUARANTINED' });
    expect(await was(agent.id, '2999-01-01T00:00:00Z', 'version')).toEqual({ version: '2.0.0' });
  });

  test('an agent reads of its own past, and of nobody else’s', async () => {
    const [one, other] = [await driver.register(), await driver.register()];
    const time = moment();
    expect((await at(one.id, time, 'name', one.itself)).agent.at).toEqual({ name: one.name });
    await expect(at(other.id, time, 'name', one.itself)).rejects.toThrow('FORBIDDEN');
  });

  test('what is older than is kept goes, but for what was at the beginning of that time', async () => {
    const agent = await driver.register();
    for (const action of ['pause', 'resume', 'stop']) {
      moment();
      await driver.act(action, agent.id);
    }
    const stopped = moment();
    clock.skip(20 * DAY_MS);
    expect(await was(agent.id, stopped, 'desiredState')).toEqual({ desiredState: 'STOPPED' });
    clock.skip(11 * DAY_MS);
    const { database } = house.runtime;
    await new PastStore(database).forget(new Date(clock.nowMs() - 30 * DAY_MS), 1_000);
    const kept = await database.query('select node ->> $2 as desired from agent_past where agent_id = $1', [
      readNodeId(agent.id)?.uuid,
      'desiredState',
    ]);
    expect(kept).toEqual([{ desired: 'STOPPED' }]);
    await expect(was(agent.id, stopped)).rejects.toThrow('BAD_INPUT');
    expect(await was(agent.id, moment(), 'desiredState')).toEqual({ desiredState: 'STOPPED' });
  });
});

describe('an agent that is on its way for too long', () => {
  let house: TestHouse;
  let driver: AgentsDriver;
  let clock: MovableClock;
  beforeAll(async () => {
    clock = movableClock();
    house = await startAgents({ clock, settings: { FLEET_STARTING_MS: 60_000, FLEET_STOPPING_MS: 30_000 } });
    driver = new AgentsDriver(house);
  });
  afterAll(() => house.stop());

  const failures = async (agent: TestAgent) =>
    (await driver.entries(agent.id)).filter(({ after }) => after?.state === 'FAILED');
  /** Beats for so long, so that nobody takes it for silent. */
  const beatFor = async (agent: TestAgent, state: string, ms: number) => {
    for (let passedMs = 0; passedMs < ms; passedMs += 2_000) {
      clock.skip(2_000);
      await driver.beat(agent, { state });
    }
  };

  test('has failed, with the reason in its trail and its story; it is heard again when it says something else', async () => {
    const agent = await driver.register();
    await driver.act('stop', agent.id);
    await driver.beat(agent, { state: 'STOPPING' });
    await beatFor(agent, 'STOPPING', 28_000);
    expect((await driver.agent(agent.id)).state).toBe('STOPPING');
    await beatFor(agent, 'STOPPING', 4_000);
    expect((await driver.agent(agent.id)).state).toBe('FAILED');
    expect(await failures(agent)).toEqual([
      expect.objectContaining({
        action: 'agent.state.changed',
        before: { state: 'STOPPING', presence: 'ONLINE' },
        reason: expect.stringMatching(/^it was STOPPING for 3\d s, longer than 30 s$/),
      }),
    ]);
    await driver.beat(agent, { state: 'STOPPED' });
    expect((await driver.agent(agent.id)).state).toBe('STOPPED');
    expect(await failures(agent)).toHaveLength(1);
  });

  test('is restarted by the platform, and has its whole time again for that', async () => {
    const agent = await driver.register();
    await driver.beat(agent, { state: 'STARTING' });
    await beatFor(agent, 'STARTING', 62_000);
    expect((await driver.agent(agent.id)).state).toBe('FAILED');
    const command = await until(async () => {
      const { commands } = await driver.beat(agent, { state: 'STARTING' });
      return commands.find(({ name }: { name: string }) => name === 'restart');
    });
    await driver.do(
      'mutation ($input: CompleteCommandInput!) { completeCommand(input: $input) { userErrors { code } } }',
      { input: { id: command.id, fence: command.fence, outcome: 'DONE' } },
      { principal: agent.itself },
    );
    await driver.beat(agent, { state: 'STARTING' });
    expect((await driver.agent(agent.id)).state).toBe('STARTING');
  });

  test('has failed too when it fell silent on its way', async () => {
    const agent = await driver.register();
    await driver.act('stop', agent.id);
    await driver.beat(agent, { state: 'STOPPING' });
    await until(async () => {
      // As a clock goes on, not as one that jumps: a jump would be ours, and not held against it.
      clock.skip(500);
      return (await driver.agent(agent.id)).state === 'FAILED';
    });
    expect(await driver.agent(agent.id)).toMatchObject({ state: 'FAILED', presence: 'OFFLINE' });
  });
});
