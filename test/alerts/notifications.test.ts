import { createHmac } from 'node:crypto';
import { emptyHouseDatabase } from '../support/database.ts';
import type { AnyShape } from '../support/house.ts';
import { until } from '../support/until.ts';
import { type AlertsWorld, startAlerts } from './support/house.ts';
import { Target } from './support/target.ts';

const SECRET = `whsec_${Buffer.from('a secret of thirty-two bytes, ok').toString('base64')}`;
const CONTACT = `mutation ($input: ContactPointInput!) { applyContactPoint(input: $input) { userErrors { message } } }`;
const POLICY = `mutation ($input: EscalationPolicyInput!) { applyEscalationPolicy(input: $input) { userErrors { message } } }`;
const RAISE = `mutation ($input: RaiseAlertInput!) { raiseAlert(input: $input) { alert { id fingerprint } userErrors { message } } }`;
const ACT = (verb: string) => `mutation ($id: ID!) { ${verb}Alert(input: { id: $id }) { userErrors { message } } }`;
const ALERT = `query ($id: ID) {
  alert(id: $id) { escalation { policy step nextAt } notifications { id contactPoint kind state attempts sentAt error } }
}`;

let alerts: AlertsWorld;
let target: Target;
let databaseUrl: string;

beforeEach(async () => {
  target = new Target();
  await target.start();
  databaseUrl = await emptyHouseDatabase('alerts');
  alerts = await startAlerts({ databaseUrl });
});
afterEach(async () => {
  await alerts.stop();
  target.stop();
});

async function contact(input: object): Promise<void> {
  const { applyContactPoint } = await alerts.data(CONTACT, {
    input: { name: 'hooks', kind: 'WEBHOOK', target: `${target.url}/in`, ...input },
  });
  expect(applyContactPoint.userErrors).toEqual([]);
}

async function policy(steps: [after: string, ...contactPoints: string[]][], repeat = 0): Promise<void> {
  const input = {
    name: 'default',
    steps: steps.map(([after, ...contactPoints]) => ({ after, contactPoints })),
    repeat,
  };
  expect((await alerts.data(POLICY, { input })).applyEscalationPolicy.userErrors).toEqual([]);
}

async function raise(input: object = {}): Promise<string> {
  return (await alerts.data(RAISE, { input: { name: 'disk full', severity: 'CRITICAL', ...input } })).raiseAlert.alert
    .id;
}

async function told(id: string): Promise<AnyShape> {
  return (await alerts.data(ALERT, { id })).alert;
}

/** Waits for the state of the only notification, putting the clock forward by what back-off asks. */
async function ended(id: string, state: string): Promise<AnyShape> {
  return await until(async () => {
    const [notification] = (await told(id)).notifications;
    if (notification?.state === state) return notification;
    alerts.clock.advance(1_000);
    return undefined;
  });
}

test('a webhook is signed by the Standard Webhooks rules and told when the alert fires and when it is resolved', async () => {
  await contact({ secret: SECRET });
  await policy([['PT0S', 'hooks']]);
  const id = await raise({ labels: { env: 'prod' } });
  await until(() => target.received.length === 1);
  await until(async () => (await told(id)).notifications[0].state === 'SENT');
  await alerts.data(ACT('resolve'), { id });
  await until(() => target.received.length === 2);
  for (const { headers, body } of target.received) {
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
    const mac = createHmac('sha256', 'a secret of thirty-two bytes, ok').update(signed).digest('base64');
    expect([headers['webhook-signature'], headers['content-type'], headers['user-agent']]).toEqual([
      `v1,${mac}`,
      'application/json',
      'fleetgraph',
    ]);
  }
  expect(target.received.map(({ json }) => [json.type, json.data.alert.state, json.data.escalation])).toEqual([
    ['alert.fired', 'FIRING', { step: 1, round: 1 }],
    ['alert.resolved', 'RESOLVED', undefined],
  ]);
  expect(target.received[0]?.json).toMatchObject({
    timestamp: expect.any(String),
    data: {
      alert: {
        id,
        name: 'disk full',
        severity: 'CRITICAL',
        labels: { env: 'prod' },
        summary: 'admin raised disk full.',
      },
    },
  });
  await until(async () => (await told(id)).notifications.every(({ state }: AnyShape) => state === 'SENT'));
  const { notifications, escalation } = await told(id);
  expect(
    notifications.map(({ id: webhookId, contactPoint, kind, attempts, error }: AnyShape) => [
      webhookId,
      contactPoint,
      kind,
      attempts,
      error,
    ]),
  ).toEqual([
    [target.received[0]?.headers['webhook-id'], 'hooks', 'alert.fired', 1, null],
    [target.received[1]?.headers['webhook-id'], 'hooks', 'alert.resolved', 1, null],
  ]);
  expect(escalation).toEqual({ policy: 'default', step: 1, nextAt: null });
});

test('a target that fails is tried again with the same id and body until it takes it, and the resolution waits its turn', async () => {
  target.status = 503;
  await contact({});
  await policy([['PT0S', 'hooks']]);
  const id = await raise();
  await until(() => target.received.length === 1);
  await alerts.data(ACT('resolve'), { id });
  await until(() => {
    alerts.clock.advance(500);
    return target.received.length >= 3;
  });
  const [waiting] = (await told(id)).notifications;
  expect([waiting.state, waiting.error]).toEqual(['QUEUED', 'it answered 503']);
  target.status = 200;
  await until(async () => {
    alerts.clock.advance(500);
    return target.received.some(({ json }) => json.type === 'alert.resolved');
  });
  const fired = target.received.filter(({ json }) => json.type === 'alert.fired');
  expect(new Set(fired.map(({ headers, body }) => `${headers['webhook-id']} ${body}`)).size).toBe(1);
  expect(target.received.at(-1)?.json.type).toBe('alert.resolved');
});

test('attempts end after twelve, at 410 and at a redirect', async () => {
  await contact({});
  await policy([['PT0S', 'hooks']]);
  target.status = 410;
  expect(await ended(await raise(), 'FAILED')).toMatchObject({ attempts: 1, error: 'it answered 410' });
  target.status = 302;
  expect(await ended(await raise(), 'FAILED')).toMatchObject({ attempts: 1, error: 'it answered 302' });
  target.hangsUp = true;
  expect(await ended(await raise(), 'FAILED')).toMatchObject({
    attempts: 12,
    error: 'it cannot be reached: ECONNRESET',
  });
});

test('steps follow one another until somebody acknowledges', async () => {
  await contact({ name: 'chat', target: `${target.url}/chat` });
  await contact({ name: 'phone', target: `${target.url}/phone` });
  await policy(
    [
      ['PT0S', 'chat'],
      ['PT5M', 'chat', 'phone'],
    ],
    1,
  );
  const id = await raise();
  await until(() => target.received.length === 1);
  const before = await told(id);
  expect([before.escalation.step, Date.parse(before.escalation.nextAt) > alerts.clock.nowMs()]).toEqual([1, true]);
  alerts.clock.advance(300_000);
  await until(() => target.received.length === 3);
  expect(target.received.map(({ path }) => path).sort()).toEqual(['/chat', '/chat', '/phone']);
  await alerts.data(ACT('acknowledge'), { id });
  expect((await told(id)).escalation).toEqual({ policy: 'default', step: 0, nextAt: null });
  const other = await raise();
  alerts.clock.advance(300_000);
  // The other alert's second step comes; the acknowledged one's second round does not.
  await until(async () => (await told(other)).notifications.length === 3);
  expect((await told(id)).notifications).toHaveLength(3);
});

test('a restart goes on at the step where it was: none is lost and none repeated', async () => {
  await contact({});
  await policy([
    ['PT0S', 'hooks'],
    ['PT1M', 'hooks'],
    ['PT1M', 'hooks'],
  ]);
  const id = await raise();
  await until(() => target.received.length === 1);
  await alerts.stop();
  alerts = await startAlerts({ databaseUrl });
  alerts.clock.advance(60_000);
  await until(() => target.received.length === 2);
  await alerts.stop();
  alerts = await startAlerts({ databaseUrl });
  alerts.clock.advance(120_000);
  await until(() => target.received.length === 3);
  await until(async () => (await told(id)).notifications.every(({ state }: AnyShape) => state === 'SENT'));
  expect(target.received.map(({ json }) => json.data.escalation.step)).toEqual([1, 2, 3]);
  const rows: { entry: AnyShape }[] = await alerts.house.runtime.database.query(
    `select entry from audit_outbox where entry ->> 'action' = 'alert.escalated' order by seq`,
  );
  expect(rows.map(({ entry }) => entry.after)).toEqual(
    [1, 2, 3].map((step) => ({ policy: 'default', step, round: 1, contactPoints: ['hooks'] })),
  );
});

/** Whether so many notifications of each alert are sent. */
async function allSent(ids: readonly string[], count: number): Promise<boolean> {
  const all = await Promise.all(ids.map(told));
  return all.every(
    ({ notifications }) => notifications.filter(({ state }: AnyShape) => state === 'SENT').length === count,
  );
}

test('two replicas take each step once and send each message once', async () => {
  await contact({});
  await policy([
    ['PT0S', 'hooks'],
    ['PT1M', 'hooks'],
  ]);
  const replica = await startAlerts({ databaseUrl, keepRules: true });
  try {
    const ids = await Promise.all(Array.from({ length: 10 }, () => raise()));
    await until(() => allSent(ids, 1));
    alerts.clock.advance(60_000);
    replica.clock.advance(60_000);
    await until(() => allSent(ids, 2));
    expect(target.received).toHaveLength(20);
    expect(new Set(target.received.map(({ headers }) => headers['webhook-id'])).size).toBe(20);
  } finally {
    await replica.stop();
  }
});

test('what was claimed by a process that died is sent after its lease', async () => {
  await contact({});
  await policy([['PT0S', 'hooks']]);
  const id = await raise();
  await until(async () => (await told(id)).notifications[0]?.state === 'SENT');
  // As a process leaves it that was killed between its claim and its writing.
  await alerts.house.runtime.database.query(
    `update notification set state = 'QUEUED', sent_at = null, next_attempt_at = $1`,
    [new Date(alerts.clock.nowMs() + 15_000)],
  );
  alerts.clock.advance(15_000);
  await until(() => target.received.length === 2);
  expect(target.received[1]?.headers['webhook-id']).toBe(target.received[0]?.headers['webhook-id']);
});

test('Slack and PagerDuty get their own shapes, and no markup from labels', async () => {
  await contact({ name: 'slack', kind: 'SLACK', target: `${target.url}/slack` });
  await contact({ name: 'pager', kind: 'PAGERDUTY', target: `${target.url}/pager`, secret: 'routing-key' });
  await policy([['PT0S', 'slack', 'pager']]);
  const id = await raise({ name: '<!channel> disk', labels: { env: 'prod' }, value: 3 });
  await until(() => target.received.length === 2);
  await alerts.data(ACT('resolve'), { id });
  await until(() => target.received.length === 4);
  const of = (path: string) => target.received.filter((received) => received.path === path).map(({ json }) => json);
  expect(of('/slack')).toEqual([
    {
      text: 'CRITICAL: &lt;!channel&gt; disk — admin raised &lt;!channel&gt; disk at 3.',
      attachments: [
        expect.objectContaining({ color: '#D00000', fields: [{ title: 'env', value: 'prod', short: true }] }),
      ],
    },
    expect.objectContaining({ text: expect.stringMatching(/^RESOLVED: /) }),
  ]);
  expect(of('/pager')).toEqual([
    {
      routing_key: 'routing-key',
      event_action: 'trigger',
      dedup_key: id,
      payload: expect.objectContaining({
        source: 'fleetgraph',
        severity: 'critical',
        summary: 'CRITICAL: <!channel> disk: admin raised <!channel> disk at 3.',
      }),
    },
    { routing_key: 'routing-key', event_action: 'resolve', dedup_key: id },
  ]);
  expect(target.received.every(({ headers }) => headers['webhook-signature'] === undefined)).toBe(true);
  const kept = JSON.stringify(await alerts.house.runtime.database.query('select * from notification'));
  expect(kept).not.toContain('routing-key');
});

test('a contact point that turned private or is gone gets nothing, and that is told', async () => {
  await contact({});
  await policy([['PT0S', 'hooks']]);
  await alerts.stop();
  alerts = await startAlerts({ databaseUrl, settings: { FLEET_WEBHOOK_PRIVATE: false } });
  const { applyContactPoint } = await alerts.data(CONTACT, {
    input: { name: 'own', kind: 'WEBHOOK', target: 'http://localhost/x' },
  });
  expect(applyContactPoint.userErrors).toEqual([{ message: 'a target is a public address' }]);
  expect(await ended(await raise(), 'DROPPED')).toMatchObject({ error: 'the target is not a public address' });
  await alerts.house.runtime.database.query(
    `update notification set state = 'QUEUED', contact_point = 'gone', next_attempt_at = now()`,
  );
  await until(
    async () =>
      (await alerts.house.runtime.database.query('select error from notification'))[0].error ===
      'there is no such contact point',
  );
  expect(target.received).toEqual([]);
});
