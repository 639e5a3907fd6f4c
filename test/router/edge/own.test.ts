import { systemClock } from '../../../lib/clock.ts';
import { CursorSealer } from '../../../lib/cursor.ts';
import { nodeId } from '../../../lib/node-id.ts';
import type { BreakerMove } from '../../../router/guard/circuit.ts';
import { serverSentEvents } from '../../../router/guard/event-stream.ts';
import { BreakerFeed } from '../../../router/own/breaker-feed.ts';
import { nodeOwners } from '../../../router/own/node-owners.ts';
import { Outcomes } from '../../../router/own/outcomes.ts';
import type { AnyShape } from '../../support/house.ts';
import { until } from '../../support/until.ts';
import { ADMIN_TOKEN, bearer, type Harbour, NO_SHIP, openHarbour, SHIP } from './support.ts';

let harbour: Harbour;
beforeAll(async () => {
  harbour = await openHarbour();
});
afterEach(async () => {
  harbour.sea.audits = true;
  harbour.router.guard.circuits.get('crews')?.force('AUTO', 'end of the test');
  harbour.router.guard.circuits.get('ships')?.force('AUTO', 'end of the test');
});
afterAll(() => harbour.stop());

const FORCE = `mutation ($input: ForceBreakerInput!) { forceBreaker(input: $input) {
  subgraph { name limitPerSecond breaker { state override reason } } userErrors { code message field } auditEntry { id action }
} }`;
const LIMIT = `mutation ($input: SetSubgraphLimitInput!) { setSubgraphLimit(input: $input) {
  subgraph { limitPerSecond } userErrors { code field } auditEntry { id }
} }`;

const force = (input: object, options = {}) =>
  harbour.ask(FORCE, {
    variables: { input: { subgraph: 'ships', override: 'OPEN', reason: 'test', ...input } },
    ...options,
  });

test('the owner of a type is who gives out a single one of it', () => {
  expect([...nodeOwners(harbour.supergraphSdl)]).toEqual([
    ['AuditEntry', 'crews'],
    ['Ship', 'ships'],
  ]);
});

test('a node is found by its id, with the fields of all who know it', async () => {
  const query = '{ node(id: "ID") { __typename id ... on Ship { name crew } } }'.replace('ID', SHIP);
  expect(await harbour.ask(query)).toMatchObject({
    data: { node: { __typename: 'Ship', id: SHIP, name: 'Argo', crew: 50 } },
  });
});

test('nodes come in their order; what nobody knows is null without an error', async () => {
  const ids = [NO_SHIP, SHIP, 'nonsense', nodeId('Whale', '01890000-0000-7000-8000-000000000001'), SHIP];
  const answer = await harbour.ask('query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', { variables: { ids } });
  expect(answer.errors).toBeUndefined();
  expect(answer.data).toEqual({ nodes: [null, { id: SHIP }, null, null, { id: SHIP }] });
  const many = await harbour.ask('query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', {
    variables: { ids: Array(101).fill(SHIP) },
  });
  expect(many.errors?.[0]?.extensions).toMatchObject({ code: 'BAD_INPUT', field: ['ids'] });
});

test('a node whose owner is away is null with a code', async () => {
  await force({});
  const answer = await harbour.ask(`{ node(id: "${SHIP}") { id } }`);
  expect(answer).toMatchObject({
    data: { node: null },
    errors: [{ path: ['node'], extensions: { code: 'SUBGRAPH_UNAVAILABLE' } }],
  });
});

test('the router tells its version, its schema, its subgraphs and its clients', async () => {
  await harbour.ask(`{ ship(id: "${SHIP}") { name } }`);
  const { data, errors } = await harbour.ask(`{ router { version supergraphHash loadedAt subscriptions
    clients { client { id kind name } requestsPerSecond limited costUsed }
    subgraphs { name limitPerSecond requestsPerSecond errorRatio p50Ms p99Ms inFlight inFlightLimit waiting
      breaker { state override since failureRatio nextProbeAt reason } replicas { url healthy inFlight p50Ms since } } } }`);
  expect(errors).toBeUndefined();
  expect(data.router).toMatchObject({ version: '1.2.3', subscriptions: 0 });
  expect(data.router.supergraphHash).toMatch(/^[0-9a-f]{64}$/);
  expect(data.router.clients[0]).toMatchObject({ client: { id: 'admin', kind: 'SCRIPT', name: 'admin' }, limited: 0 });
  expect(data.router.subgraphs.map(({ name }: AnyShape) => name)).toEqual(['crews', 'ships']);
  expect(data.router.subgraphs[1]).toMatchObject({
    limitPerSecond: 5_000,
    errorRatio: 0,
    inFlight: 0,
    inFlightLimit: 20,
    waiting: 0,
    breaker: { state: 'CLOSED', override: 'AUTO', nextProbeAt: null, reason: null },
    replicas: [{ url: `${harbour.ships.url}/graphql`, healthy: true }],
  });
  expect(data.router.subgraphs[1].requestsPerSecond).toBeGreaterThan(0);
});

test('where a replica is only an operator is told', async () => {
  const viewer = { id: 'k1', kind: 'PERSON', name: 'watcher', scopes: ['viewer'] };
  harbour.sea.tokens.set('token-of-a-watcher', viewer);
  const asked = (field: string) =>
    harbour.ask(`{ router { subgraphs { replicas { ${field} } } } }`, { token: 'token-of-a-watcher' });
  expect((await asked('healthy')).errors).toBeUndefined();
  const refused = await asked('url');
  expect([refused.data, refused.errors?.[0]?.extensions.code]).toEqual([undefined, 'FORBIDDEN']);
  harbour.sea.tokens.delete('token-of-a-watcher');
});

test('a client reads where it stands in its rate', async () => {
  const { data } = await harbour.ask('{ rateLimit { limit cost remaining used resetAt } }');
  expect(data.rateLimit).toMatchObject({ limit: 1_000_000, cost: 1 });
  expect(data.rateLimit.used).toBeGreaterThanOrEqual(1);
  expect(data.rateLimit.remaining + data.rateLimit.used).toBe(1_000_000);
});

test('the last moves of a breaker are told, the newest first', async () => {
  await force({ subgraph: 'crews', reason: 'one' });
  await force({ subgraph: 'crews', override: 'AUTO', reason: 'two' });
  const history = async (first: number) => {
    const { data, errors } = await harbour.ask(
      `{ router { subgraphs { name breaker { history(first: ${first}) { occurredAt from to reason forced } } } } }`,
    );
    const crews = data?.router?.subgraphs?.find(({ name }: AnyShape) => name === 'crews');
    return crews?.breaker?.history ?? errors?.[0]?.extensions.code;
  };
  const [two, one] = await history(2);
  expect(two).toMatchObject({ from: 'OPEN', to: 'CLOSED', reason: 'two', forced: true });
  expect(one).toMatchObject({ from: 'CLOSED', to: 'OPEN', reason: 'one', forced: true });
  expect([await history(1), await history(0)]).toEqual([[two], []]);
  expect(await history(-1)).toBe('BAD_INPUT');
});

test('a breaker held open refuses its subgraph only, and the audit trail knew before', async () => {
  const done = await force({ for: 'PT1H' });
  expect(done.errors).toBeUndefined();
  const { forceBreaker } = done.data;
  expect(forceBreaker).toMatchObject({
    subgraph: { name: 'ships', breaker: { state: 'OPEN', override: 'OPEN', reason: 'test' } },
    userErrors: [],
    auditEntry: { action: 'known' },
  });
  const uuid = Buffer.from(forceBreaker.auditEntry.id, 'base64url').toString().split(':')[1];
  expect(harbour.sea.entries.find(({ id }) => id === uuid)).toMatchObject({
    action: 'forceBreaker',
    outcome: 'SUCCEEDED',
    reason: 'test',
    targetType: 'Subgraph',
    targetId: 'ships',
    actor: { id: 'admin' },
    after: { override: 'OPEN', for: 'PT1H' },
  });
  const answer = await harbour.ask(`{ crews ship(id: "${SHIP}") { name } }`);
  expect(answer).toMatchObject({
    status: 200,
    data: { crews: 1, ship: null },
    errors: [{ path: ['ship'], extensions: { code: 'SUBGRAPH_UNAVAILABLE', retryable: true } }],
  });
  await force({ override: 'AUTO' });
  expect(await harbour.ask(`{ ship(id: "${SHIP}") { name } }`)).toMatchObject({ data: { ship: { name: 'Argo' } } });
});

test.each([
  ['a subgraph nobody has', { subgraph: 'whales' }, 'NOT_FOUND', ['subgraph']],
  ['the router itself', { subgraph: 'router' }, 'NOT_FOUND', ['subgraph']],
  ['no reason', { reason: '  ' }, 'BAD_INPUT', ['reason']],
  ['no time', { for: 'PT0S' }, 'BAD_INPUT', ['for']],
  ['a time without an end to come to', { override: 'AUTO', for: 'PT1H' }, 'BAD_INPUT', ['for']],
])('forcing with %s fails, is told in userErrors, and audited', async (_, input, code, field) => {
  const before = harbour.sea.entries.length;
  const { data } = await force(input);
  expect(data.forceBreaker).toMatchObject({
    subgraph: null,
    userErrors: [{ code, field }],
    auditEntry: { id: expect.any(String) },
  });
  expect(harbour.sea.entries.slice(before)).toMatchObject([{ action: 'forceBreaker', outcome: 'FAILED' }]);
});

test('with the audit house away nothing is forced', async () => {
  harbour.sea.audits = false;
  const { data, errors } = await force({});
  expect(data).toEqual({ forceBreaker: null });
  expect(errors?.[0]?.extensions).toMatchObject({ code: 'AUDIT_UNAVAILABLE', retryable: true });
  expect(harbour.router.guard.circuits.get('ships')?.state.phase).toBe('CLOSED');
});

test('a subgraph’s limit is set at once; one that is none is refused', async () => {
  const input = { subgraph: 'crews', limitPerSecond: 77.5 };
  const { data } = await harbour.ask(LIMIT, { variables: { input } });
  expect(data.setSubgraphLimit).toMatchObject({ subgraph: { limitPerSecond: 77.5 }, userErrors: [] });
  for (const limitPerSecond of [0, -1, 1e9]) {
    const refused = await harbour.ask(LIMIT, { variables: { input: { ...input, limitPerSecond } } });
    expect(refused.data.setSubgraphLimit.userErrors).toEqual([{ code: 'BAD_INPUT', field: ['limitPerSecond'] }]);
  }
  expect(harbour.router.guard.circuits.get('crews')?.limitPerSecond).toBe(77.5);
});

test('a repeat returns the first outcome; the same key with other arguments is refused', async () => {
  const before = harbour.sea.entries.length;
  const first = await force({ clientMutationId: 'k1', override: 'CLOSED' });
  const repeat = await force({ clientMutationId: 'k1', override: 'CLOSED' });
  expect(repeat.data.forceBreaker.auditEntry).toEqual(first.data.forceBreaker.auditEntry);
  expect(harbour.sea.entries).toHaveLength(before + 1);
  const other = await force({ clientMutationId: 'k1', override: 'OPEN' });
  expect(other.data.forceBreaker.userErrors).toMatchObject([{ code: 'IDEMPOTENCY_KEY_REUSED' }]);
  const byHeader = await force({ override: 'CLOSED' }, { headers: { 'idempotency-key': 'k2' } });
  const again = await force({ override: 'CLOSED' }, { headers: { 'idempotency-key': 'k2' } });
  expect(again.data.forceBreaker.auditEntry).toEqual(byHeader.data.forceBreaker.auditEntry);
});

test('a key names one entry whichever router writes it, for each thing it was used for', async () => {
  const two = await harbour.another();
  const variables = { input: { subgraph: 'ships', override: 'CLOSED', reason: 'both' } };
  const by = async (url: string, reason = 'both') => {
    const asked = {
      url,
      headers: { 'idempotency-key': 'shared' },
      variables: { input: { ...variables.input, reason } },
    };
    return (await harbour.ask(FORCE, asked)).data.forceBreaker;
  };
  const first = await by(harbour.url);
  expect(first.userErrors).toEqual([]);
  expect((await by(two.url)).auditEntry).toEqual(first.auditEntry);
  const reused = await Promise.all([by(two.url, 'other'), by(two.url, 'other')]);
  expect(new Set([first, ...reused].map(({ auditEntry }) => auditEntry.id)).size).toBe(3);
  expect(reused[0].userErrors).toMatchObject([{ code: 'IDEMPOTENCY_KEY_REUSED' }]);
});

test('an outcome that did not come about may be tried again', async () => {
  const outcomes = new Outcomes<string>(systemClock);
  await expect(outcomes.once('k', {}, () => Promise.reject(new Error('away')))).rejects.toThrow('away');
  expect(await outcomes.once('k', {}, () => Promise.resolve('done'))).toBe('done');
});

test('a breaker that opens by itself is audited and told, resumably', async () => {
  const leaving = new AbortController();
  const open = async (headers: Record<string, string> = {}) => {
    const events: AnyShape[] = [];
    const response = await fetch(`${harbour.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...bearer(ADMIN_TOKEN), ...headers },
      body: JSON.stringify({
        query:
          'subscription { breakerChanged { cursor occurredAt kind previous subgraph { name breaker { state } } } }',
      }),
      signal: leaving.signal,
    });
    void (async () => {
      for await (const event of serverSentEvents(response.body as never, 1_000_000)) {
        if (event.event === 'next') events.push({ id: event.id, ...JSON.parse(event.data as string) });
      }
    })().catch(() => undefined);
    return events;
  };
  const events = await open();
  await until(async () => (await harbour.ask('{ router { subscriptions } }')).data.router.subscriptions === 1);
  for (let time = 0; time < 5; time++) await harbour.ask('{ broken }');
  const opened = await until(() => events.find(({ data }) => data?.breakerChanged.subgraph.breaker.state === 'OPEN'));
  expect(opened.data.breakerChanged).toMatchObject({
    cursor: opened.id,
    kind: 'UPDATED',
    previous: 'CLOSED',
    subgraph: { name: 'ships' },
  });
  await force({ override: 'AUTO' });
  await until(() => events.length >= 2);
  const resumed = await open({ 'last-event-id': opened.id });
  await until(() => resumed.length >= 1);
  expect(resumed[0].id).toBe(events[1].id);
  await until(() => harbour.sea.entries.find(({ action }) => action === 'router.breaker.opened'));
  expect(harbour.sea.entries.find(({ action }) => action === 'router.breaker.opened')).toMatchObject({
    actor: { id: 'system:router', kind: 'SYSTEM' },
    targetId: 'ships',
    reason: 'internal errors',
  });
  const forged = await open({ 'last-event-id': 'forged' });
  await until(() => forged.length === 1);
  expect(forged[0].errors[0].extensions.code).toBe('BAD_CURSOR');
  leaving.abort();
});

test('a feed knows its moves as far back as it keeps them, and an older start’s not at all', async () => {
  const sealer = new CursorSealer([Buffer.alloc(32)]);
  const feed = new BreakerFeed(sealer, 'this start', 3);
  const moveOf = (occurredAtMs: number): BreakerMove => ({
    subgraph: 'ships',
    from: 'CLOSED',
    to: 'OPEN',
    reason: 'x',
    occurredAtMs,
    forced: false,
    told: false,
  });
  const from = feed.positionAfter(null);
  for (let at = 1; at <= 3; at++) feed.record(moveOf(at));
  const reader = feed.movesAfter(from);
  const first = (await reader.next()).value;
  expect(first.move.occurredAtMs).toBe(1);
  expect(feed.positionAfter(first.cursor)).toBe(1);
  for (let at = 4; at <= 6; at++) feed.record(moveOf(at));
  await expect(reader.next()).rejects.toMatchObject({ code: 'RESUME_GAP', extensions: { cursor: expect.any(String) } });
  expect(() => feed.positionAfter(first.cursor)).toThrow('are gone');
  expect(() => new BreakerFeed(sealer, 'a later start').positionAfter(first.cursor)).toThrow('are gone');
  const waiting = feed.movesAfter(6);
  const next = waiting.next();
  await waiting.return?.();
  expect((await next).done).toBe(true);
});
