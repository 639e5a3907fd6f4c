import { fixedFlags } from '../../lib/flags/index.ts';
import { until } from '../support/until.ts';
import { type AlertsWorld, startAlerts } from './support/house.ts';
import { Target } from './support/target.ts';

const on = { 'alerts.escalation': false, 'alerts.delivery': false };
const CONTACT = `mutation ($input: ContactPointInput!) { applyContactPoint(input: $input) { userErrors { message } } }`;
const POLICY = `mutation ($input: EscalationPolicyInput!) { applyEscalationPolicy(input: $input) { userErrors { message } } }`;
const RAISE = `mutation { raiseAlert(input: { name: "disk full", severity: CRITICAL }) { alert { id } userErrors { message } } }`;
const ALERT = `query ($id: ID) { alert(id: $id) { notifications { state } } }`;

let alerts: AlertsWorld;
let target: Target;
beforeAll(async () => {
  target = new Target();
  await target.start();
  alerts = await startAlerts({ flags: { isOn: (name) => fixedFlags(on).isOn(name) } });
});
afterAll(async () => {
  await alerts.stop();
  target.stop();
});

test('with escalation off nobody is told; with delivery off it waits in the outbox; with both on it is sent', async () => {
  await alerts.data(CONTACT, { input: { name: 'hooks', kind: 'WEBHOOK', target: `${target.url}/in` } });
  await alerts.data(POLICY, {
    input: { name: 'default', steps: [{ after: 'PT0S', contactPoints: ['hooks'] }], repeat: 0 },
  });
  const { raiseAlert } = await alerts.data(RAISE);
  const states = async (): Promise<string[]> =>
    (await alerts.data(ALERT, { id: raiseAlert.alert.id })).alert.notifications.map(
      ({ state }: { state: string }) => state,
    );
  alerts.clock.advance(5_000);
  expect(await states()).toEqual([]);
  on['alerts.escalation'] = true;
  expect(await until(async () => ((await states()).length > 0 ? await states() : undefined))).toEqual(['QUEUED']);
  expect(target.received).toEqual([]);
  on['alerts.delivery'] = true;
  await until(async () => (await states())[0] === 'SENT');
});
