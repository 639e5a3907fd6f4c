import fc from 'fast-check';
import { openDatabase } from '../../lib/database.ts';
import { nodeId } from '../../lib/node-id.ts';
import type { EntryDraft } from '../../lib/write/entry.ts';
import { AuditChangedParts1796181000000 } from '../../migrations/1796181000000-audit-changed-parts.ts';
import { migrations } from '../../migrations/index.ts';
import { entities } from '../../subgraphs/audit/index.ts';
import { criteriaOf, matcherOf } from '../../subgraphs/audit/service/filter.ts';
import { leafOf } from '../../subgraphs/audit/service/leaf.ts';
import { type EntryFacts, EntryStore } from '../../subgraphs/audit/store/index.ts';
import { emptyHouseDatabase } from '../support/database.ts';
import { ADMIN, type AnyShape, callOf, type TestHouse } from '../support/house.ts';
import { allPlaced, deliver, draft, freshUuid, startAudit } from './support.ts';

const auditMigrations = migrations['audit'] ?? [];
let house: TestHouse;
const NOW = Date.now();
const agents = [nodeId('Agent', freshUuid()), nodeId('Agent', freshUuid())] as const;
/** Oldest first; three of them at the same millisecond. */
const trail: EntryDraft[] = [
  draft({
    occurredAtMs: NOW - 9_000_000,
    action: 'registerAgent',
    targetId: agents[0],
    actor: { id: 'key-1', kind: 'SCRIPT', name: 'deploy' },
  }),
  draft({
    occurredAtMs: NOW - 3_000_000,
    action: 'setAgentConfig',
    targetId: agents[0],
    outcome: 'FAILED',
    reason: 'CONFLICT: it has version 7',
  }),
  draft({
    occurredAtMs: NOW - 1_500_000,
    action: 'setAgentConfig',
    targetId: agents[0],
    before: { a: 1 },
    after: { a: 2 },
    reason: 'roll back',
  }),
  draft({
    occurredAtMs: NOW - 1_500_000,
    action: 'agent.state.changed',
    targetId: agents[0],
    actor: { id: 'system:agents', kind: 'SYSTEM', name: 'agents' },
  }),
  draft({ occurredAtMs: NOW - 1_500_000, action: 'pauseAgent', targetId: agents[1] }),
  draft({
    occurredAtMs: NOW - 60_000,
    action: 'agent.recovery.restart',
    targetId: agents[0],
    actor: { id: 'system:agents', kind: 'SYSTEM', name: 'agents' },
  }),
  draft({
    occurredAtMs: NOW - 30_000,
    action: 'createApiKey',
    targetType: 'ApiKey',
    targetId: 'Zürich',
    outcome: 'DENIED',
    traceId: 'abc',
  }),
  draft({
    occurredAtMs: NOW - 10_000_000,
    action: 'registerAgent',
    after: { name: 'nul\0', config: { model: 'small', limits: { 'a/b': 1 } } },
    requestId: 'came with its config',
  }),
  draft({
    occurredAtMs: NOW - 9_500_000,
    action: 'restoreConfig',
    before: { config: { model: 'small' } },
    after: { config: { model: 'large' } },
  }),
];

beforeAll(async () => {
  house = await startAudit();
  // Delivered out of order, as houses deliver by themselves.
  await deliver(house, [...trail].reverse());
  await allPlaced(house);
});
afterAll(() => house.stop());

const PAGE = `query ($first: Int, $after: String, $last: Int, $before: String, $filter: AuditFilter) {
  auditEntries(first: $first, after: $after, last: $last, before: $before, filter: $filter) {
    edges { cursor node { id } } nodes { id } totalCount changeCursor
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`;

async function page(variables: object): Promise<AnyShape> {
  const { data, errors } = await house.ask(PAGE, variables);
  expect(errors).toBeUndefined();
  return data.auditEntries;
}

const newest = [...trail]
  .sort((a, b) => b.occurredAtMs - a.occurredAtMs || (a.id < b.id ? 1 : -1))
  .map(({ id }) => nodeId('AuditEntry', id));
const at = (index: number) => nodeId('AuditEntry', trail[index]?.id as string);
const ids = ({ nodes }: AnyShape): string[] => nodes.map(({ id }: { id: string }) => id);
const found = async (filter: object) => new Set(ids(await page({ filter })));

test('entries come newest first, page by page, in both directions, whole at equal times', async () => {
  expect(ids(await page({}))).toEqual(newest);
  for (const size of [1, 2, 3]) {
    const forward: string[] = [];
    for (let after: string | null = null, more = true; more; ) {
      const { pageInfo, ...rest } = await page({ first: size, after });
      forward.push(...ids(rest));
      [after, more] = [pageInfo.endCursor, pageInfo.hasNextPage];
    }
    expect(forward).toEqual(newest);
    const backward: string[] = [];
    for (let before: string | null = null, more = true; more; ) {
      const { pageInfo, ...rest } = await page({ last: size, before });
      backward.unshift(...ids(rest));
      [before, more] = [pageInfo.startCursor, pageInfo.hasPreviousPage];
    }
    expect(backward).toEqual(newest);
  }
});

test('a forged cursor, a foreign one and a page out of bounds are refused', async () => {
  const code = async (variables: object) => (await house.ask(PAGE, variables)).errors?.[0]?.extensions.code;
  const { changeCursor } = await page({ first: 1 });
  expect(await code({ after: changeCursor })).toBe('BAD_CURSOR');
  expect(await code({ before: 'x' })).toBe('BAD_CURSOR');
  expect(await code({ first: 101 })).toBe('BAD_INPUT');
  expect(await code({ first: 1, last: 1 })).toBe('BAD_INPUT');
});

test('each part of a filter holds, and a list means any of', async () => {
  expect(await found({ actors: ['key-1', 'nobody'] })).toEqual(new Set([at(0)]));
  expect(await found({ actions: ['pauseAgent', 'createApiKey'] })).toEqual(new Set([at(4), at(6)]));
  expect(await found({ targetTypes: ['ApiKey'] })).toEqual(new Set([at(6)]));
  expect(await found({ targetIds: [agents[1]] })).toEqual(new Set([at(4)]));
  expect(await found({ outcomes: ['FAILED', 'DENIED'] })).toEqual(new Set([at(1), at(6)]));
  expect(await found({ actions: ['setAgentConfig'], outcomes: ['SUCCEEDED'] })).toEqual(new Set([at(2)]));
  expect(await found({ actions: [] })).toEqual(new Set());
  expect(await found({ range: { last: 'PT10M' } })).toEqual(new Set([at(5), at(6)]));
  const from = new Date(NOW - 3_000_000).toISOString();
  const to = new Date(NOW - 1_500_000).toISOString();
  expect(await found({ range: { from, to } })).toEqual(new Set([at(1)]));
  expect(await found({ range: {} })).toEqual(new Set(newest));
  const both = await house.ask(PAGE, { filter: { range: { from, last: 'PT1M' } } });
  expect(both.errors?.[0]?.extensions).toEqual(
    expect.objectContaining({ code: 'BAD_INPUT', field: ['filter', 'range'] }),
  );
  expect((await page({ first: 1, filter: { outcomes: ['SUCCEEDED'] } })).totalCount).toBe(7);
});

test('entries are found by what they changed, in it and above it; only by who may read it', async () => {
  expect(await found({ paths: ['/a'] })).toEqual(new Set([at(2)]));
  expect(await found({ paths: ['/config'] })).toEqual(new Set([at(7), at(8)]));
  expect(await found({ paths: ['/config/model'] })).toEqual(new Set([at(7), at(8)]));
  expect(await found({ paths: ['/config/limits/a~1b', '/a'] })).toEqual(new Set([at(7), at(2)]));
  expect(await found({ paths: ['/conf'] })).toEqual(new Set());
  expect(await found({ paths: [] })).toEqual(new Set());
  const bad = await house.ask(PAGE, { filter: { paths: ['config'] } });
  expect(bad.errors?.[0]).toMatchObject({
    message: '"config" is no JSON pointer: it begins with /, as in /config/model',
    extensions: { code: 'BAD_INPUT', field: ['filter', 'paths'] },
  });
  const viewer = { principal: { ...ADMIN, scopes: ['viewer' as const] } };
  expect((await house.ask(PAGE, { filter: {} }, viewer)).errors).toBeUndefined();
  const curious = await house.ask(PAGE, { filter: { paths: ['/a'] } }, viewer);
  expect(curious.errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  const { entries } = await facts();
  for (const paths of [['/a'], ['/config'], ['/config/limits/a~1b'], []]) {
    const live = entries.filter(matcherOf(criteriaOf({ paths }, NOW))).map(({ uuid }) => nodeId('AuditEntry', uuid));
    expect(new Set(live)).toEqual(await found({ paths }));
  }
});

test('entries that were there before they were found by what they changed are found by it too', async () => {
  const databaseUrl = await emptyHouseDatabase('audit');
  const audit = { house: 'audit', url: databaseUrl, entities };
  const last = auditMigrations.indexOf(AuditChangedParts1796181000000);
  const earlier = await openDatabase({ ...audit, migrations: auditMigrations.slice(0, last) });
  const leaf = leafOf(
    draft({ before: { config: { model: 'a' } }, after: { config: { model: 'b' } } }),
    Buffer.alloc(32),
  );
  await earlier.query(
    `insert into entry (id, occurred_at, actor_id, actor_kind, actor_name, action, outcome, target_type, target_id, request_id,
                        leaf, leaf_hash, words)
     select gen_random_uuid(), now(), 'a', 'SCRIPT', 'a', 'setAgentConfig', 'SUCCEEDED', 'Agent', 'x', 'r', $1, sha256($1), ''
       from generate_series(1, 501)`,
    [leaf],
  );
  await earlier.destroy();
  const later = await openDatabase({ ...audit, migrations: auditMigrations });
  const [{ count }] = await later.query(`select count(*) from entry where changed = '{/config/model,/config}'`);
  await later.destroy();
  expect(count).toBe('501');
});

test('a query finds by words, phrases and fields', async () => {
  expect(await found({ query: 'conflict version' })).toEqual(new Set([at(1)]));
  expect(await found({ query: '"roll back"' })).toEqual(new Set([at(2)]));
  expect(await found({ query: '"back roll"' })).toEqual(new Set());
  expect(await found({ query: 'zürich' })).toEqual(new Set([at(6)]));
  expect(await found({ query: 'recover*' })).toEqual(new Set([at(5)]));
  expect(await found({ query: 'recover' })).toEqual(new Set());
  expect(await found({ query: 'actor:deploy OR outcome:denied' })).toEqual(new Set([at(0), at(6)]));
  expect(await found({ query: 'action:agent.* -actorKind:system' })).toEqual(new Set());
  expect(await found({ query: 'traceId:*' })).toEqual(new Set([at(6)]));
  expect(await found({ query: '-traceId:abc outcome:DENIED' })).toEqual(new Set());
  expect(await found({ query: `time>=${new Date(NOW - 60_000).toISOString()}` })).toEqual(new Set([at(5), at(6)]));
  expect(await found({ query: '  ' })).toEqual(new Set(newest));
  const bad = await house.ask(PAGE, { filter: { query: 'colour:red' } });
  expect(bad.errors?.[0]?.extensions.code).toBe('BAD_QUERY');
  expect(bad.errors?.[0]?.message).toContain('column 1');
});

test('a list and a live filter find the same entries', async () => {
  const word = fc.constantFrom(
    'roll',
    'back',
    'agent',
    'registeragent',
    'zürich',
    'version*',
    '"it has"',
    'nothing',
    '/(?i)ROLL\\s/',
    '/^setAgent/',
  );
  const field = fc.constantFrom(
    'action:set*',
    'actor:admin',
    'outcome:failed',
    'traceId:abc',
    'traceId:*',
    'targetType:Agent',
    'time>2000-01-01',
    'target:Z*',
    'target:/^Z.r/',
    'action:/Agent$/',
    'traceId:/b/',
  );
  const query = fc.array(fc.tuple(fc.constantFrom('', '-'), fc.oneof(word, field), fc.constantFrom(' ', ' OR ')), {
    minLength: 1,
    maxLength: 4,
  });
  const { entries, matches } = await facts();
  await fc.assert(
    fc.asyncProperty(query, async (parts) => {
      const text = parts.map(([sign, atom, joint], i) => `${i ? joint : ''}${sign}${atom}`).join('');
      expect(await found({ query: text })).toEqual(
        new Set(entries.filter(matches(text)).map(({ uuid }) => nodeId('AuditEntry', uuid))),
      );
    }),
    { numRuns: 60 },
  );
});

async function facts() {
  const events = await new EntryStore(house.runtime.database).readAfter(0, 100);
  return {
    entries: events.map(({ node }) => node as unknown as EntryFacts),
    matches: (query: string) => matcherOf(criteriaOf({ query }, NOW)),
  };
}

describe('what other houses’ nodes are given', () => {
  const REFERENCES = `query ($r: [_Any!]!, $filter: AuditFilter, $within: Duration, $first: Int) { _entities(representations: $r) {
    ... on Agent { auditEntries(first: 2, filter: $filter) { nodes { id } totalCount pageInfo { hasNextPage endCursor } } }
    ... on Alert { precedingChanges(within: $within, first: $first) { nodes { id } totalCount changeCursor } } } }`;

  test('agents’ trails, each its own page, by one statement', async () => {
    const r = [...agents, nodeId('Agent', freshUuid())].map((id) => ({ __typename: 'Agent', id }));
    const { data, errors } = await house.ask(REFERENCES, { r });
    expect(errors).toBeUndefined();
    const own = (agent: string) =>
      newest.filter((id) => trail.some((entry) => nodeId('AuditEntry', entry.id) === id && entry.targetId === agent));
    expect(
      data._entities.map(({ auditEntries }: AnyShape) => [
        ids(auditEntries),
        auditEntries.totalCount,
        auditEntries.pageInfo.hasNextPage,
      ]),
    ).toEqual([
      [own(agents[0]).slice(0, 2), 5, true],
      [own(agents[1]), 1, false],
      [[], 0, false],
    ]);
    const failed = await house.ask(REFERENCES, { r, filter: { outcomes: ['FAILED'], targetIds: [agents[0]] } });
    expect(
      failed.data._entities.map(({ auditEntries }: AnyShape) => [ids(auditEntries), auditEntries.totalCount]),
    ).toEqual([
      [[at(1)], 1],
      [[], 0],
      [[], 0],
    ]);
  });

  test('an alert’s preceding changes are what succeeded on its agent before it, without observations', async () => {
    const alert = (startedAtMs: number, agent: string | null) => ({
      __typename: 'Alert',
      id: nodeId('Alert', freshUuid()),
      startedAt: new Date(startedAtMs).toISOString(),
      agent: agent && { __typename: 'Agent', id: agent },
    });
    const preceding = async (of: object, variables: object = {}) => {
      const { data, errors } = await house.ask(REFERENCES, { r: [of], within: 'PT30M', first: 10, ...variables });
      expect(errors).toBeUndefined();
      expect(data._entities[0].precedingChanges.changeCursor).toEqual(expect.any(String));
      return ids(data._entities[0].precedingChanges);
    };
    expect(await preceding(alert(NOW, agents[0]))).toEqual([at(5), at(2)]);
    expect(await preceding(alert(NOW, agents[0]), { first: 1 })).toEqual([at(5)]);
    expect(await preceding(alert(NOW, agents[0]), { within: 'P1D' })).toEqual([at(5), at(2), at(0)]);
    expect(await preceding(alert(NOW - 1_500_000, agents[0]))).toEqual([at(2)]);
    expect(await preceding(alert(NOW - 1_500_001, agents[0]))).toEqual([]);
    expect(await preceding(alert(NOW, null))).toEqual([]);
  });

  test('nothing said means half an hour and ten', async () => {
    const query = `query ($r: [_Any!]!) { _entities(representations: $r) { ... on Alert {
      precedingChanges { nodes { id } } same: precedingChanges(within: null, first: null) { nodes { id } } } } }`;
    const alert = {
      __typename: 'Alert',
      id: nodeId('Alert', freshUuid()),
      startedAt: new Date(NOW).toISOString(),
      agent: { id: agents[0] },
    };
    const { data } = await house.ask(query, { r: [alert] }, callOf());
    expect(ids(data._entities[0].precedingChanges)).toEqual([at(5), at(2)]);
    expect(ids(data._entities[0].same)).toEqual([at(5), at(2)]);
  });
});
