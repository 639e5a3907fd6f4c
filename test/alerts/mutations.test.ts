import type { Principal } from '../../lib/call/principal.ts';
import { type AlertsWorld, startAlerts } from './support/house.ts';
import { agentId } from './support/small-houses.ts';

const RAISE = `mutation ($input: RaiseAlertInput!) {
  raiseAlert(input: $input) {
    alert { id name state severity value label(name: "env") agent { id } trace { traceId } startedAt firedAt fingerprint
      why { summary ruleVersion samples { value } threshold links } escalation { policy step nextAt } notifications { id } rule { id } }
    userErrors { code message field } auditEntry { id }
  }
}`;
const ACKNOWLEDGE = `mutation ($input: AlertActionInput!) {
  acknowledgeAlert(input: $input) {
    alert { id state acknowledgement { at until note by { id kind name } } } userErrors { code field } auditEntry { id }
  }
}`;
const RESOLVE = `mutation ($input: AlertActionInput!) {
  resolveAlert(input: $input) { alert { id state resolvedAt resolvedBy { id } } userErrors { code field } }
}`;
const AGENT: Principal = { id: agentId(1), agentId: agentId(1), kind: 'AGENT', name: 'agent-1', scopes: ['agent'] };
const VIEWER: Principal = { id: 'key-1', kind: 'SCRIPT', name: 'reader', scopes: ['viewer'] };

let alerts: AlertsWorld;
beforeAll(async () => {
  alerts = await startAlerts();
});
afterAll(() => alerts.stop());

async function raise(input: object, principal?: Principal) {
  const all = { name: 'disk full', severity: 'CRITICAL', ...input };
  return (await alerts.data(RAISE, { input: all }, principal && { principal })).raiseAlert;
}

async function outboxActions(): Promise<string[]> {
  const rows: { entry: { action: string; outcome: string } }[] = await alerts.house.runtime.database.query(
    'select entry from audit_outbox order by seq',
  );
  return rows.map(({ entry }) => `${entry.action} ${entry.outcome}`);
}

async function eventCount(): Promise<number> {
  const [{ n }] = await alerts.house.runtime.database.query('select count(*)::int as n from event');
  return n;
}

test('a raised alert fires at once and says all it was given', async () => {
  const traceId = 'ab'.repeat(16);
  const annotations = { runbook: 'https://runbooks.example/disk', traceId };
  const { alert, userErrors, auditEntry } = await raise({
    agentId: agentId(7),
    labels: { env: 'prod' },
    annotations,
    value: 97,
  });
  expect(userErrors).toEqual([]);
  expect(Buffer.from(auditEntry.id, 'base64url').toString()).toMatch(/^AuditEntry:/);
  expect(alert).toEqual({
    id: expect.any(String),
    name: 'disk full',
    state: 'FIRING',
    severity: 'CRITICAL',
    value: 97,
    label: 'prod',
    agent: { id: agentId(7) },
    trace: { traceId },
    startedAt: expect.any(String),
    firedAt: alert.startedAt,
    fingerprint: expect.stringMatching(/^[0-9a-f]{32}$/),
    why: {
      summary: 'admin raised disk full at 97.',
      ruleVersion: null,
      samples: [{ value: 97 }],
      threshold: null,
      links: ['https://runbooks.example/disk'],
    },
    escalation: { policy: 'default', step: 0, nextAt: null },
    notifications: [],
    rule: null,
  });
});

test('a repeat by dedupKey returns the open alert and emits nothing; once it is resolved a new one opens', async () => {
  const first = (await raise({ dedupKey: 'disk-1' })).alert;
  const events = await eventCount();
  const second = (await raise({ dedupKey: 'disk-1', severity: 'INFO' })).alert;
  expect([second.id, second.severity]).toEqual([first.id, 'CRITICAL']);
  expect(await eventCount()).toBe(events);
  await alerts.data(RESOLVE, { input: { id: first.id } });
  expect((await raise({ dedupKey: 'disk-1' })).alert.id).not.toBe(first.id);
});

test('of callers who raise the same dedupKey at once one opens an alert and all get it', async () => {
  const answers = await Promise.all(Array.from({ length: 8 }, () => raise({ dedupKey: 'race' })));
  expect(new Set(answers.map(({ alert }) => alert.id)).size).toBe(1);
});

test('an idempotency key makes a repeat return the first outcome', async () => {
  const first = await raise({ clientMutationId: 'raise-1' });
  const events = await eventCount();
  const second = await raise({ clientMutationId: 'raise-1' });
  expect([second.alert.id, second.auditEntry.id]).toEqual([first.alert.id, first.auditEntry.id]);
  expect(await eventCount()).toBe(events);
});

test.each([
  ['an empty name', { name: ' ' }, 'BAD_INPUT', ['name']],
  ['an empty dedupKey', { dedupKey: '' }, 'BAD_INPUT', ['dedupKey']],
  ['an id that is no agent’s', { agentId: 'nonsense' }, 'BAD_INPUT', ['agentId']],
])('%s is refused', async (_, input, code, field) => {
  const { alert, userErrors } = await raise(input);
  expect(alert).toBeNull();
  expect(userErrors).toEqual([{ code, field, message: expect.any(String) }]);
});

test('an agent raises alerts about itself, and about itself only', async () => {
  expect((await raise({}, AGENT)).alert.agent).toEqual({ id: agentId(1) });
  expect((await raise({ agentId: agentId(1) }, AGENT)).alert.agent).toEqual({ id: agentId(1) });
  const { userErrors } = await raise({ agentId: agentId(2) }, AGENT);
  expect(userErrors).toEqual([{ code: 'FORBIDDEN', field: ['agentId'], message: expect.any(String) }]);
  expect((await outboxActions()).at(-1)).toBe('raiseAlert DENIED');
});

test('a viewer may not raise', async () => {
  const answer = await alerts.house.ask(RAISE, { input: { name: 'x', severity: 'INFO' } }, { principal: VIEWER });
  expect(answer.errors?.[0]?.extensions.code).toBe('FORBIDDEN');
});

test('an acknowledgement says who, when and what; whoever acknowledges again takes it over', async () => {
  const { id } = (await raise({})).alert;
  const { acknowledgeAlert: first } = await alerts.data(ACKNOWLEDGE, { input: { id, note: 'on it' } });
  expect(first.alert).toEqual({
    id,
    state: 'FIRING',
    acknowledgement: {
      at: expect.any(String),
      until: null,
      note: 'on it',
      by: { id: 'admin', kind: 'SCRIPT', name: 'admin' },
    },
  });
  const events = await eventCount();
  await alerts.data(ACKNOWLEDGE, { input: { id, note: 'on it' } });
  expect(await eventCount()).toBe(events);
  const other: Principal = { id: 'key-2', kind: 'PERSON', name: 'Ada', scopes: ['operator'] };
  const { acknowledgeAlert: second } = await alerts.data(ACKNOWLEDGE, { input: { id } }, { principal: other });
  expect(second.alert.acknowledgement).toMatchObject({ note: null, by: { name: 'Ada' } });
});

test('a resolved alert says by whom, and neither resolves nor acknowledges again', async () => {
  const { id } = (await raise({})).alert;
  const { resolveAlert } = await alerts.data(RESOLVE, { input: { id, note: 'done' } });
  expect(resolveAlert.alert).toEqual({
    id,
    state: 'RESOLVED',
    resolvedAt: expect.any(String),
    resolvedBy: { id: 'admin' },
  });
  expect((await alerts.data(RESOLVE, { input: { id } })).resolveAlert).toEqual({
    alert: null,
    userErrors: [{ code: 'CONFLICT', field: ['id'] }],
  });
  expect((await alerts.data(ACKNOWLEDGE, { input: { id } })).acknowledgeAlert.userErrors).toEqual([
    { code: 'CONFLICT', field: ['id'] },
  ]);
  expect((await outboxActions()).slice(-3)).toEqual([
    'resolveAlert SUCCEEDED',
    'resolveAlert FAILED',
    'acknowledgeAlert FAILED',
  ]);
});

test('an alert that is not there, and a note too long, are refused', async () => {
  const missing = agentId(1);
  expect((await alerts.data(RESOLVE, { input: { id: missing } })).resolveAlert.userErrors).toEqual([
    { code: 'BAD_INPUT', field: ['id'] },
  ]);
  const unknown = Buffer.from('Alert:019a0000-0000-7000-8000-000000000009').toString('base64url');
  expect((await alerts.data(RESOLVE, { input: { id: unknown } })).resolveAlert.userErrors).toEqual([
    { code: 'NOT_FOUND', field: ['id'] },
  ]);
  const { id } = (await raise({})).alert;
  const { resolveAlert } = await alerts.data(RESOLVE, { input: { id, note: 'x'.repeat(2_001) } });
  expect(resolveAlert.userErrors).toEqual([{ code: 'BAD_INPUT', field: ['note'] }]);
});
