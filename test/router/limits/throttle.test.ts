import type { Principal } from '../../../lib/call/principal.ts';
import { fixedFlags } from '../../../lib/flags/index.ts';
import { until } from '../../support/until.ts';
import { ADMIN_TOKEN, bearer, type Harbour, openHarbour } from '../edge/support.ts';

const READER: Principal = { id: 'key:reader', kind: 'SCRIPT', name: 'reader', scopes: ['viewer'] };

let harbour: Harbour;
beforeAll(async () => {
  harbour = await openHarbour({ flags: fixedFlags({ 'router.throttle': true }) });
  harbour.sea.tokens.set('reader-token', READER);
});
afterAll(() => harbour.stop());

/** Holds every answer to `slow` back. @returns lets them go */
function hold(): () => void {
  let open = () => {};
  harbour.sea.gate = new Promise((resolve) => {
    open = resolve;
  });
  return open;
}

const metricsOf = async (url: string) => (await fetch(`${url}/metrics`, { headers: bearer(ADMIN_TOKEN) })).text();
const figure = async (url: string, name: string) =>
  Number(
    (await metricsOf(url))
      .split('\n')
      .find((line) => line.startsWith(`fleet_router_${name} `))
      ?.split(' ')[1],
  );

test('what there is no room for waits its turn, on call first, and is then answered', async () => {
  const { url } = await harbour.another({ limits: { queue: { inFlight: 1, waitMs: 60_000 } } });
  const open = hold();
  const done: string[] = [];
  const ask = (name: string, headers: Record<string, string>, token = ADMIN_TOKEN) =>
    harbour.ask('{ slow }', { url, headers, token }).then((answer) => {
      done.push(name);
      return answer;
    });
  const first = ask('first', {});
  await until(async () => (await figure(url, 'operations_in_flight')) === 1);
  const later = [ask('dashboard', {}, 'reader-token')];
  await until(async () => (await figure(url, 'queue_waiting{priority="dashboard"}')) === 1);
  later.push(ask('script', {}));
  await until(async () => (await figure(url, 'queue_waiting{priority="script"}')) === 1);
  later.push(ask('on call', { 'x-priority': 'on-call' }));
  await until(async () => (await figure(url, 'queue_waiting{priority="on-call"}')) === 1);
  open();
  for (const answer of [await first, ...(await Promise.all(later))]) {
    expect(answer).toMatchObject({ status: 200, data: { slow: 'at last' } });
  }
  expect(done).toEqual(['first', 'on call', 'script', 'dashboard']);
  expect(await figure(url, 'queue_outcomes_total{priority="script",outcome="waited"}')).toBe(1);
  expect(await figure(url, 'queue_waited_seconds_total')).toBeGreaterThan(0);
  expect(await figure(url, 'operations_in_flight')).toBe(0);
});

test('whoever waits too long, is shed, or finds it full is told when to come again; the rest is not touched', async () => {
  const { url } = await harbour.another({ limits: { queue: { inFlight: 1, waitMs: 400, waiting: 2 } } });
  const open = hold();
  const ask = (headers: Record<string, string>, token = ADMIN_TOKEN) =>
    harbour.ask('{ slow }', { url, headers, token });
  const first = ask({});
  await until(async () => (await figure(url, 'operations_in_flight')) === 1);
  const dashboards = [ask({}, 'reader-token'), ask({}, 'reader-token')];
  await until(async () => (await figure(url, 'queue_waiting{priority="dashboard"}')) === 2);
  const full = await ask({ 'x-priority': 'dashboard' }, 'reader-token');
  const urgent = ask({ 'x-priority': 'on-call' });
  const answers = [full, ...(await Promise.all(dashboards)), await urgent];
  for (const { status, headers, errors } of answers) {
    expect([status, errors?.[0]?.extensions.code]).toEqual([503, 'OVERLOADED']);
    expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  }
  open();
  expect(await first).toMatchObject({ status: 200, data: { slow: 'at last' } });
  const metrics = await metricsOf(url);
  for (const outcome of ['refused', 'shed', 'expired']) {
    expect(metrics).toMatch(new RegExp(`queue_outcomes_total{priority="dashboard",outcome="${outcome}"} 1`));
  }
  expect(metrics).toContain('queue_outcomes_total{priority="on-call",outcome="expired"} 1');
  expect(await ask({})).toMatchObject({ status: 200 });
});

test('a client that leaves while it waits gives its place up', async () => {
  const { url } = await harbour.another({ limits: { queue: { inFlight: 1, waitMs: 60_000 } } });
  const open = hold();
  const first = harbour.ask('{ slow }', { url });
  await until(async () => (await figure(url, 'operations_in_flight')) === 1);
  const leaving = new AbortController();
  const gone = fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...bearer(ADMIN_TOKEN) },
    body: '{"query":"{ slow }"}',
    signal: leaving.signal,
  });
  await until(async () => (await figure(url, 'queue_waiting{priority="script"}')) === 1);
  leaving.abort();
  await expect(gone).rejects.toThrow();
  await until(async () => (await figure(url, 'queue_waiting{priority="script"}')) === 0);
  expect(await figure(url, 'queue_outcomes_total{priority="script",outcome="left"}')).toBe(1);
  open();
  expect(await first).toMatchObject({ data: { slow: 'at last' } });
});

test('one client cannot fill the queue; in refusing mode nobody waits', async () => {
  const { url } = await harbour.another({ limits: { queue: { inFlight: 1, waitMs: 60_000, waitingPerClient: 1 } } });
  const strict = await harbour.another({ limits: { queue: { inFlight: 1, waitMs: 0 } } });
  const open = hold();
  const held = [harbour.ask('{ slow }', { url }), harbour.ask('{ slow }', { url: strict.url })];
  await until(async () => (await figure(url, 'operations_in_flight')) === 1);
  await until(async () => (await figure(strict.url, 'operations_in_flight')) === 1);
  held.push(harbour.ask('{ slow }', { url }));
  await until(async () => (await figure(url, 'queue_waiting{priority="script"}')) === 1);
  const crowded = await harbour.ask('{ slow }', { url });
  expect([crowded.status, crowded.errors?.[0]?.extensions.code]).toEqual([429, 'RATE_LIMITED']);
  expect((await harbour.ask('{ slow }', { url: strict.url })).status).toBe(503);
  open();
  for (const answer of await Promise.all(held)) expect(answer.status).toBe(200);
});
