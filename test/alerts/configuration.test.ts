import { type AlertsWorld, startAlerts } from './support/house.ts';
import { agentId } from './support/small-houses.ts';

const RULE = `mutation ($input: AlertRuleInput!) {
  applyAlertRule(input: $input) {
    rule { id name version severity enabled for keepFiringFor every condition labels annotations escalationPolicy health firing lastEvaluatedAt }
    changes { op path value oldValue } userErrors { code message field } auditEntry { id }
  }
}`;
const DELETE = `mutation ($input: DeleteByNameInput!) { deleteAlertRule(input: $input) { name userErrors { code field } } }`;
const POLICY = `mutation ($input: EscalationPolicyInput!) {
  applyEscalationPolicy(input: $input) {
    policy { name version repeat steps { after contactPoints } } changes { op path } userErrors { code field message }
  }
}`;
const CONTACT = `mutation ($input: ContactPointInput!) {
  applyContactPoint(input: $input) {
    contactPoint { name version kind target } changes { op path value oldValue } userErrors { code field message }
  }
}`;
const LOGS = { logs: { filter: { minSeverity: 'ERROR' }, window: 'PT1M', above: 5, groupBy: 'SERVICE' } };

let alerts: AlertsWorld;
beforeAll(async () => {
  alerts = await startAlerts({ keepRules: true });
});
afterAll(() => alerts.stop());

const rule = async (input: object) =>
  (
    await alerts.data(RULE, {
      input: { name: 'errors', severity: 'WARNING', condition: LOGS, enabled: false, ...input },
    })
  ).applyAlertRule;
const policy = async (input: object) => (await alerts.data(POLICY, { input })).applyEscalationPolicy;
const contact = async (input: object) => (await alerts.data(CONTACT, { input })).applyContactPoint;

test('a fleet starts with rules for what any fleet fears, and a policy that tells nobody yet', async () => {
  const { alertRules, escalationPolicies, contactPoints } = await alerts.data(`{
    alertRules(first: 10) { nodes { name version enabled condition } totalCount }
    escalationPolicies { name steps { after } repeat version }
    contactPoints { name }
  }`);
  const names = alertRules.nodes.map(({ name }: { name: string }) => name);
  expect(names).toEqual(expect.arrayContaining(['agent-offline', 'agent-unhealthy', 'error-burst', 'agent-saturated']));
  expect(alertRules.totalCount).toBe(names.length);
  expect(escalationPolicies).toEqual([{ name: 'default', steps: [], repeat: 0, version: 1 }]);
  expect(contactPoints).toEqual([]);
});

test('applying a rule makes it, applying it again changes nothing, a change is a new version', async () => {
  const made = await rule({ for: 'PT10S', labels: { team: 'core' } });
  expect(made.userErrors).toEqual([]);
  expect(made.rule).toEqual({
    id: expect.any(String),
    name: 'errors',
    version: 1,
    severity: 'WARNING',
    enabled: false,
    for: 'PT10S',
    keepFiringFor: 'PT0S',
    every: 'PT5S',
    condition: LOGS,
    labels: { team: 'core' },
    annotations: {},
    escalationPolicy: null,
    health: 'OK',
    firing: 0,
    lastEvaluatedAt: null,
  });
  expect(made.changes).toEqual([
    { op: 'add', path: '', value: expect.objectContaining({ name: 'errors', for: 'PT10S' }), oldValue: null },
  ]);
  const same = await rule({ for: 'PT10S', labels: { team: 'core' } });
  expect([same.rule.version, same.changes]).toEqual([1, []]);
  const changed = await rule({ for: 'PT20S', labels: { team: 'core' } });
  expect([changed.rule.version, changed.rule.id]).toEqual([2, made.rule.id]);
  expect(changed.changes).toEqual([{ op: 'replace', path: '/for', value: 'PT20S', oldValue: 'PT10S' }]);
});

test('a dry run tells what would change and changes nothing', async () => {
  const dry = await rule({ name: 'dry', dryRun: true });
  expect([dry.rule.name, dry.rule.version, dry.changes[0].op]).toEqual(['dry', 1, 'add']);
  expect((await alerts.data('{ alertRule(name: "dry") { id } }')).alertRule).toBeNull();
});

test('an expected version that is not the one is a conflict; 0 means there must be none', async () => {
  const { rule: made } = await rule({ name: 'versioned', expectedVersion: 0 });
  expect(made.version).toBe(1);
  for (const expectedVersion of [0, 2]) {
    const { rule: none, userErrors } = await rule({ name: 'versioned', expectedVersion });
    expect([none, userErrors[0].code, userErrors[0].field]).toEqual([null, 'CONFLICT', ['expectedVersion']]);
  }
  expect((await rule({ name: 'versioned', expectedVersion: 1, severity: 'INFO' })).rule.version).toBe(2);
  const { deleteAlertRule } = await alerts.data(DELETE, { input: { name: 'versioned', expectedVersion: 1 } });
  expect(deleteAlertRule.userErrors).toEqual([{ code: 'CONFLICT', field: ['expectedVersion'] }]);
});

test('a deleted rule is gone; one that is not there is not found', async () => {
  const { rule: made } = await rule({ name: 'short-lived' });
  expect((await alerts.data(DELETE, { input: { name: 'short-lived' } })).deleteAlertRule).toEqual({
    name: 'short-lived',
    userErrors: [],
  });
  expect((await alerts.data('query ($id: ID!) { alertRule(id: $id) { id } }', { id: made.id })).alertRule).toBeNull();
  expect((await alerts.data(DELETE, { input: { name: 'short-lived' } })).deleteAlertRule).toEqual({
    name: null,
    userErrors: [{ code: 'NOT_FOUND', field: ['name'] }],
  });
});

const METRIC = { query: { metric: 'latency' } };
const inLogs = (part: object) => ({ logs: { ...LOGS.logs, ...part } });
test.each<[string, object, string[]]>([
  ['no condition', { condition: {} }, ['condition']],
  ['two conditions', { condition: { ...LOGS, presence: { presence: 'OFFLINE' } } }, ['condition']],
  ['a metric without a bound', { condition: { metric: METRIC } }, ['condition', 'metric']],
  [
    'a metric without a name',
    { condition: { metric: { query: { metric: '' }, above: 1 } } },
    ['condition', 'metric', 'query', 'metric'],
  ],
  [
    'a metric in a fixed range',
    { condition: { metric: { query: { metric: 'm', range: { from: '2026-01-01T00:00:00Z' } }, above: 1 } } },
    ['condition', 'metric', 'query', 'range'],
  ],
  [
    'topK 0',
    { condition: { metric: { query: { metric: 'm', topK: 0 }, above: 1 } } },
    ['condition', 'metric', 'query', 'topK'],
  ],
  [
    'a label pattern that is none',
    { condition: { metric: { query: { metric: 'm', labels: [{ name: 'a', op: 'RE', value: '(' }] }, above: 1 } } },
    ['condition', 'metric', 'query', 'labels'],
  ],
  ['a window too short', { condition: inLogs({ window: 'PT0.5S' }) }, ['condition', 'logs', 'window']],
  ['a count below 0', { condition: inLogs({ above: -1 }) }, ['condition', 'logs', 'above']],
  [
    'logs in a range',
    { condition: inLogs({ filter: { range: { last: 'PT1M' } } }) },
    ['condition', 'logs', 'filter', 'range'],
  ],
  [
    'an agent that is none',
    { condition: inLogs({ filter: { agentIds: ['x'] } }) },
    ['condition', 'logs', 'filter', 'agentIds'],
  ],
  ['health below 0', { condition: { health: { below: 0 } } }, ['condition', 'health', 'below']],
  ['a policy that is not there', { escalationPolicy: 'nobody' }, ['escalationPolicy']],
  ['evaluation without a pause', { every: 'PT0S' }, ['every']],
  ['a `for` too long', { for: 'P8D' }, ['for']],
  ['an empty name', { name: '' }, ['name']],
])('a rule with %s is refused', async (_, input, field) => {
  const { rule: none, userErrors, changes } = await rule(input);
  expect([none, changes, userErrors]).toEqual([null, [], [{ code: 'BAD_INPUT', field, message: expect.any(String) }]]);
});

test('conditions of each kind are kept as they were given', async () => {
  const conditions = [
    {
      metric: {
        query: { metric: 'latency', labels: [{ name: 'a', op: 'RE', value: 'x.*' }], maxPoints: 300, overTime: 'P95' },
        above: 1.5,
        below: -1,
      },
    },
    { logs: { filter: { agentIds: [agentId(1)] }, window: 'PT10S', above: 0 } },
    { presence: { presence: 'SUSPECT', kinds: ['writer'] } },
    { health: { below: 100 } },
  ];
  for (const condition of conditions)
    expect((await rule({ name: 'kept', condition })).rule.condition).toEqual(condition);
});

test('a contact point keeps its secret to itself, and the one it has when none is given', async () => {
  const target = 'https://hooks.example/in';
  const made = await contact({ name: 'hooks', kind: 'WEBHOOK', target, secret: 'first secret' });
  expect(made.contactPoint).toEqual({ name: 'hooks', version: 1, kind: 'WEBHOOK', target });
  const moved = await contact({ name: 'hooks', kind: 'WEBHOOK', target: `${target}/2` });
  expect(moved.changes).toEqual([{ op: 'replace', path: '/target', value: `${target}/2`, oldValue: target }]);
  const same = await contact({ name: 'hooks', kind: 'WEBHOOK', target: `${target}/2`, secret: 'first secret' });
  expect([same.contactPoint.version, same.changes]).toEqual([2, []]);
  const turned = await contact({
    name: 'hooks',
    kind: 'WEBHOOK',
    target: `${target}/2`,
    secret: 'second secret',
    clientMutationId: 'turn',
  });
  expect(turned.changes).toEqual([{ op: 'replace', path: '/secret', value: null, oldValue: null }]);
  const reused = await contact({
    name: 'hooks',
    kind: 'WEBHOOK',
    target: `${target}/2`,
    secret: 'third secret',
    clientMutationId: 'turn',
  });
  expect(reused.userErrors[0].code).toBe('IDEMPOTENCY_KEY_REUSED');
  const { database } = alerts.house.runtime;
  const kept = JSON.stringify([
    await database.query('select * from contact_point'),
    await database.query('select * from idempotency'),
    await database.query('select * from audit_outbox'),
  ]);
  expect(kept).not.toMatch(/(first|second|third) secret/);
});

test('a secret that a contact point gets later is told as added', async () => {
  await contact({ name: 'late', kind: 'WEBHOOK', target: 'https://hooks.example/late' });
  const { changes } = await contact({
    name: 'late',
    kind: 'WEBHOOK',
    target: 'https://hooks.example/late',
    secret: 's',
  });
  expect(changes).toEqual([{ op: 'add', path: '/secret', value: null, oldValue: null }]);
});

test.each<[string, object, string[]]>([
  ['an email address', { kind: 'EMAIL', target: 'mailto:a@example.com' }, ['kind']],
  ['no address', { kind: 'WEBHOOK', target: 'nowhere' }, ['target']],
  ['another protocol', { kind: 'WEBHOOK', target: 'ftp://example.com' }, ['target']],
  ['a password in its target', { kind: 'WEBHOOK', target: 'https://a:b@example.com' }, ['target']],
  ['an empty secret', { kind: 'WEBHOOK', target: 'https://example.com', secret: '' }, ['secret']],
  ['Slack with a secret', { kind: 'SLACK', target: 'https://hooks.slack.example/', secret: 's' }, ['secret']],
  [
    'PagerDuty without a routing key',
    { kind: 'PAGERDUTY', target: 'https://events.pagerduty.com/v2/enqueue' },
    ['secret'],
  ],
])('a contact point with %s is refused', async (_, input, field) => {
  const { contactPoint, userErrors } = await contact({ name: 'bad', ...input });
  expect([contactPoint, userErrors]).toEqual([null, [{ code: 'BAD_INPUT', field, message: expect.any(String) }]]);
});

test('a policy is applied whole, with steps that name contact points there are', async () => {
  await contact({ name: 'chat', kind: 'SLACK', target: 'https://hooks.slack.example/x' });
  const steps = [
    { after: 'PT0S', contactPoints: ['chat', 'chat'] },
    { after: 'PT5M', contactPoints: [] },
  ];
  const made = await policy({ name: 'team', steps, repeat: 2 });
  expect(made.policy).toEqual({
    name: 'team',
    version: 1,
    repeat: 2,
    steps: [
      { after: 'PT0S', contactPoints: ['chat'] },
      { after: 'PT5M', contactPoints: [] },
    ],
  });
  expect((await policy({ name: 'team', steps, repeat: 2 })).changes).toEqual([]);
  expect((await policy({ name: 'team', steps, repeat: 1, expectedVersion: 1 })).policy.version).toBe(2);
  const dry = await policy({ name: 'team', steps: [], dryRun: true });
  expect([dry.policy.version, dry.policy.steps]).toEqual([3, []]);
  const { escalationPolicies } = await alerts.data('{ escalationPolicies { name version } }');
  expect(escalationPolicies).toContainEqual({ name: 'team', version: 2 });
  expect((await rule({ name: 'with-policy', escalationPolicy: 'team' })).rule.escalationPolicy).toBe('team');
});

const step = (part: object) => [{ after: 'PT0S', contactPoints: [], ...part }];
test.each<[string, object, string[]]>([
  [
    'a contact point that is not there',
    { steps: step({ contactPoints: ['nobody'] }) },
    ['steps', '0', 'contactPoints'],
  ],
  [
    'too many contact points',
    { steps: step({ contactPoints: Array(21).fill('chat') }) },
    ['steps', '0', 'contactPoints'],
  ],
  ['a pause too long', { steps: step({ after: 'P8D' }) }, ['steps', '0', 'after']],
  ['too many steps', { steps: Array.from({ length: 21 }, () => step({})[0]) }, ['steps']],
  ['too many rounds', { steps: [], repeat: 11 }, ['repeat']],
])('a policy with %s is refused', async (_, input, field) => {
  const { policy: none, userErrors } = await policy({ name: 'bad', ...input });
  expect([none, userErrors]).toEqual([null, [{ code: 'BAD_INPUT', field, message: expect.any(String) }]]);
});

test('a dry run of a contact point shows it without keeping it', async () => {
  const dry = await contact({
    name: 'dry',
    kind: 'WEBHOOK',
    target: 'https://example.com/',
    secret: 's',
    dryRun: true,
  });
  expect(dry.contactPoint).toEqual({ name: 'dry', version: 1, kind: 'WEBHOOK', target: 'https://example.com/' });
  expect((await alerts.data('{ contactPoints { name } }')).contactPoints).not.toContainEqual({ name: 'dry' });
});

test('every field of this house has an access rule', () => {
  const { runtime, subgraph } = alerts.house;
  const bare = Object.values(subgraph.schema.getTypeMap()).flatMap((type) => {
    if (!('getFields' in type) || !('getInterfaces' in type) || 'resolveType' in type || type.name.startsWith('_'))
      return [];
    return Object.keys(type.getFields())
      .map((field) => `${type.name}.${field}`)
      .filter((name) => !name.includes('._') && !runtime.access[name] && !runtime.access[type.name]);
  });
  expect(bare.filter((name) => !/^(Agent|Trace|AuditEntry)\./.test(name))).toEqual([]);
});
