import type { Call } from '../../../lib/call/signing.ts';
import { createEngine } from '../../../router/core.ts';
import { isRefused } from '../../../router/engine.ts';
import type { PreparedOperation } from '../../../router/plan/preparation.ts';
import { sharedPlace } from '../../../router/subscribe/shared-place.ts';
import { Fleet, fleetSupergraph } from './fleet.ts';
import { call, stillClock } from './world.ts';

const engine = createEngine({ supergraphSdl: fleetSupergraph, caller: new Fleet(), clock: stillClock });

async function placeOf(query: string, variables = {}, as: Call = call) {
  const prepared = await engine.prepare({ query, variables });
  if (isRefused(prepared)) throw new Error(JSON.stringify(prepared.errors));
  return sharedPlace(prepared as PreparedOperation, as, engine.schema);
}

const QUERY =
  'subscription ($after: String, $more: Boolean = false) { alertChanged(after: $after) { cursor node @include(if: $more) { title } } }';

test('the cursor is no part of what is equal, nor are spaces and comments', async () => {
  const one = await placeOf(QUERY, { after: 'c1' });
  const two = await placeOf(`# the same\n${QUERY.replaceAll(' { ', ' {\n')}`);
  expect(one?.key).toBe(two?.key);
  expect(one?.after).toBe('c1');
  expect(two?.after).toBeUndefined();
});

test('a cursor in the header goes before the one in the arguments', async () => {
  expect(await placeOf(QUERY, { after: 'c1' }, { ...call, lastEventId: 'c2' })).toMatchObject({ after: 'c2' });
  expect(await placeOf('subscription { alertChanged(after: "c3") { cursor } }')).toMatchObject({ after: 'c3' });
});

test('other variables, other selections and other principals are others', async () => {
  const keys = [
    await placeOf(QUERY),
    await placeOf(QUERY, { more: true }),
    await placeOf(QUERY.replace('title', 'id')),
    await placeOf(QUERY, {}, { ...call, principal: { ...call.principal, id: 'key:other' } }),
    await placeOf(QUERY, {}, { ...call, principal: { ...call.principal, scopes: ['viewer'], expiresAtMs: 1 } }),
  ].map((place) => place?.key);
  expect(keys).not.toContain(undefined);
  expect(new Set(keys).size).toBe(keys.length);
});

test('nothing is shared where the cursor is not known for sure', async () => {
  expect(await placeOf('subscription { ...S } fragment S on Subscription { alertChanged { cursor } }')).toBeUndefined();
  const admin: Call = { ...call, principal: { ...call.principal, scopes: ['admin'] } };
  expect(await placeOf('subscription { receipts { id } }', {}, admin)).toBeUndefined();
});
