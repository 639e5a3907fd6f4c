import type { TestHouse } from '../support/house.ts';
import { until } from '../support/until.ts';
import { AgentsDriver, startAgents, type TestAgent, VIEWER } from './support.ts';

const LIST = `query ($first: Int, $after: String, $last: Int, $before: String, $filter: AgentFilter, $orderBy: [AgentOrder!]) {
  agents(first: $first, after: $after, last: $last, before: $before, filter: $filter, orderBy: $orderBy) {
    nodes { name } totalCount changeCursor pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`;

describe('the list of agents', () => {
  let house: TestHouse;
  let driver: AgentsDriver;
  const agents: TestAgent[] = [];
  beforeAll(async () => {
    // Nobody falls silent while its pages are read: they would move.
    house = await startAgents({ settings: { FLEET_BEAT_MS: 60_000 } });
    driver = new AgentsDriver(house);
    const made = [
      { name: 'crawler-1', kind: 'crawler', version: '1.0.0', labels: { env: 'prod', zone: 'eu' } },
      { name: 'crawler-2', kind: 'crawler', version: '1.1.0', labels: { env: 'dev', weight: 'heavy' } },
      { name: 'planner-1', kind: 'planner', version: '1.0.0', labels: { env: 'prod', zone: 'us', weight: '10' } },
      { name: 'planner-2', kind: 'planner', version: '2.0.0' },
      { name: 'Writer', kind: 'writer', version: '1.0.0', labels: { env: 'prod' } },
    ];
    for (const input of made) agents.push(await driver.register(input));
    await driver.beat(agents[0] as TestAgent);
    await driver.beat(agents[2] as TestAgent, { state: 'PAUSED', checks: [{ name: 'db', ok: false }] });
  });
  afterAll(() => house.stop());

  const list = async (variables: object = {}) => (await driver.do(LIST, variables, { principal: VIEWER })).agents;
  const names = async (variables: object = {}) =>
    (await list(variables)).nodes.map(({ name }: { name: string }) => name);

  test('comes by name', async () => {
    const { nodes, totalCount } = await list();
    expect(nodes.map(({ name }: { name: string }) => name)).toEqual([
      'Writer',
      'crawler-1',
      'crawler-2',
      'planner-1',
      'planner-2',
    ]);
    expect(totalCount).toBe(5);
  });

  test.each<[object, string[]]>([
    [{ kinds: ['crawler', 'writer'] }, ['Writer', 'crawler-1', 'crawler-2']],
    [{ kinds: ['crawler'], versions: ['1.0.0'] }, ['crawler-1']],
    [{ names: ['Writer', 'nobody'] }, ['Writer']],
    [{ states: ['RUNNING', 'PAUSED'] }, ['crawler-1', 'planner-1']],
    [{ presences: ['ONLINE'] }, ['crawler-1', 'planner-1']],
    [{ maxHealth: 99 }, ['planner-1']],
    [{ ids: [] }, []],
    [{ query: '' }, ['Writer', 'crawler-1', 'crawler-2', 'planner-1', 'planner-2']],
    [{ query: 'crawler' }, ['crawler-1', 'crawler-2']],
    [{ query: '"crawler 2"' }, ['crawler-2']],
    [{ query: 'plan* -2' }, ['planner-1']],
    [{ query: 'craw' }, []],
    [{ query: 'kind:writer OR labels.zone:us' }, ['Writer', 'planner-1']],
    [{ query: 'state:running' }, ['crawler-1']],
    [{ query: 'presence:OFFLINE version:1.*' }, ['Writer', 'crawler-2']],
    [{ query: 'health<100 NOT name:Writer' }, ['planner-1']],
    [{ query: 'labels.zone:*' }, ['crawler-1', 'planner-1']],
    [{ query: '-labels.env:prod' }, ['crawler-2', 'planner-2']],
    [{ query: 'labels.weight>=10' }, ['planner-1']],
    [{ query: 'labels.weight:10' }, ['planner-1']],
    [{ query: '/^crawler-\\d crawler$/ name:/1$/' }, ['crawler-1']],
    [{ query: 'name:/-2$/' }, ['crawler-2', 'planner-2']],
    [{ query: 'labels.zone:/^us$/' }, ['planner-1']],
    [{ query: '-name:/r-/' }, ['Writer']],
    [{ labels: [{ name: 'env', value: 'prod' }] }, ['Writer', 'crawler-1', 'planner-1']],
    [{ labels: [{ name: 'env', op: 'NE', value: 'prod' }] }, ['crawler-2', 'planner-2']],
    [{ labels: [{ name: 'zone', op: 'RE', value: 'e.|us' }] }, ['crawler-1', 'planner-1']],
    [
      {
        labels: [
          { name: 'zone', op: 'NRE', value: 'e.' },
          { name: 'env', value: 'prod' },
        ],
      },
      ['Writer', 'planner-1'],
    ],
  ])('holds what the filter says: %j', async (filter, expected) => {
    expect(await names({ filter })).toEqual(expected);
  });

  test('a stream’s filter means the same as a list’s', async () => {
    const filters = [
      { kinds: ['crawler'], versions: ['1.0.0'] },
      { presences: ['ONLINE'], states: ['PAUSED'] },
      { maxHealth: 99 },
      { query: 'craw* OR health<100' },
      { query: '-labels.env:prod state>=registered' },
      { query: '/-[12] / -labels.zone:/^u/' },
      { labels: [{ name: 'env', op: 'NE', value: 'prod' }] },
      { labels: [{ name: 'zone', op: 'RE', value: 'e.|us' }] },
    ];
    const { changeCursor } = await list({ first: 1 });
    const CHANGED =
      'subscription ($filter: AgentFilter, $after: String) { agentChanged(filter: $filter, after: $after) { kind node { name } } }';
    const streams = await Promise.all(
      filters.map((filter) => driver.subscribe(CHANGED, { filter, after: changeCursor }, { principal: VIEWER })),
    );
    const all = await driver.subscribe(CHANGED, { after: changeCursor }, { principal: VIEWER });
    const SET = 'mutation ($input: SetAgentConfigInput!) { setAgentConfig(input: $input) { userErrors { code } } }';
    for (const { id } of agents) await driver.do(SET, { input: { id, config: { touched: true } } });
    await until(() => all.payloads.length >= agents.length);
    for (const [at, filter] of filters.entries()) {
      const expected = await names({ filter });
      await until(() => streams[at]?.payloads.length === expected.length);
      expect(streams[at]?.payloads.map(({ node }) => node.name).sort()).toEqual([...expected].sort());
    }
    for (const live of [...streams, all]) live.end();
  });

  test('an agent that leaves the filter is told once as LEFT', async () => {
    const agent = await driver.register();
    await driver.beat(agent);
    const { changeCursor } = await list({ first: 1 });
    const CHANGED =
      'subscription ($filter: AgentFilter, $after: String) { agentChanged(filter: $filter, after: $after) { kind node { state } } }';
    const live = await driver.subscribe(CHANGED, {
      filter: { ids: [agent.id], states: ['RUNNING'] },
      after: changeCursor,
    });
    await driver.beat(agent, { state: 'PAUSED' });
    await driver.beat(agent, { state: 'STOPPED' });
    await driver.beat(agent, { state: 'RUNNING' });
    await driver.act('deregister', agent.id);
    await until(() => live.payloads.some(({ kind }) => kind === 'DELETED'));
    live.end();
    const kinds = live.payloads.map(({ kind }) => kind);
    // What was committed just before the cursor was read may be told once more.
    expect(kinds.slice(kinds.indexOf('LEFT'))).toEqual(['LEFT', 'UPDATED', 'DELETED']);
  });

  test.each<[string, object[]]>([
    ['name, backwards', [{ field: 'NAME', direction: 'DESC' }]],
    ['kind and health', [{ field: 'KIND' }, { field: 'HEALTH', direction: 'DESC' }]],
    ['state', [{ field: 'STATE', direction: 'DESC' }]],
    ['last seen', [{ field: 'LAST_SEEN', direction: 'DESC' }]],
    ['registered', [{ field: 'REGISTERED' }]],
  ])('pages of two, forward and backward, hold everything once in the order of %s', async (_name, orderBy) => {
    const whole = await names({ orderBy });
    expect(whole).toHaveLength((await list()).totalCount);
    const forward: string[] = [];
    let page = await list({ first: 2, orderBy });
    for (;;) {
      forward.push(...page.nodes.map(({ name }: { name: string }) => name));
      if (!page.pageInfo.hasNextPage) break;
      page = await list({ first: 2, after: page.pageInfo.endCursor, orderBy });
    }
    expect(forward).toEqual(whole);
    const backward: string[] = [];
    page = await list({ last: 2, orderBy });
    for (;;) {
      backward.unshift(...page.nodes.map(({ name }: { name: string }) => name));
      if (!page.pageInfo.hasPreviousPage) break;
      page = await list({ last: 2, before: page.pageInfo.startCursor, orderBy });
    }
    expect(backward).toEqual(whole);
  });

  test.each<[string, object, string]>([
    ['a cursor of another order', { after: 'MINE', orderBy: [{ field: 'KIND' }] }, 'BAD_CURSOR'],
    ['a forged cursor', { after: 'AAAA' }, 'BAD_CURSOR'],
    ['a search that cannot be read', { filter: { query: 'a OR' } }, 'BAD_QUERY'],
    ['a search for what is not', { filter: { query: 'nothing:1' } }, 'BAD_QUERY'],
    ['a huge page', { first: 101 }, 'BAD_INPUT'],
    ['four keys', { orderBy: Array(4).fill({ field: 'NAME' }) }, 'BAD_INPUT'],
    ['an id that is none', { filter: { ids: ['x'] } }, 'BAD_INPUT'],
    ['an expression that is none', { filter: { labels: [{ name: 'a', op: 'RE', value: '(' }] } }, 'BAD_INPUT'],
    ['an expression that looks back', { filter: { labels: [{ name: 'a', op: 'RE', value: '(a)\\1' }] } }, 'BAD_INPUT'],
    [
      'a very long expression',
      { filter: { labels: [{ name: 'a', op: 'RE', value: 'a'.repeat(1_001) }] } },
      'BAD_INPUT',
    ],
  ])('refuses %s', async (_name, variables, code) => {
    const { pageInfo } = await list({ first: 1 });
    const asked = {
      ...variables,
      ...('after' in variables && variables.after === 'MINE' ? { after: pageInfo.endCursor } : {}),
    };
    const { errors } = await house.ask(LIST, asked, { principal: VIEWER });
    expect(errors?.map(({ extensions }) => extensions.code)).toEqual([code]);
  });

  test('labels are read one by one, too', async () => {
    const [{ id }] = agents as [TestAgent];
    expect(await driver.agent(id, 'zone: label(name: "zone") none: label(name: "toString")')).toEqual({
      zone: 'eu',
      none: null,
    });
  });
});
