import type { TestHouse } from '../support/house.ts';
import { until } from '../support/until.ts';
import { AgentsDriver, startAgents, VIEWER } from './support.ts';

/** Its lines are of a day long ago. */
const SETTINGS = { FLEET_AGENT_STORY_DAYS: 3_650 };

describe('what an agent tells of itself', () => {
  let house: TestHouse;
  let driver: AgentsDriver;
  beforeAll(async () => {
    house = await startAgents({ settings: SETTINGS });
    driver = new AgentsDriver(house);
  });
  afterAll(() => house.stop());

  const EVENTS = 'events(first: 100) { nodes { occurredAt name detail actor { id kind name } } }';
  const toldBy = async (id: string) =>
    (await driver.agent(id, EVENTS)).events.nodes.filter(({ name }: { name: string }) => /^(hook|own)\./.test(name));
  const event = (id: string, more: object = {}) => ({
    id,
    occurredAt: '2026-01-01T00:00:00.000Z',
    name: 'hook.afterStart',
    detail: { durationMs: 3, outcome: 'done' },
    ...more,
  });

  test('it is in its story by the agent itself, once however often it is told, also after the house forgot', async () => {
    const agent = await driver.register();
    const events = [
      event('a'),
      event('b', { name: 'own.notebook', detail: null, occurredAt: '2026-01-01T00:00:00.001Z' }),
    ];
    expect((await driver.beat(agent, { events })).userErrors).toEqual([]);
    const story = [
      { occurredAt: '2026-01-01T00:00:00.001Z', name: 'own.notebook', detail: {} },
      { occurredAt: '2026-01-01T00:00:00.000Z', name: 'hook.afterStart', detail: { durationMs: 3, outcome: 'done' } },
    ].map((each) => ({ ...each, actor: { id: agent.id, kind: 'AGENT', name: agent.name } }));
    expect(await toldBy(agent.id)).toEqual(story);
    await driver.beat(agent, { events });
    const databaseUrl = house.runtime.database.options['url' as never] as string;
    const second = await startAgents({ databaseUrl, settings: SETTINGS });
    await new AgentsDriver(second).beat(agent, { sequence: 1_000, events });
    await second.stop();
    expect(await toldBy(agent.id)).toEqual(story);
  });

  test('the same id of two agents is two events', async () => {
    const [one, other] = [await driver.register(), await driver.register()];
    for (const agent of [one, other]) await driver.beat(agent, { events: [event('same')] });
    expect([await toldBy(one.id), await toldBy(other.id)].map(({ length }) => length)).toEqual([1, 1]);
  });

  test('all of a beat are one change on the stream; told again they are none', async () => {
    const agent = await driver.register();
    const changes = () =>
      house.runtime.database.query<{ kind: string }[]>('select kind from event where entity_id = $1 order by seq', [
        Buffer.from(agent.id, 'base64url').toString().split(':')[1],
      ]);
    const live = await driver.subscribe(
      `subscription ($filter: AgentFilter) { agentChanged(filter: $filter) { kind node { id events(first: 3) { nodes { name } } } } }`,
      { filter: { ids: [agent.id] } },
      { principal: VIEWER },
    );
    await driver.beat(agent);
    const before = await changes();
    const occurredAt = new Date(Date.now() + 1_000).toISOString();
    const events = ['a', 'b', 'c'].map((id) => event(id, { occurredAt }));
    await driver.beat(agent, { events });
    await driver.beat(agent, { events });
    expect((await changes()).slice(before.length)).toEqual([{ kind: 'UPDATED' }]);
    const told = JSON.stringify(Array(3).fill({ name: 'hook.afterStart' }));
    await until(() => live.payloads.some(({ node }) => JSON.stringify(node.events.nodes) === told));
    live.end();
  });

  test('nothing of it is later than now, and no secret stands in it', async () => {
    const agent = await driver.register();
    const before = Date.now();
    await driver.beat(agent, {
      events: [
        event('a', { occurredAt: '2999-01-01T00:00:00Z', detail: { apiKey: 'planted', deep: { token: 'planted' } } }),
      ],
    });
    const [line] = await toldBy(agent.id);
    expect(new Date(line.occurredAt).getTime()).toBeGreaterThanOrEqual(before);
    expect(new Date(line.occurredAt).getTime()).toBeLessThanOrEqual(Date.now());
    expect(line.detail).toEqual({ apiKey: '[redacted]', deep: { token: '[redacted]' } });
  });

  test.each([
    ['more than 64', Array.from({ length: 65 }, (_, at) => event(`${at}`)), ['events']],
    ['no id', [event('')], ['events', '0', 'id']],
    ['a long id', [event('x'.repeat(65))], ['events', '0', 'id']],
    ['what only the platform says', [event('a', { name: 'state.changed' })], ['events', '0', 'name']],
    ['a list', [event('a'), event('b', { detail: [1] })], ['events', '1', 'detail']],
    ['too much', [event('a', { detail: { text: 'x'.repeat(2_100) } })], ['events', '0', 'detail']],
  ])('%s is refused and nothing of the beat is taken', async (_, events, field) => {
    const agent = await driver.register();
    const { userErrors } = await driver.beat(agent, { state: 'RUNNING', events });
    expect(userErrors).toEqual([expect.objectContaining({ code: 'BAD_INPUT', field })]);
    expect(await toldBy(agent.id)).toEqual([]);
    expect(await driver.agent(agent.id, 'state presence')).toEqual({ state: 'REGISTERED', presence: 'OFFLINE' });
  });
});
