import { serverAudits } from 'graphql-http';
import { ADMIN_TOKEN, bearer, type Harbour, openHarbour } from './support.ts';

let harbour: Harbour;
beforeAll(async () => {
  harbour = await openHarbour();
});
afterAll(() => harbour.stop());

/** What the specification says SHOULD be 200 for those who accept application/json alone: ours is 400, as nothing ran. */
const DECIDED = new Set(['572B', 'FDE2', '7B9B']);

/** The audits of the GraphQL over HTTP specification (npm graphql-http), by a known caller who is no mere link or form. */
const AUDITS = serverAudits({
  url: () => `${harbour.url}/graphql`,
  fetchFn: (url: string, init: RequestInit = {}) =>
    fetch(url, { ...init, headers: { ...init.headers, ...bearer(ADMIN_TOKEN), 'x-fleet-csrf': '1' } }),
});

test.each(AUDITS.map((audit) => [audit.id, audit.name, audit] as const))('%s %s', async (id, _, audit) => {
  const result = await audit.fn();
  const reason = result.status === 'ok' ? undefined : result.reason;
  if (DECIDED.has(id)) expect(reason).toBe('Response status code is not 200');
  else expect(reason).toBeUndefined();
});

test('there are as many audits as were read', () => expect(AUDITS.length).toBe(61));
