import type { Principal } from '../../lib/call/principal.ts';
import { nodeId } from '../../lib/node-id.ts';
import type { AnyShape } from '../support/house.ts';
import { callOf } from '../support/house.ts';
import { ingest, type LogsHouse, startLogsHouse, type TestRecord } from './support.ts';

let house: LogsHouse;
beforeAll(async () => {
  house = await startLogsHouse();
});
afterAll(() => house.close());

const GROUPS = `query ($filter: LogFilter, $first: Int, $after: String, $states: [ErrorGroupState!]) {
  errorGroups(filter: $filter, first: $first, after: $after, states: $states) {
    nodes {
      id state code place message severity count firstSeenAt lastSeenAt agentCount versions services
      agents { id } sample { body } trace { traceId } resolvedAt resolvedInVersion resolvedBy { id kind name }
    }
    pageInfo { hasNextPage hasPreviousPage endCursor }
    totalCount
  }
}`;
const AGENT = (number: number) => nodeId('Agent', `0197aaaa-0000-7000-8000-00000000000${number}`);

const groups = async (filter: object, more: object = {}): Promise<AnyShape> => {
  const answer = await house.ask(GROUPS, { filter, ...more });
  if (answer.errors) throw new Error(JSON.stringify(answer.errors));
  return answer.data.errorGroups;
};
const fail = (service: string, ...records: TestRecord[]) =>
  ingest(
    house,
    records.map((record) => ({ severity: 'ERROR', service, ...record })),
  );

/** An OTLP body of errors of one version of a service, a second apart from this time on. */
const otlp = (service: string, version: string, startMs: number, ...records: { body: string; error?: string }[]) =>
  JSON.stringify({
    resourceLogs: [
      {
        resource: {
          attributes: Object.entries({ 'service.name': service, 'service.version': version }).map(([key, value]) => ({
            key,
            value: { stringValue: value },
          })),
        },
        scopeLogs: [
          {
            logRecords: records.map(({ body }, at) => ({
              timeUnixNano: `${startMs + at * 1_000}000000`,
              severityNumber: 17,
              body: { stringValue: body },
            })),
          },
        ],
      },
    ],
  });
const post = async (body: string) =>
  expect((await house.client.send('POST /v1/logs', { call: callOf(), body })).status).toBe(200);

describe('errors are one', () => {
  test.each([
    ['numbers', 'took 17 ms, 3.5 of 4', 'took 2 ms, 99 of 100000000', 'took <n> ms, <n> of <n>'],
    [
      'uuids and other ids',
      'job 0197aaaa-0000-7000-8000-000000000001 by req_011CSHoEeqs5C35K2 in 4bf92f3577b34da6',
      'job 9fffaaaa-0000-4000-8000-0000000000ff by req_9Zq8Ab7c in 00f067aa0ba902b7',
      'job <uuid> by <n> in <n>',
    ],
    ['quoted texts', `no column "a b" in 'x'`, `no column "c" in 'yy zz'`, 'no column <text> in <text>'],
    ['words with an apostrophe', "can't read `a`", "can't read `b c`", "can't read <text>"],
    [
      'addresses',
      'connect to 10.0.0.1:5432 at http://a.example/x?y=1 for bob@example.org from [2001:db8::1]:443 at 0x7ffd5',
      'connect to 192.168.17.4 at https://b.example for eve.x@mail.example.com from fe80:0:0:1:2:3:4:5 at 0xdead',
      'connect to <address> at <url> for [redacted:email] from <address> at <address>',
    ],
    ['times', 'late since 2026-01-02T03:04:05.678Z', 'late since 2025-12-31 23:59:59+01:00', 'late since <time>'],
    ['lists and white space', 'ids 1, 2, 3\n  refused', 'ids 7 refused', 'ids <n> refused'],
    ['JSON texts by their keys', '{"op":"read","ms":5}', '{"op":"write","ms":77}', '{op:<text>,ms:<n>}'],
  ])('whatever their %s', async (what, one, other, message) => {
    const service = `same ${what}`;
    await fail(service, { body: one }, { body: other });
    const { nodes, totalCount } = await groups({ services: [service] });
    expect(nodes).toMatchObject([{ message, count: 2, code: null, place: service, severity: 'ERROR' }]);
    expect(totalCount).toBe(1);
  });

  const stack = (file: string, line: number) =>
    `Error: no\n    at Socket.emit (node:events:524:28)\n    at query (/app/node_modules/pg/lib/client.js:9:1)\n    at Shop.charge (${file}:${line}:7)\n    at main (/app/src/main.ts:1:1)`;
  const python = (file: string, line: number) =>
    `Traceback (most recent call last):\n  File "/app/main.py", line 3, in <module>\n    work()\n  File "${file}", line ${line}, in charge\n    get()\n  File "/usr/lib/python3/site-packages/x.py", line 1, in get\n    raise E`;

  test('by code, place and message: each of them parts', async () => {
    const attributes = (code: string, trace: string) => ({ 'exception.stacktrace': trace, 'error.code': code });
    await fail(
      'parts',
      { body: 'failed', attributes: attributes('E_CARD', stack('/app/src/shop.ts', 10)) },
      { body: 'failed', attributes: attributes('E_CARD', stack('file:///srv/v2/shop.ts', 99)) },
      { body: 'failed', attributes: attributes('E_CARD', stack('/app/src/other.ts', 10)) },
      { body: 'failed', attributes: attributes('E_BANK', stack('/app/src/shop.ts', 10)) },
      { body: 'went wrong', attributes: attributes('E_CARD', stack('/app/src/shop.ts', 10)) },
      { body: 'failed', attributes: { 'exception.type': 'KeyError', stack: python('/app/shop.py', 7) } },
      { body: 'failed', attributes: { 'exception.type': 'KeyError', stack: python('/srv/shop.py', 8) } },
      { body: 'failed', attributes: { logger: 'billing' } },
    );
    const { nodes } = await groups({ services: ['parts'] });
    const told = nodes.map(({ code, place, message, count }: AnyShape) => [code, place, message, count]);
    expect(told.sort()).toEqual(
      [
        ['E_CARD', 'Shop.charge (shop.ts)', 'failed', 2],
        ['E_CARD', 'Shop.charge (other.ts)', 'failed', 1],
        ['E_BANK', 'Shop.charge (shop.ts)', 'failed', 1],
        ['E_CARD', 'Shop.charge (shop.ts)', 'went wrong', 1],
        ['KeyError', 'File "shop.py", in charge', 'failed', 2],
        [null, 'billing', 'failed', 1],
      ].sort(),
    );
  });

  test('what an exception says counts beside the body, and what is no error is in no group', async () => {
    await fail(
      'beside',
      { body: 'request.failed', attributes: { error: 'deadlock on 17' } },
      { body: 'request.failed', attributes: { error: 'deadlock on 18' } },
      { body: 'request.failed', attributes: { 'exception.message': 'disk full' } },
      { body: 'the disk full again', attributes: { 'exception.message': 'disk full' }, severity: 'FATAL' },
      { body: 'slow', severity: 'WARN' },
    );
    const { nodes, totalCount } = await groups({ services: ['beside'] });
    expect(nodes.map(({ message, severity, count }: AnyShape) => [message, severity, count]).sort()).toEqual([
      ['request.failed: deadlock on <n>', 'ERROR', 2],
      ['request.failed: disk full', 'ERROR', 1],
      ['the disk full again', 'FATAL', 1],
    ]);
    expect(totalCount).toBe(3);
  });

  test('a group tells since when, how often, whom, in which versions, with a sample and a trace', async () => {
    const time = (second: number) => `2026-01-01T00:00:0${second}.000Z`;
    await fail(
      'told',
      {
        time: time(1),
        body: 'boom 1',
        agentId: AGENT(1),
        traceId: 'a'.repeat(32),
        attributes: { 'service.version': '1.0' },
      },
      { time: time(3), body: 'boom 3', agentId: AGENT(2), attributes: { 'service.version': '1.1' } },
      { time: time(2), body: 'boom 2', agentId: AGENT(1) },
    );
    const whole = {
      state: 'UNRESOLVED',
      code: null,
      place: 'told',
      message: 'boom <n>',
      severity: 'ERROR',
      count: 3,
      firstSeenAt: time(1),
      lastSeenAt: time(3),
      agentCount: 2,
      versions: ['1.0', '1.1'],
      services: ['told'],
      agents: [{ id: AGENT(1) }, { id: AGENT(2) }],
      sample: { body: 'boom 3' },
      trace: { traceId: 'a'.repeat(32) },
      resolvedAt: null,
      resolvedInVersion: null,
      resolvedBy: null,
    };
    const { nodes } = await groups({ services: ['told'] });
    expect(nodes).toEqual([{ id: expect.any(String), ...whole }]);
    // A filter is about entries: the group is of those that match.
    const part = await groups({ services: ['told'], agentIds: [AGENT(1)], range: { from: time(2) } });
    expect(part.nodes).toMatchObject([
      { id: nodes[0].id, count: 1, firstSeenAt: time(2), agentCount: 1, versions: [] },
    ]);
    const one = await house.ask('query ($id: ID!) { errorGroup(id: $id) { id count } }', { id: nodes[0].id });
    expect(one.data.errorGroup).toEqual({ id: nodes[0].id, count: 3 });
    const entity = await house.ask(
      'query ($r: [_Any!]!) { _entities(representations: $r) { ... on ErrorGroup { count } } }',
      {
        r: [
          { __typename: 'ErrorGroup', id: nodes[0].id },
          { __typename: 'ErrorGroup', id: 'nonsense' },
        ],
      },
    );
    expect(entity.data._entities).toEqual([{ count: 3 }, null]);
  });

  test('an entry tells its group, one that is no error has none', async () => {
    await fail(
      'entries',
      { body: 'one 1' },
      { body: 'one 2', severity: 'FATAL' },
      { body: 'other' },
      { body: 'fine', severity: 'WARN' },
    );
    const query =
      'query ($filter: LogFilter) { logs(filter: $filter) { nodes { body errorGroup { message count } } } }';
    const { data } = await house.ask(query, { filter: { services: ['entries'] } });
    const told = data.logs.nodes.map(({ body, errorGroup }: AnyShape) => [body, errorGroup]);
    expect(Object.fromEntries(told)).toEqual({
      'one 1': { message: 'one <n>', count: 2 },
      'one 2': { message: 'one <n>', count: 2 },
      other: { message: 'other', count: 1 },
      fine: null,
    });
  });

  test('an id that is none of a group finds nothing, another type’s is refused', async () => {
    const ask = (id: string) => house.ask('query ($id: ID!) { errorGroup(id: $id) { id } }', { id });
    expect((await ask(nodeId('ErrorGroup', '0197aaaa-0000-7000-8000-000000000001'))).data).toEqual({
      errorGroup: null,
    });
    expect((await ask(nodeId('ErrorGroup', '01234567-89ab-8cde-8f00-000000000000'))).data).toEqual({
      errorGroup: null,
    });
    expect((await ask(AGENT(1))).errors?.[0]?.extensions.code).toBe('BAD_INPUT');
  });
});

describe('pages', () => {
  const WORDS = ['alpha', 'bravo', 'charlie', 'delta', 'echo', 'foxtrot', 'golf'];

  test('give every group once, as of the first page, also those that fail meanwhile', async () => {
    const time = '2026-02-01T00:00:00.000Z';
    await fail('paged', ...WORDS.map((body) => ({ body, time })));
    const seen: string[] = [];
    let after: string | null = null;
    for (;;) {
      const { nodes, pageInfo, totalCount } = await groups({ services: ['paged'] }, { first: 3, after });
      seen.push(...nodes.map(({ message, count }: AnyShape) => `${message} ${count}`));
      expect({ totalCount, back: pageInfo.hasPreviousPage }).toEqual({ totalCount: 7, back: after !== null });
      if (!pageInfo.hasNextPage) break;
      after = pageInfo.endCursor;
      await fail('paged', ...WORDS.map((body) => ({ body })), { body: 'hotel' });
    }
    expect(seen).toEqual(WORDS.map((word) => `${word} 1`).reverse());
    expect((await groups({ services: ['paged'] })).nodes.map(({ count }: AnyShape) => count)).toEqual([
      2, 3, 3, 3, 3, 3, 3, 3,
    ]);
  });

  test.each([
    [{ first: 0 }, 'BAD_INPUT'],
    [{ first: 101 }, 'BAD_INPUT'],
    [{ after: 'forged' }, 'BAD_CURSOR'],
    [{ filter: { query: 'nothing:x' } }, 'BAD_QUERY'],
    [{ filter: { attributes: [{ name: 'a', op: 'RE', value: '(' }] } }, 'BAD_QUERY'],
  ])('%j is refused', async (variables, code) => {
    const answer = await house.ask(GROUPS, variables);
    expect(answer.errors?.[0]?.extensions.code).toBe(code);
  });
});

describe('resolved and reopened', () => {
  const change = (name: string, input: string) => `mutation ($input: ${input}!) {
    ${name}(input: $input) {
      errorGroup { id state resolvedAt resolvedInVersion resolvedBy { id } }
      userErrors { code field } auditEntry { id }
    } }`;
  const RESOLVE = change('resolveErrorGroup', 'ResolveErrorGroupInput');
  const REOPEN = change('reopenErrorGroup', 'ReopenErrorGroupInput');
  const resolve = async (input: object) => (await house.ask(RESOLVE, { input })).data.resolveErrorGroup;
  const reopen = async (input: object) => (await house.ask(REOPEN, { input })).data.reopenErrorGroup;
  const idOf = async (service: string) => (await groups({ services: [service] })).nodes[0].id as string;
  const stateOf = async (service: string) => (await groups({ services: [service] })).nodes[0].state as string;

  test('a resolved error that comes again has regressed; resolved anew and reopened it is as it was', async () => {
    await fail('life', { body: 'life', time: '2026-01-01T00:00:00Z' });
    const id = await idOf('life');
    const first = await resolve({ id, note: 'mended' });
    expect(first).toEqual({
      errorGroup: {
        id,
        state: 'RESOLVED',
        resolvedAt: expect.any(String),
        resolvedInVersion: null,
        resolvedBy: { id: 'admin' },
      },
      userErrors: [],
      auditEntry: { id: expect.any(String) },
    });
    // An entry of before that comes late says nothing.
    await fail('life', { body: 'life', time: '2026-01-01T00:00:01Z' });
    expect(await stateOf('life')).toBe('RESOLVED');
    expect((await resolve({ id })).userErrors).toEqual([{ code: 'CONFLICT', field: ['input', 'id'] }]);
    await fail('life', { body: 'life', time: new Date(Date.parse(first.errorGroup.resolvedAt) + 5).toISOString() });
    expect(await stateOf('life')).toBe('REGRESSED');
    const shown = async (states: string[]) =>
      (await groups({ services: ['life'] }, { states })).nodes.map(({ state }: AnyShape) => state);
    expect(await shown(['REGRESSED'])).toEqual(['REGRESSED']);
    expect(await shown(['UNRESOLVED', 'REGRESSED'])).toEqual(['REGRESSED']);
    expect(await shown(['UNRESOLVED'])).toEqual([]);
    expect(await shown(['RESOLVED'])).toEqual([]);
    expect((await resolve({ id })).errorGroup.state).toBe('RESOLVED');
    expect((await reopen({ id })).errorGroup).toMatchObject({ state: 'UNRESOLVED', resolvedAt: null });
    expect((await reopen({ id })).userErrors).toEqual([{ code: 'CONFLICT', field: ['input', 'id'] }]);
    expect(await shown(['UNRESOLVED'])).toEqual(['UNRESOLVED']);
    const audited = await house.runtime.database.query(
      `select entry->>'action' as action, entry->>'outcome' as outcome, entry->'before'->>'state' as before, entry->'after'->>'state' as after,
              entry->>'reason' as reason from audit_outbox where entry->>'targetId' = $1 order by seq`,
      [id],
    );
    expect(audited.map((entry: AnyShape) => Object.values(entry))).toEqual([
      ['resolveErrorGroup', 'SUCCEEDED', 'UNRESOLVED', 'RESOLVED', 'mended'],
      ['resolveErrorGroup', 'FAILED', null, null, expect.stringContaining('CONFLICT')],
      ['resolveErrorGroup', 'SUCCEEDED', 'REGRESSED', 'RESOLVED', null],
      ['reopenErrorGroup', 'SUCCEEDED', 'RESOLVED', 'UNRESOLVED', null],
      ['reopenErrorGroup', 'FAILED', null, null, expect.stringContaining('CONFLICT')],
    ]);
  });

  test('resolved in a version, an older one that still fails says nothing, a later one does', async () => {
    await post(otlp('versioned', '1.4.0', Date.now() - 60_000, { body: 'versioned' }));
    const id = await idOf('versioned');
    const { errorGroup } = await resolve({ id, inVersion: '1.10.0' });
    expect(errorGroup.resolvedInVersion).toBe('1.10.0');
    const afterMs = Date.parse(errorGroup.resolvedAt) + 10;
    await post(otlp('versioned', '1.9.7', afterMs, { body: 'versioned' }));
    expect(await stateOf('versioned')).toBe('RESOLVED');
    await post(otlp('versioned', '1.10.1', afterMs, { body: 'versioned' }));
    const [group] = (await groups({ services: ['versioned'] })).nodes;
    expect(group).toMatchObject({ state: 'REGRESSED', versions: ['1.10.1', '1.4.0', '1.9.7'], count: 3 });
  });

  test('a repeat with its key is the first outcome', async () => {
    await fail('repeated', { body: 'repeated', time: '2026-01-01T00:00:00Z' });
    const input = { id: await idOf('repeated'), clientMutationId: 'resolve-once' };
    const first = await resolve(input);
    expect(first.errorGroup.state).toBe('RESOLVED');
    expect(await resolve(input)).toEqual(first);
    const { userErrors } = await resolve({ ...input, inVersion: '2' });
    expect(userErrors).toEqual([{ code: 'IDEMPOTENCY_KEY_REUSED', field: null }]);
  });

  test.each([
    ['no group of ours', { id: nodeId('ErrorGroup', '01234567-89ab-8cde-8f00-000000000000') }, 'NOT_FOUND', 'id'],
    ['an agent', { id: AGENT(1) }, 'BAD_INPUT', 'id'],
    ['a group with too long a note', { note: 'x'.repeat(2_001) }, 'BAD_INPUT', 'note'],
    ['a group in an empty version', { inVersion: ' ' }, 'BAD_INPUT', 'inVersion'],
    ['a group in too long a version', { inVersion: 'x'.repeat(257) }, 'BAD_INPUT', 'inVersion'],
  ])('resolving %s is refused', async (_what, wrong, code, field) => {
    await fail('refused', { body: 'refused' });
    const payload = await resolve({ id: await idOf('refused'), ...wrong });
    expect(payload).toMatchObject({ errorGroup: null, userErrors: [{ code, field: ['input', field] }] });
    expect(await stateOf('refused')).toBe('UNRESOLVED');
  });

  test('a viewer may look and not resolve', async () => {
    const principal: Principal = { id: 'v', kind: 'SCRIPT', name: 'v', scopes: ['viewer'] };
    await fail('looked at', { body: 'looked at' });
    const id = await idOf('looked at');
    const seen = await house.ask('query ($id: ID!) { errorGroup(id: $id) { count } }', { id }, { principal });
    expect(seen).toEqual({ data: { errorGroup: { count: 1 } } });
    const answer = await house.ask(RESOLVE, { input: { id } }, { principal });
    expect(answer.errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  });
});
