import type { AlertFilter } from '../../subgraphs/alerts/entity/inputs.ts';
import type { AlertSnapshot } from '../../subgraphs/alerts/entity/snapshot.ts';
import { matcherOf } from '../../subgraphs/alerts/service/filter.ts';
import type { AnyShape } from '../support/house.ts';
import { type AlertsWorld, startAlerts } from './support/house.ts';
import { agentId } from './support/small-houses.ts';

const RAISE = `mutation ($input: RaiseAlertInput!) { raiseAlert(input: $input) { alert { id } userErrors { message } } }`;
const NAMES = `query ($filter: AlertFilter, $first: Int, $after: String, $last: Int, $before: String) {
  alerts(filter: $filter, first: $first, after: $after, last: $last, before: $before) {
    edges { cursor node { name } } nodes { name } totalCount changeCursor
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}`;

let alerts: AlertsWorld;
const ids: string[] = [];

beforeAll(async () => {
  alerts = await startAlerts();
  const given = [
    {
      name: 'disk full',
      severity: 'CRITICAL',
      labels: { env: 'prod', agent: 'agent-1', shards: '12' },
      agentId: agentId(1),
      value: 97,
    },
    {
      name: 'slow',
      severity: 'WARNING',
      labels: { env: 'test', shards: 'many' },
      agentId: agentId(1),
      value: 2.5,
      annotations: { summary: 'Checkout-service is slow' },
    },
    { name: 'odd', severity: 'INFO', annotations: { traceId: 'ab'.repeat(16) } },
    { name: 'disk slow', severity: 'WARNING', agentId: agentId(2), labels: { env: 'prod-2', shards: '3' } },
    { name: 'done', severity: 'INFO', labels: { env: '' } },
  ];
  for (const input of given) ids.push((await alerts.data(RAISE, { input })).raiseAlert.alert.id);
  await alerts.data('mutation ($id: ID!) { acknowledgeAlert(input: { id: $id }) { alert { id } } }', { id: ids[1] });
  await alerts.data('mutation ($id: ID!) { resolveAlert(input: { id: $id }) { alert { id } } }', { id: ids[4] });
});
afterAll(() => alerts.stop());

const ALL = ['done', 'disk slow', 'odd', 'slow', 'disk full'];

test('alerts come newest first, in pages either way, with a count and a cursor of now', async () => {
  const first = (await alerts.data(NAMES, { first: 2 })).alerts;
  expect(first.nodes.map(({ name }: AnyShape) => name)).toEqual(ALL.slice(0, 2));
  expect([first.totalCount, first.pageInfo.hasNextPage, first.pageInfo.hasPreviousPage]).toEqual([5, true, false]);
  const second = (await alerts.data(NAMES, { first: 10, after: first.pageInfo.endCursor })).alerts;
  expect(second.nodes.map(({ name }: AnyShape) => name)).toEqual(ALL.slice(2));
  const last = (await alerts.data(NAMES, { last: 2 })).alerts;
  expect(last.nodes.map(({ name }: AnyShape) => name)).toEqual(ALL.slice(3));
  const back = (await alerts.data(NAMES, { last: 2, before: last.pageInfo.startCursor })).alerts;
  expect(back.nodes.map(({ name }: AnyShape) => name)).toEqual(ALL.slice(1, 3));
  expect(first.changeCursor).toEqual(expect.any(String));
});

test.each([
  [{ first: 0 }, 'BAD_INPUT'],
  [{ first: 1, last: 1 }, 'BAD_INPUT'],
  [{ after: 'forged' }, 'BAD_CURSOR'],
  [{ filter: { query: 'nonsense:1' } }, 'BAD_QUERY'],
  [{ filter: { query: '(' } }, 'BAD_QUERY'],
  [{ filter: { labels: [{ name: 'a', op: 'RE', value: '(' }] } }, 'BAD_INPUT'],
])('%j is refused with %s', async (variables, code) => {
  const answer = await alerts.house.ask(NAMES, variables);
  expect([answer.data?.alerts, answer.errors?.[0]?.extensions.code]).toEqual([null, code]);
});

const FILTERS: [filter: AlertFilter, names: string[]][] = [
  [{}, ALL],
  [{ states: ['RESOLVED'] as never }, ['done']],
  [{ severities: ['INFO', 'CRITICAL'] as never }, ['done', 'odd', 'disk full']],
  [{ acknowledged: true }, ['slow']],
  [{ acknowledged: false }, ['done', 'disk slow', 'odd', 'disk full']],
  [{ names: ['odd', 'slow'] }, ['odd', 'slow']],
  [{ names: [] }, []],
  [{ agentIds: [agentId(1)] }, ['slow', 'disk full']],
  [{ rules: ['none'] }, []],
  [{ labels: [{ name: 'env', op: 'EQ' as never, value: 'prod' }] }, ['disk full']],
  [{ labels: [{ name: 'env', op: 'NE' as never, value: 'prod' }] }, ['done', 'disk slow', 'odd', 'slow']],
  [{ labels: [{ name: 'env', op: 'RE' as never, value: 'prod|test' }] }, ['slow', 'disk full']],
  [{ labels: [{ name: 'env', op: 'NRE' as never, value: 'prod.*' }] }, ['done', 'odd', 'slow']],
  [{ labels: [{ name: 'env', op: 'EQ' as never, value: '' }] }, ['done', 'odd']],
  [{ range: { last: 'PT1H' } }, ALL],
  [{ range: { from: new Date('2000-01-01T00:00:00Z'), to: new Date('2001-01-01T00:00:00Z') } }, []],
  [{ query: 'disk' }, ['disk slow', 'disk full']],
  [{ query: '"disk slow"' }, ['disk slow']],
  [{ query: 'checkout service' }, ['slow']],
  [{ query: 'check' }, []],
  [{ query: 'check*' }, ['slow']],
  [{ query: '-disk -slow' }, ['done', 'odd']],
  [{ query: 'full OR odd' }, ['odd', 'disk full']],
  [{ query: 'severity>=warning' }, ['disk slow', 'slow', 'disk full']],
  [{ query: 'severity:Info -state:resolved' }, ['odd']],
  [{ query: 'name:"disk slow"' }, ['disk slow']],
  [{ query: 'name:dis*' }, ['disk slow', 'disk full']],
  [{ query: 'agent:agent-1' }, ['disk full']],
  [{ query: `agent:${agentId(2)}` }, ['disk slow']],
  [{ query: 'value>2 value<=2.5' }, ['slow']],
  [{ query: 'value:97' }, ['disk full']],
  [{ query: '-value>2' }, ['done', 'disk slow', 'odd']],
  [{ query: 'labels.env:prod' }, ['disk full']],
  [{ query: 'labels.env:prod*' }, ['disk slow', 'disk full']],
  [{ query: 'labels.shards>=3' }, ['disk slow', 'disk full']],
  [{ query: 'labels.shards:*' }, ['disk slow', 'slow', 'disk full']],
  [{ query: `traceId:${'ab'.repeat(16)}` }, ['odd']],
  [{ query: 'startedAt>2001-01-01 startedAt<2100-01-01T00:00:00Z' }, ALL],
  [{ query: '/disk (slow|full)/' }, ['disk slow', 'disk full']],
  [{ query: '/^Disk/' }, []],
  [{ query: '/(?i)^DISK\\b/' }, ['disk slow', 'disk full']],
  [{ query: '/Checkout-s.*slow$/' }, ['slow']],
  [{ query: 'name:/^d.*w$/' }, ['disk slow']],
  [{ query: '-name:/o/' }, ['disk full']],
  [{ query: 'labels.env:/^prod-\\d/' }, ['disk slow']],
  [{ query: '-labels.shards:/^\\d+$/ agent:/./' }, ['slow']],
  [{ query: '  ' }, ALL],
];

test.each(FILTERS)('%j finds the same in lists and in streams', async (filter, names) => {
  const { nodes, totalCount } = (await alerts.data(NAMES, { filter })).alerts;
  expect([nodes.map(({ name }: AnyShape) => name), totalCount]).toEqual([names, names.length]);
  const rows: { node: AlertSnapshot }[] = await alerts.house.runtime.database.query(
    `select distinct on (entity_id) node, seq from event where type = 'Alert' order by entity_id, seq desc`,
  );
  const found = rows.map(({ node }) => node).filter(matcherOf(filter, alerts.clock));
  expect(found.map(({ name }) => name).sort()).toEqual([...names].sort());
});

test('a log entry has the alerts about its agent that fired when it was written', async () => {
  const entity = `query ($r: [_Any!]!, $first: Int) { _entities(representations: $r) { ... on LogEntry { alerts(first: $first) { name } } } }`;
  const { alert } = await alerts.data('query ($id: ID) { alert(id: $id) { firedAt } }', { id: ids[0] });
  const entry = (atMs: number, agent: number | null) => ({
    __typename: 'LogEntry',
    id: `entry-${atMs}-${agent}`,
    time: new Date(atMs).toISOString(),
    agent: agent === null ? null : { __typename: 'Agent', id: agentId(agent) },
  });
  const firedMs = Date.parse(alert.firedAt);
  const laterMs = alerts.clock.nowMs() + 60_000;
  const r = [entry(laterMs, 1), entry(laterMs, 2), entry(laterMs, null), entry(firedMs - 60_000, 1), entry(firedMs, 1)];
  const { _entities } = await alerts.data(entity, { r });
  expect(_entities.map((each: AnyShape) => each.alerts.map(({ name }: AnyShape) => name)).slice(0, 4)).toEqual([
    ['slow', 'disk full'],
    ['disk slow'],
    [],
    [],
  ]);
  expect(_entities[4].alerts).toContainEqual({ name: 'disk full' });
  const one = await alerts.data(entity, { r: [entry(laterMs, 1)], first: 1 });
  expect(one._entities).toEqual([{ alerts: [{ name: 'slow' }] }]);
  const none = await alerts.house.ask(entity, { r: [entry(laterMs, 1)], first: 0 });
  expect(none.errors?.[0]?.extensions.code).toBe('BAD_INPUT');
});

test('one alert is found by id, by fingerprint, and as an entity; not by both or neither', async () => {
  const { alert } = await alerts.data('query ($id: ID) { alert(id: $id) { name fingerprint } }', { id: ids[0] });
  expect(alert.name).toBe('disk full');
  const again = await alerts.data(
    'query ($fingerprint: String) { alert(fingerprint: $fingerprint) { id label(name: "toString") } }',
    alert,
  );
  expect(again.alert).toEqual({ id: ids[0], label: null });
  expect((await alerts.data('{ alert(fingerprint: "none") { id } }')).alert).toBeNull();
  expect((await alerts.data('{ alert(id: "none") { id } }')).alert).toBeNull();
  expect((await alerts.data('{ alertRule(id: "none") { id } }')).alertRule).toBeNull();
  for (const query of ['{ alert { id } }', '{ alert(id: "a", fingerprint: "b") { id } }', '{ alertRule { id } }']) {
    expect((await alerts.house.ask(query)).errors?.[0]?.extensions.code).toBe('BAD_INPUT');
  }
  const { _entities } = await alerts.data(
    'query ($all: [_Any!]!) { _entities(representations: $all) { ... on Alert { name } ... on AlertRule { name } } }',
    {
      all: [
        { __typename: 'Alert', id: ids[2] },
        { __typename: 'Alert', id: agentId(9) },
        { __typename: 'AlertRule', id: agentId(9) },
      ],
    },
  );
  expect(_entities).toEqual([{ name: 'odd' }, null, null]);
});

test('alerts of many agents are read by one statement each for pages and counts', async () => {
  const query = `query ($all: [_Any!]!) { _entities(representations: $all) { ... on Agent { id
    alerts(first: 1, filter: { severities: [WARNING, CRITICAL] }) { nodes { name } totalCount pageInfo { hasNextPage } changeCursor } } } }`;
  const all = [1, 2, 3].map((number) => ({ __typename: 'Agent', id: agentId(number) }));
  const { _entities } = await alerts.data(query, { all });
  expect(
    _entities.map(({ alerts: page }: AnyShape) => [
      page.nodes.map(({ name }: AnyShape) => name),
      page.totalCount,
      page.pageInfo.hasNextPage,
    ]),
  ).toEqual([
    [['slow'], 2, true],
    [['disk slow'], 1, false],
    [[], 0, false],
  ]);
});

test('rules come newest first, in pages', async () => {
  const apply = `mutation ($name: String!) { applyAlertRule(input: { name: $name, severity: INFO, enabled: false, condition: { health: { below: 10 } } }) { rule { id } } }`;
  for (const name of ['a', 'b', 'c']) {
    await alerts.data(apply, { name });
    alerts.clock.advance(10);
  }
  const query = `query ($first: Int, $after: String) { alertRules(first: $first, after: $after) { nodes { name } totalCount pageInfo { endCursor hasNextPage } } }`;
  const first = (await alerts.data(query, { first: 2 })).alertRules;
  expect([first.nodes, first.totalCount, first.pageInfo.hasNextPage]).toEqual([
    [{ name: 'c' }, { name: 'b' }],
    3,
    true,
  ]);
  expect((await alerts.data(query, { after: first.pageInfo.endCursor })).alertRules.nodes).toEqual([{ name: 'a' }]);
});
