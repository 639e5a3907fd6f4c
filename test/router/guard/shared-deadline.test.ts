import { deriveKey, signCall } from '../../../lib/call/signing.ts';
import { until } from '../../support/until.ts';
import { ask, type Harbour, openHarbour, SECRET } from '../edge/support.ts';
import { CALL } from './support.ts';

let harbour: Harbour;
beforeAll(async () => {
  harbour = await openHarbour({ limits: { operationMs: 10_000 } });
});
afterAll(() => harbour.stop());

let letGo: () => void = () => undefined;
/** Holds back answers to `slow` until the test is over. */
function hold(): void {
  harbour.sea.gate = new Promise((resolve) => {
    letGo = resolve;
  });
}
afterEach(() => {
  letGo();
  harbour.sea.gate = Promise.resolve();
});

const within = (header: string, query = '{ slow }') => harbour.ask(query, { headers: { 'x-timeout-ms': header } });
const codes = ({ errors }: { errors?: { extensions: { code: string } }[] }) =>
  errors?.map(({ extensions }) => extensions.code);

test('a client may wait for less: what has not come by then is null, the rest whole', async () => {
  hold();
  let answer = await within('500', '{ slow crews }');
  // As long as the other house takes on this machine now, and less than its own limit.
  for (const longer of ['1000', '2000', '4000']) {
    if (answer.data?.crews !== 1) answer = await within(longer, '{ slow crews }');
  }
  expect([answer.status, answer.data, codes(answer)]).toEqual([200, { slow: null, crews: 1 }, ['TIMEOUT']]);
  expect(harbour.router.guard.circuits.get('ships')?.failureRatio).toBe(0);
});

test.each(['0', '-1', '1.5', 'soon', '9999999999'])('a time limit of %s is none', async (header) => {
  const answer = await within(header);
  expect([answer.status, codes(answer)]).toEqual([400, ['BAD_INPUT']]);
});

test('subgraphs are told, signed, until when an answer is wanted: the operation’s time or their own, whichever is less', async () => {
  const deadlineOf = async (header: string) => {
    const askedMs = Date.now();
    await within(header);
    const leftMs = (harbour.sea.calls.at(-1)?.deadlineMs ?? 0) - askedMs;
    return { leftMs, tookMs: Date.now() - askedMs };
  };
  const [short, long] = [await deadlineOf('3000'), await deadlineOf('60000')];
  expect(short.leftMs).toBeGreaterThanOrEqual(3_000);
  expect(short.leftMs).toBeLessThanOrEqual(3_000 + short.tookMs);
  expect(long.leftMs).toBeGreaterThanOrEqual(5_000);
  expect(long.leftMs).toBeLessThanOrEqual(5_000 + long.tookMs);
});

test('an operation’s time is shared by its calls', async () => {
  const short = await harbour.another({ limits: { operationMs: 100 } });
  hold();
  const answer = await ask(short.url, '{ slow }');
  expect(codes(answer)).toEqual(['TIMEOUT']);
});

async function sentTo(deadlineMs: number, signedMs: number) {
  const body = '{"query":"{ slow }"}';
  const key = deriveKey(SECRET, 'call:ships');
  const headers = signCall(key, 'ships', 'POST /graphql', body, { ...CALL, deadlineMs }, signedMs);
  const response = await fetch(`${harbour.ships.url}/graphql`, { method: 'POST', headers, body });
  return { status: response.status, text: await response.text() };
}

test('a house does not begin what nobody waits for, and reckons with another clock than its own', async () => {
  const nowMs = Date.now();
  const before = harbour.sea.calls.length;
  expect(await sentTo(nowMs - 1, nowMs)).toMatchObject({ status: 504, text: expect.stringContaining('TIMEOUT') });
  expect(harbour.sea.calls.length).toBe(before);
  // Its sender's clock is twenty seconds behind: five seconds are left all the same.
  expect((await sentTo(nowMs - 15_000, nowMs - 20_000)).status).toBe(200);
});

test('a client who leaves takes its calls with it, down to the house’s socket', async () => {
  hold();
  const leaving = new AbortController();
  const before = harbour.sea.calls.length;
  const asked = fetch(`${harbour.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer admin-token-of-the-tests' },
    body: '{"query":"{ slow }"}',
    signal: leaving.signal,
  }).catch(() => undefined);
  await until(() => harbour.sea.calls.length > before);
  expect(harbour.router.guard.circuits.get('ships')?.inFlight).toBe(1);
  leaving.abort();
  await asked;
  await until(() => harbour.router.guard.circuits.get('ships')?.inFlight === 0);
  expect(harbour.router.guard.circuits.get('ships')?.failureRatio).toBe(0);
});
