import { INGEST, type LogsHouse, startLogsHouse } from '../logs/support.ts';
import type { AnyShape } from '../support/house.ts';
import { until } from '../support/until.ts';
import { type AlertsWorld, startAlerts } from './support/house.ts';
import { MovingClock } from './support/moving-clock.ts';

const clock = new MovingClock();
let logs: LogsHouse;
let alerts: AlertsWorld;
beforeEach(async () => {
  logs = await startLogsHouse({ clock });
  alerts = await startAlerts({ clock, addresses: { logs: logs.url } });
});
afterEach(async () => {
  await alerts.stop();
  await logs.close();
});

async function fail(code: string, count: number, service = 'checkout'): Promise<void> {
  const records = Array.from({ length: count }, (_, at) => ({
    severity: 'ERROR',
    service,
    time: new Date(clock.nowMs()).toISOString(),
    body: `${code} ${at} failed`,
    attributes: { 'error.code': code },
  }));
  const { data } = await logs.ask(INGEST, { input: { records } });
  expect(data.ingestLogs.accepted).toBe(count);
}

async function apply(name: string, errors: object): Promise<AnyShape> {
  const { applyAlertRule } = await alerts.data(
    'mutation ($input: AlertRuleInput!) { applyAlertRule(input: $input) { userErrors { message field } } }',
    { input: { name, severity: 'CRITICAL', every: 'PT1S', condition: { errors } } },
  );
  return applyAlertRule.userErrors;
}

/** Alerts of a rule, once they are as expected. */
function eventually(rule: string, isExpected: (found: AnyShape[]) => boolean): Promise<AnyShape[]> {
  return until(async () => {
    const { alerts: found } = await alerts.data(
      '{ alerts { nodes { state labels value summary: why { summary threshold } rule { name } } } }',
    );
    const of = found.nodes.filter((alert: AnyShape) => alert.rule.name === rule);
    return isExpected(of) ? of : null;
  });
}

async function groupOf(code: string): Promise<string> {
  const { data } = await logs.ask('{ errorGroups { nodes { id code } } }');
  return data.errorGroups.nodes.find((group: AnyShape) => group.code === code).id;
}

const resolve = (id: string) =>
  logs.ask('mutation ($input: ResolveErrorGroupInput!) { resolveErrorGroup(input: $input) { userErrors { code } } }', {
    input: { id },
  });

test('a new error fires with its code, place and service; resolving the group resolves the alert', async () => {
  await fail('E_OLD', 1);
  clock.advance(7_200_000);
  await apply('new errors', { sign: 'NEW', window: 'PT1H' });
  await fail('E_OLD', 1);
  await fail('E_NEW', 2);
  const id = await groupOf('E_NEW');
  const [alert, ...more] = await eventually('new errors', (found) => found.length > 0 && found[0]?.value === 2);
  expect(more).toEqual([]);
  expect(alert).toMatchObject({
    state: 'FIRING',
    labels: { code: 'E_NEW', place: 'checkout', service: 'checkout', errorGroup: id },
    summary: { summary: 'A new error, 2 times within PT1H: E_NEW <n> failed', threshold: 0 },
  });
  await resolve(id);
  await eventually('new errors', ([found]) => found?.state === 'RESOLVED');
});

test('an error that comes again after it was said to be mended fires', async () => {
  await fail('E_BACK', 1);
  await apply('regressions', { sign: 'REGRESSED', window: 'PT10M' });
  await resolve(await groupOf('E_BACK'));
  clock.advance(60_000);
  await fail('E_BACK', 1);
  const [alert] = await eventually('regressions', ([found]) => found?.value === 2);
  expect(alert.summary.summary).toBe(
    'An error that was said to be mended came again, 2 times within PT10M: E_BACK <n> failed',
  );
});

test('errors that come too often within the window fire, each group by itself, and are over when the window is', async () => {
  await apply('bursts', { sign: 'ANY', window: 'PT5M', above: 3, filter: { services: ['checkout'] } });
  await fail('E_MANY', 4);
  await fail('E_FEW', 3);
  await fail('E_ELSEWHERE', 9, 'search');
  const found = await eventually('bursts', (all) => all.length > 0);
  expect(found.map(({ labels, value }) => [labels.code, value])).toEqual([['E_MANY', 4]]);
  clock.advance(400_000);
  await eventually('bursts', ([alert]) => alert?.state === 'RESOLVED');
});

test.each([
  [{ sign: 'NEW', window: 'PT0S' }, ['condition', 'errors', 'window']],
  [{ sign: 'NEW', window: 'P2D' }, ['condition', 'errors', 'window']],
  [{ sign: 'ANY', window: 'PT5M', above: -1 }, ['condition', 'errors', 'above']],
  [{ sign: 'ANY', window: 'PT5M', filter: { range: { last: 'PT1M' } } }, ['condition', 'errors', 'filter', 'range']],
])('%j is refused', async (errors, field) => {
  expect(await apply('wrong', errors)).toEqual([expect.objectContaining({ field })]);
});
