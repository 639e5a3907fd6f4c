import type { FlagName, Flags } from '../../../lib/flags/index.ts';
import { standardFlags } from '../../../lib/flags/index.ts';
import { QUEUE_LIMITS } from '../../../router/limits/throttle.ts';
import { until } from '../../support/until.ts';
import { ADMIN_TOKEN, bearer, type Harbour, openHarbour, plainServer } from './support.ts';

/** What is on in these tests, changed while the router runs. */
const set: Partial<Record<FlagName, boolean>> = {};
const flags: Flags = { isOn: (name, caller) => set[name] ?? standardFlags().isOn(name, caller) };
let harbour: Harbour;
beforeAll(async () => {
  harbour = await openHarbour({ flags });
});
afterAll(() => harbour.stop());

/** One step of a test with a flag on, then with it off. */
async function both<T>(name: FlagName, step: (isOn: boolean) => Promise<T>): Promise<{ on: T; off: T }> {
  set[name] = true;
  const on = await step(true);
  set[name] = false;
  const off = await step(false);
  return { on, off };
}

test('router.dedup: equal queries under way share one call, or not', async () => {
  const { on, off } = await both('router.dedup', async () => {
    let open = () => {};
    harbour.sea.gate = new Promise((resolve) => {
      open = resolve as () => void;
    });
    const before = harbour.sea.calls.length;
    const asked = [1, 2, 3].map(() => harbour.ask('{ slow }'));
    await until(() => harbour.sea.calls.length > before);
    const isSettled = () => harbour.router.guard.circuits.get('ships')?.inFlight;
    await until(() => isSettled() === (set['router.dedup'] ? 1 : 3));
    open();
    await Promise.all(asked);
    return harbour.sea.calls.length - before;
  });
  expect({ on, off }).toEqual({ on: 1, off: 3 });
});

test('router.throttle: what finds no room waits, or runs at once', async () => {
  const { url } = await harbour.another({ limits: { queue: { inFlight: 1, waitMs: 300 } } });
  const { on, off } = await both('router.throttle', async () => {
    let open = () => {};
    harbour.sea.gate = new Promise((resolve) => {
      open = resolve as () => void;
    });
    const before = harbour.sea.calls.length;
    const slow = harbour.ask('{ slow }', { url });
    await until(() => harbour.sea.calls.length > before);
    const { errors = [] } = await harbour.ask('{ crews }', { url });
    open();
    await slow;
    return errors[0]?.extensions?.['code'];
  });
  expect({ on, off }).toEqual({ on: 'OVERLOADED', off: undefined });
});

test('router.adaptive-limit: a loop that has too much to do is given less, or as much as ever', async () => {
  const { url } = await harbour.another({});
  const { on, off } = await both('router.adaptive-limit', async () => {
    const endMs = performance.now() + 200;
    while (performance.now() < endMs) JSON.stringify(endMs);
    const text = await (await fetch(`${url}/metrics`, { headers: bearer(ADMIN_TOKEN) })).text();
    return Number(/^fleet_router_operations_in_flight_limit (\d+)$/m.exec(text)?.[1]);
  });
  expect(on).toBeLessThan(QUEUE_LIMITS.inFlight);
  expect(off).toBe(QUEUE_LIMITS.inFlight);
});

test('router.persisted-only: what is not on the list is refused, or run', async () => {
  const { url } = await harbour.another({ documents: { registeredOnly: true } });
  const { on, off } = await both('router.persisted-only', async () => {
    const { errors = [] } = await harbour.ask('{ crews }', { url });
    return errors[0]?.extensions?.['code'];
  });
  expect({ on, off }).toEqual({ on: 'PERSISTED_QUERY_REQUIRED', off: undefined });
});

describe('a plain subgraph that fails now and then', () => {
  let answers: (() => { status: number; body: string } | undefined)[] = [];
  const good = () => ({ status: 200, body: JSON.stringify({ data: { crews: 7 } }) });
  const cut = () => undefined;

  async function openFaulty() {
    const server = await plainServer((request, response) => {
      request.resume();
      request.on('end', () => {
        const answer = (answers.shift() ?? good)();
        if (!answer) return request.socket.destroy();
        response.writeHead(answer.status, { 'content-type': 'application/json' });
        response.end(answer.body);
      });
    });
    const router = await harbour.another({
      supergraphSdl: harbour.supergraphSdl.replaceAll(/http:\/\/127[^"]*/g, `${server.url}/graphql`),
      houses: {},
      policies: { crews: { staleIfErrorMs: 60_000 } },
    });
    return { url: router.url, stop: () => server.stop() };
  }

  test('router.retries: a query whose connection broke is sent once more, or not', async () => {
    const { url, stop } = await openFaulty();
    set['router.stale-if-error'] = false;
    for (let time = 0; time < 20; time++) await harbour.ask('{ crews }', { url });
    const { on, off } = await both('router.retries', async () => {
      answers = [cut];
      const { data, errors } = await harbour.ask('{ crews }', { url });
      return [data?.crews, errors?.[0]?.extensions?.['code']];
    });
    expect({ on, off }).toEqual({ on: [7, undefined], off: [null, 'SUBGRAPH_UNAVAILABLE'] });
    await stop();
  });

  test('router.stale-if-error: the last good answer is served, or none', async () => {
    const { url, stop } = await openFaulty();
    set['router.retries'] = false;
    set['router.stale-if-error'] = true;
    await harbour.ask('{ crews }', { url });
    const { on, off } = await both('router.stale-if-error', async () => {
      answers = [cut];
      const { data } = await harbour.ask('{ crews }', { url });
      return data?.crews;
    });
    expect({ on, off }).toEqual({ on: 7, off: null });
    await stop();
  });
});
