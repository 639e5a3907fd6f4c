import { HouseClient } from '../../../lib/call/house-client.ts';
import { deriveKey } from '../../../lib/call/signing.ts';
import { systemClock } from '../../../lib/clock.ts';
import { silentLog } from '../../../lib/log.ts';
import { denialOf, moveEntry, NOBODY } from '../../../router/audit/entries.ts';
import { AuditSpool } from '../../../router/audit/spool.ts';
import { AuditTrail } from '../../../router/audit/trail.ts';
import type { BreakerMove } from '../../../router/guard/circuit.ts';
import { traceIdOf } from '../../../router/http/trace-context.ts';
import { noLongerThan } from '../../../router/last-words.ts';
import { until } from '../../support/until.ts';
import { type Harbour, openHarbour, plainServer, SECRET } from './support.ts';

let harbour: Harbour;
let client: HouseClient;
let trail: AuditTrail;
beforeAll(async () => {
  harbour = await openHarbour();
  client = new HouseClient('crews', harbour.crews.url, deriveKey(SECRET, 'call:crews'), () => systemClock.nowMs());
  trail = new AuditTrail(client, systemClock);
});
afterAll(async () => {
  client.close();
  await harbour.stop();
});

const denial = () => denialOf({ principal: NOBODY, requestId: 'r' }, systemClock, '/graphql', 'no token');

test('denials wait for the audit house, in order, up to a number; the rest is counted', async () => {
  harbour.sea.audits = false;
  const spool = new AuditSpool(trail, silentLog, 3);
  spool.start();
  const denials = Array.from({ length: 5 }, denial);
  for (const each of denials) spool.add(each);
  expect(spool).toMatchObject({ waiting: 3, dropped: 2 });
  harbour.sea.audits = true;
  await until(() => spool.waiting === 0);
  expect(harbour.sea.entries.slice(-3)).toEqual(denials.slice(0, 3));
  await spool.stop();
});

test('what still waits when the router stops is tried once more', async () => {
  const spool = new AuditSpool(trail, silentLog);
  const [last] = [denial()];
  spool.add(last as never);
  await spool.stop();
  expect(harbour.sea.entries).toContainEqual(last);
  harbour.sea.audits = false;
  spool.add(denial());
  await spool.stop();
  expect(spool.waiting).toBe(1);
  harbour.sea.audits = true;
});

test('a router that goes down does not wait until an audit house that hangs is given up', async () => {
  let heard = 0;
  let givenUp = 0;
  const hung = await plainServer((_request, response) => {
    heard += 1;
    response.once('close', () => {
      givenUp += 1;
    });
  });
  const audit = new HouseClient('crews', hung.url, deriveKey(SECRET, 'call:crews'), () => systemClock.nowMs());
  const router = await harbour.another({ audit });
  expect((await harbour.ask('{ crews }', { token: 'nobody', url: router.url })).status).toBe(401);
  await until(() => heard === 1);
  await router.stop();
  expect(givenUp).toBe(0);
  audit.close();
  await hung.stop();
});

test('what fails in time is told, what takes too long is not waited for', async () => {
  const never = new Promise<void>(() => undefined);
  await expect(noLongerThan(60_000, [never, Promise.reject(new Error('broken'))])).rejects.toThrow('broken');
  await expect(noLongerThan(1, [never, undefined])).resolves.toBeUndefined();
});

test('a write that nobody confirms is AUDIT_UNAVAILABLE', async () => {
  const nowhere = new HouseClient('crews', 'http://127.0.0.1:1', Buffer.alloc(32), () => systemClock.nowMs());
  await expect(new AuditTrail(nowhere, systemClock).write([denial()])).rejects.toMatchObject({
    code: 'AUDIT_UNAVAILABLE',
    extensions: { retryAfterMs: 1_000 },
  });
});

test('a breaker’s opening and closing are entries, a probe’s comings and goings are not', () => {
  const move = (from: BreakerMove['from'], to: BreakerMove['to']) =>
    moveEntry({ subgraph: 'ships', from, to, reason: 'x', occurredAtMs: 0, forced: false, told: false }, systemClock)
      ?.action;
  expect(move('CLOSED', 'OPEN')).toBe('router.breaker.opened');
  expect(move('HALF_OPEN', 'CLOSED')).toBe('router.breaker.closed');
  expect([move('OPEN', 'HALF_OPEN'), move('HALF_OPEN', 'OPEN')]).toEqual([undefined, undefined]);
});

test('a trace id is taken from a W3C traceparent only', () => {
  const id = '0af7651916cd43dd8448eb211c80319c';
  expect(traceIdOf(`00-${id}-b7ad6b7169203331-01`)).toBe(id);
  expect(traceIdOf(`00-${'0'.repeat(32)}-b7ad6b7169203331-01`)).toBeUndefined();
  expect(traceIdOf(`00-${id}-${'0'.repeat(16)}-01`)).toBeUndefined();
  expect(traceIdOf('01-x')).toBeUndefined();
  expect(traceIdOf(undefined)).toBeUndefined();
});
