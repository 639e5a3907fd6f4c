import type { AnyShape } from '../support/house.ts';
import { until } from '../support/until.ts';
import { type AlertsWorld, startAlerts } from './support/house.ts';
import { agentId, anAgent } from './support/small-houses.ts';
import { subscribe } from './support/stream.ts';

const APPLY = `mutation ($input: AlertRuleInput!) { applyAlertRule(input: $input) { rule { id } userErrors { message } } }`;
const LIST = `query ($filter: AlertFilter) {
  alerts(filter: $filter) {
    nodes { id state severity labels value agent { id } trace { traceId } resolvedBy { id kind } annotations rule { name firing }
      why { summary threshold ruleVersion samples { time value } } }
  }
}`;
const CHANGES = `subscription ($filter: AlertFilter, $after: String) {
  alertChanged(filter: $filter, after: $after) { cursor kind node { id state name value severity } previous }
}`;

let alerts: AlertsWorld;
beforeEach(async () => {
  alerts = await startAlerts();
});
afterEach(() => alerts.stop());

async function apply(input: object): Promise<void> {
  const { applyAlertRule } = await alerts.data(APPLY, { input: { severity: 'WARNING', every: 'PT1S', ...input } });
  expect(applyAlertRule.userErrors).toEqual([]);
}

async function list(filter: object = {}): Promise<AnyShape[]> {
  return (await alerts.data(LIST, { filter })).alerts.nodes;
}

/** Waits until alerts look so, putting the clock forward a second at a time. */
async function eventually(holds: (nodes: AnyShape[]) => boolean, filter: object = {}): Promise<AnyShape[]> {
  return await until(async () => {
    const nodes = await list(filter);
    if (holds(nodes)) return nodes;
    alerts.clock.advance(1_000);
    return undefined;
  });
}

async function health(name: string): Promise<AnyShape> {
  return (
    await alerts.data(
      'query ($name: String) { alertRule(name: $name) { health healthReason lastEvaluatedAt firing } }',
      { name },
    )
  ).alertRule;
}

test('each agent that is away is an alert of its own; one that was asked to stop is none; all are found page by page', async () => {
  const away = [1, 2, 3, 4, 5].map((number) => anAgent(number, { presence: 'OFFLINE' }));
  alerts.world.agents = [
    ...away,
    anAgent(6),
    anAgent(7, { presence: 'OFFLINE', desiredState: 'STOPPED' }),
    anAgent(8, { presence: 'OFFLINE', state: 'REGISTERED' }),
  ];
  await apply({
    name: 'away',
    severity: 'CRITICAL',
    condition: { presence: { presence: 'OFFLINE', kinds: ['writer'] } },
    labels: { team: 'core' },
  });
  const nodes = await eventually((found) => found.length === 5);
  expect(new Set(nodes.map(({ agent }) => agent.id))).toEqual(new Set([1, 2, 3, 4, 5].map(agentId)));
  expect(nodes.find(({ agent }) => agent.id === agentId(1))).toMatchObject({
    state: 'FIRING',
    severity: 'CRITICAL',
    labels: { agent: 'agent-1', kind: 'writer', team: 'core' },
    value: null,
    rule: { name: 'away', firing: 5 },
    why: { summary: 'agent-1 is OFFLINE.', threshold: null, ruleVersion: 1, samples: [] },
  });
  alerts.world.agents = [anAgent(1)];
  const resolved = await eventually((found) => found.every(({ state }) => state === 'RESOLVED'));
  expect(resolved[0].resolvedBy).toEqual({ id: 'system:alerts', kind: 'SYSTEM' });
});

test('an alert waits for `for`, recovers for `keepFiringFor`, and streams tell each change once', async () => {
  alerts.world.agents = [anAgent(1, { health: { score: 40 } })];
  const stream = await subscribe(alerts.house, CHANGES, { filter: { names: ['unwell'] } });
  await apply({ name: 'unwell', condition: { health: { below: 50 } }, for: 'PT5S', keepFiringFor: 'PT5S' });
  await eventually(([alert]) => alert?.state === 'PENDING');
  const [fired] = await eventually(([alert]) => alert?.state === 'FIRING');
  expect(fired).toMatchObject({ value: 40, why: { summary: 'The health of agent-1 is 40, below 50.', threshold: 50 } });
  expect(fired.why.samples.length).toBeGreaterThan(1);
  alerts.world.agents = [anAgent(1)];
  await eventually(([alert]) => alert?.state === 'RECOVERING');
  alerts.world.agents = [anAgent(1, { health: { score: 30 } })];
  await eventually(([alert]) => alert?.state === 'FIRING' && alert.value === 30);
  alerts.world.agents = [];
  await eventually(([alert]) => alert?.state === 'RESOLVED');
  await until(() => stream.seen.at(-1)?.data.alertChanged.node.state === 'RESOLVED');
  const told = stream.seen.map(
    ({ data: { alertChanged } }) => `${alertChanged.kind} ${alertChanged.node.state} ${alertChanged.node.value}`,
  );
  expect(told).toEqual([
    'CREATED PENDING 40',
    'UPDATED FIRING 40',
    'UPDATED RECOVERING 40',
    'UPDATED FIRING 30',
    'UPDATED RECOVERING 30',
    'UPDATED RESOLVED 30',
  ]);
  const resumed = await subscribe(alerts.house, CHANGES, { after: stream.seen[3].data.alertChanged.cursor });
  await until(() => resumed.seen.length === 2);
  expect(resumed.seen).toEqual(stream.seen.slice(4));
  stream.close();
  resumed.close();
});

test('a filtered stream tells once when an alert leaves the filter', async () => {
  alerts.world.agents = [anAgent(1, { presence: 'OFFLINE' })];
  const stream = await subscribe(alerts.house, CHANGES, { filter: { states: ['FIRING'], query: 'agent:agent-1' } });
  await apply({ name: 'away', condition: { presence: { presence: 'OFFLINE' } } });
  await until(() => stream.seen.length === 1);
  alerts.world.agents = [];
  await eventually(([alert]) => alert?.state === 'RESOLVED');
  await until(() => stream.seen.length === 2);
  expect(stream.seen.map(({ data }) => data.alertChanged.kind)).toEqual(['CREATED', 'LEFT']);
  expect(stream.seen[1].data.alertChanged.previous).toMatchObject({ state: 'FIRING', name: 'away' });
  stream.close();
});

test('log entries are counted by group, named, and shown by the trace of the newest', async () => {
  alerts.world.agents = [anAgent(1)];
  alerts.world.logs = [
    { group: agentId(1), count: 7 },
    { group: agentId(1), count: 5 },
    { group: agentId(2), count: 11 },
    { group: agentId(3), count: 10 },
    { group: null, count: 500 },
  ];
  alerts.world.traceId = 'cd'.repeat(16);
  await apply({
    name: 'errors',
    condition: { logs: { filter: { minSeverity: 'ERROR' }, window: 'PT1M', above: 10, groupBy: 'AGENT' } },
  });
  const nodes = await eventually((found) => found.length === 2);
  expect(nodes.find(({ agent }) => agent.id === agentId(1))).toMatchObject({
    labels: { agent: 'agent-1' },
    value: 12,
    trace: { traceId: 'cd'.repeat(16) },
    why: {
      summary: '12 log entries of agent-1 within PT1M, more than 10.',
      threshold: 10,
      samples: expect.arrayContaining([expect.objectContaining({ value: 12 })]),
    },
  });
  expect(nodes.find(({ agent }) => agent.id === agentId(2)).labels).toEqual({ agent: agentId(2) });
  expect(alerts.world.asked.find(({ house }) => house === 'logs')?.variables).toMatchObject({
    filter: { minSeverity: 'ERROR', range: { last: 'PT1M' } },
    groupBy: 'AGENT',
  });
});

test('log entries are also counted by service, by severity, and all together', async () => {
  alerts.world.logs = [{ group: 'ERROR', count: 3 }];
  const logs = { filter: {}, window: 'PT1M', above: 1 };
  await apply({ name: 'by severity', condition: { logs: { ...logs, groupBy: 'SEVERITY' } } });
  await apply({ name: 'by service', condition: { logs: { ...logs, groupBy: 'SERVICE' } } });
  await apply({ name: 'together', condition: { logs } });
  const nodes = await eventually((found) => found.length === 3);
  const labels = Object.fromEntries(nodes.map(({ rule, labels: own, why }) => [rule.name, [own, why.summary]]));
  expect(labels).toEqual({
    'by severity': [{ severity: 'ERROR' }, '3 log entries of ERROR within PT1M, more than 1.'],
    'by service': [{ service: 'ERROR' }, '3 log entries of ERROR within PT1M, more than 1.'],
    together: [{}, '3 log entries within PT1M, more than 1.'],
  });
});

test('each series that leaves its bounds is an alert; its agent is found by id or by name; no values are NO_DATA', async () => {
  alerts.world.agents = [anAgent(1), anAgent(2)];
  alerts.world.series = [
    { labels: { agent: 'agent-1' }, times: [1_000, 2_000, 3_000], values: [1, 9, null] },
    { labels: { agentId: agentId(2), route: 'a' }, times: [1_000], values: [-3] },
    { labels: { host: 'h' }, times: [1_000], values: [20] },
    { labels: { agent: 'fine' }, times: [1_000], values: [4] },
    { labels: { agent: 'silent' }, times: [1_000], values: [null] },
  ];
  await apply({ name: 'latency', condition: { metric: { query: { metric: 'latency' }, above: 5, below: 0 } } });
  const nodes = await eventually((found) => found.length === 3);
  const by = (label: string) => nodes.find(({ labels }) => labels[label]);
  expect(nodes.find(({ agent }) => agent?.id === agentId(1))).toMatchObject({
    value: 9,
    why: {
      summary: 'latency of agent-1 is 9, above 5.',
      threshold: 5,
      samples: [
        { time: '1970-01-01T00:00:01.000Z', value: 1 },
        { time: '1970-01-01T00:00:02.000Z', value: 9 },
      ],
    },
  });
  expect(by('route')).toMatchObject({
    labels: { agent: 'agent-2', route: 'a' },
    agent: { id: agentId(2) },
    why: { threshold: 0 },
  });
  expect(by('host')).toMatchObject({ agent: null, value: 20 });
  expect((await health('latency')).health).toBe('OK');
  alerts.world.warnings = ['only 4 series are shown'];
  await until(async () => {
    alerts.clock.advance(1_000);
    return (await health('latency')).healthReason === 'only 4 series are shown';
  });
  expect((await list()).map(({ state }) => state)).toEqual(['FIRING', 'FIRING', 'FIRING']);
  alerts.world.series = [];
  await eventually((found) => found.every(({ state }) => state === 'RESOLVED'));
  expect(await health('latency')).toMatchObject({ health: 'NO_DATA', healthReason: expect.any(String) });
});

test('a house that is away resolves nothing, shows in the rule’s health, and stops no other rule', async () => {
  alerts.world.agents = [anAgent(1, { presence: 'OFFLINE' })];
  alerts.world.logs = [{ group: null, count: 3 }];
  await apply({ name: 'away', condition: { presence: { presence: 'OFFLINE' } } });
  await eventually((found) => found.length === 1);
  await alerts.houses.leave('agents');
  await apply({ name: 'errors', condition: { logs: { filter: {}, window: 'PT1M', above: 1 } } });
  await eventually((found) => found.length === 2);
  await until(async () => (await health('away')).health === 'ERROR');
  expect(await health('away')).toMatchObject({ healthReason: 'agents cannot be reached', firing: 1 });
  expect((await health('errors')).health).toBe('OK');
});

test('what the platform did by itself is audited', async () => {
  alerts.world.agents = [anAgent(1, { presence: 'OFFLINE' })];
  await apply({ name: 'away', condition: { presence: { presence: 'OFFLINE' } } });
  await eventually((found) => found.length === 1);
  alerts.world.agents = [];
  const [alert] = await eventually(([first]) => first?.state === 'RESOLVED');
  const rows: { entry: AnyShape }[] = await alerts.house.runtime.database.query(
    `select entry from audit_outbox where entry ->> 'action' like 'alert.%' order by seq`,
  );
  expect(rows.map(({ entry }) => [entry.action, entry.actor.kind, entry.targetType, entry.targetId])).toEqual([
    ['alert.fired', 'SYSTEM', 'Alert', alert.id],
    ['alert.resolved', 'SYSTEM', 'Alert', alert.id],
  ]);
});

test('an alert resolved by hand stays so while its condition holds, and fires anew once it was clear', async () => {
  alerts.world.agents = [anAgent(1, { presence: 'OFFLINE' })];
  await apply({ name: 'away', condition: { presence: { presence: 'OFFLINE' } } });
  const [first] = await eventually((found) => found.length === 1);
  await alerts.data('mutation ($id: ID!) { resolveAlert(input: { id: $id }) { alert { id } } }', { id: first.id });
  const evaluated = (await health('away')).lastEvaluatedAt;
  await until(async () => {
    alerts.clock.advance(1_000);
    return (await health('away')).lastEvaluatedAt > evaluated;
  });
  expect((await list()).map(({ state }) => state)).toEqual(['RESOLVED']);
  alerts.world.agents = [];
  await until(async () => {
    const [{ held }] = await alerts.house.runtime.database.query('select held from alert');
    if (held) alerts.clock.advance(1_000);
    return !held;
  });
  alerts.world.agents = [anAgent(1, { presence: 'OFFLINE' })];
  const nodes = await eventually((found) => found.length === 2);
  expect(nodes.map(({ state }) => state)).toEqual(['FIRING', 'RESOLVED']);
});

test('switching a rule off and deleting it resolve its alerts by whoever did', async () => {
  alerts.world.agents = [anAgent(1, { presence: 'OFFLINE' })];
  const condition = { presence: { presence: 'OFFLINE' } };
  await apply({ name: 'away', condition });
  await eventually((found) => found.length === 1);
  await apply({ name: 'away', condition, enabled: false });
  expect((await list())[0]).toMatchObject({ state: 'RESOLVED', resolvedBy: { id: 'admin' } });
  await apply({ name: 'away', condition, severity: 'INFO' });
  await eventually((found) => found.length === 2);
  const stream = await subscribe(alerts.house, CHANGES);
  await alerts.data('mutation { deleteAlertRule(input: { name: "away" }) { name } }');
  await until(() => stream.seen.at(-1)?.data.alertChanged.node.state === 'RESOLVED');
  expect(stream.seen.at(-1).data.alertChanged.kind).toBe('UPDATED');
  expect((await list()).map(({ state, rule }) => [state, rule])).toEqual([
    ['RESOLVED', null],
    ['RESOLVED', null],
  ]);
  stream.close();
});

test('a changed rule shows in its open alerts', async () => {
  alerts.world.agents = [anAgent(1, { presence: 'OFFLINE' })];
  const condition = { presence: { presence: 'OFFLINE' } };
  await apply({ name: 'away', condition });
  await eventually((found) => found.length === 1);
  await apply({ name: 'away', condition, severity: 'CRITICAL', annotations: { runbook: 'https://example.com' } });
  await eventually(([alert]) => alert?.severity === 'CRITICAL' && alert.annotations.runbook === 'https://example.com');
});
