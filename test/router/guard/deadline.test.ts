import type { Guard } from '../../../router/guard/guard.ts';
import { until } from '../../support/until.ts';
import { ask, codeOf, guardOver, type Island, openIsland, SILENT, WELL } from './support.ts';

let island: Island;
let guard: Guard;

beforeEach(async () => {
  island = await openIsland();
});
afterEach(async () => {
  guard.close();
  await island.stop();
});

const circuit = () => guard.circuits.get('sea') as NonNullable<ReturnType<Guard['circuits']['get']>>;

test('a call ends with its operation’s deadline, and that is not the subgraph’s failure', async () => {
  island.answer = SILENT;
  guard = guardOver([island]);
  const codes = await Promise.all(
    Array.from({ length: 10 }, () => codeOf(ask(guard, { deadlineMs: Date.now() + 50 }))),
  );
  expect(codes).toEqual(Array(10).fill('TIMEOUT'));
  expect(circuit()).toMatchObject({ failureRatio: 0, inFlight: 0, state: { phase: 'CLOSED' } });
});

test('what comes too late is not sent', async () => {
  guard = guardOver([island]);
  expect(await codeOf(ask(guard, { deadlineMs: Date.now() }))).toBe('TIMEOUT');
  expect(island.received).toBe(0);
});

test('a long deadline leaves the subgraph its own limit', async () => {
  island.answer = SILENT;
  guard = guardOver([island], { timeoutMs: 30 });
  expect(await codeOf(ask(guard, { deadlineMs: Date.now() + 60_000 }))).toBe('TIMEOUT');
  expect(circuit().failureRatio).toBe(1);
});

test('a plain subgraph is told how long the answer is waited for', async () => {
  let told: unknown;
  island.answer = (response, request) => {
    told = request.headers['x-timeout-ms'];
    WELL(response, request);
  };
  guard = guardOver([island]);
  await ask(guard, { deadlineMs: Date.now() + 1_000 });
  expect(Number(told)).toBeGreaterThan(500);
  expect(Number(told)).toBeLessThanOrEqual(1_000);
});

test('a caller who leaves takes his call from the subgraph’s socket, also one that waits its turn', async () => {
  island.answer = SILENT;
  guard = guardOver([island]);
  const leaving = new AbortController();
  const request = { query: '{ a }' };
  const call = { principal: { id: 'a', kind: 'SCRIPT' as const, name: 'a', scopes: [] }, requestId: 'r' };
  const codes = Array.from({ length: 25 }, () => codeOf(guard.execute('sea', request, call, leaving.signal)));
  await until(() => island.connections === 20);
  leaving.abort();
  await Promise.all(codes);
  await until(() => island.connections === 0);
  expect(circuit()).toMatchObject({ failureRatio: 0, inFlight: 0 });
});
