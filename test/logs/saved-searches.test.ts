import { callOf } from '../support/house.ts';
import { bodies, ingest, type LogsHouse, startLogsHouse } from './support.ts';

const APPLY = `mutation ($input: SavedLogSearchInput!) {
  applySavedLogSearch(input: $input) {
    savedSearch { name version query description owner { id } } changes { op path } userErrors { code message field } auditEntry { id }
  }
}`;
const DELETE = `mutation ($input: DeleteByNameInput!) {
  deleteSavedLogSearch(input: $input) { name userErrors { code message field } auditEntry { id } }
}`;
const LIST = '{ savedLogSearches { name version query description } }';

let house: LogsHouse;
beforeAll(async () => {
  house = await startLogsHouse();
  await ingest(house, [
    { body: 'payment failed', service: 'checkout', severity: 'ERROR' },
    { body: 'payment done', service: 'checkout' },
    { body: 'payment failed', service: 'billing', severity: 'ERROR' },
    { body: 'mail failed', service: 'mail', severity: 'WARN' },
  ]);
});
afterAll(() => house.close());

const apply = async (input: object) => (await house.ask(APPLY, { input })).data.applySavedLogSearch;

test('is made, kept at its version while nothing changes, changed and deleted; each in the trail', async () => {
  const input = { name: 'failing', query: 'failed OR timeout', description: 'first look' };
  expect(await apply({ ...input, dryRun: true })).toMatchObject({ savedSearch: { version: 1 }, userErrors: [] });
  expect((await house.ask(LIST)).data.savedLogSearches).toEqual([]);
  const made = await apply(input);
  expect(made).toEqual({
    savedSearch: { ...input, version: 1, owner: { id: 'admin' } },
    changes: [{ op: 'add', path: '' }],
    userErrors: [],
    auditEntry: { id: expect.any(String) },
  });
  expect(await apply(input)).toMatchObject({ savedSearch: { version: 1 }, changes: [] });
  const stale = await apply({ ...input, query: 'failed', expectedVersion: 7 });
  expect(stale).toMatchObject({
    savedSearch: null,
    userErrors: [{ code: 'CONFLICT', field: ['input', 'expectedVersion'] }],
  });
  const other = {
    principal: { id: 'someone', kind: 'PERSON' as const, name: 'someone', scopes: ['operator' as const] },
  };
  const changed = await house.ask(APPLY, { input: { ...input, query: 'failed', expectedVersion: 1 } }, other);
  expect(changed.data.applySavedLogSearch).toMatchObject({
    savedSearch: { version: 2, owner: { id: 'admin' } },
    changes: [
      { op: 'replace', path: '/query' },
      { op: 'replace', path: '/version' },
    ],
  });
  const entries: { outcome: string; version: string | null }[] = await house.runtime.database.query(
    `select entry ->> 'outcome' as outcome, entry -> 'after' ->> 'version' as version from audit_outbox
      where entry ->> 'action' = 'applySavedLogSearch' order by seq`,
  );
  expect(entries.slice(-4)).toEqual([
    { outcome: 'SUCCEEDED', version: '1' },
    { outcome: 'SUCCEEDED', version: '1' },
    { outcome: 'FAILED', version: null },
    { outcome: 'SUCCEEDED', version: '2' },
  ]);
  expect(
    (await house.ask(DELETE, { input: { name: 'failing', expectedVersion: 1 } })).data.deleteSavedLogSearch,
  ).toMatchObject({ name: null, userErrors: [{ code: 'CONFLICT' }] });
  expect((await house.ask(DELETE, { input: { name: 'failing' } })).data.deleteSavedLogSearch).toMatchObject({
    name: 'failing',
    userErrors: [],
  });
  expect((await house.ask(DELETE, { input: { name: 'failing' } })).data.deleteSavedLogSearch).toMatchObject({
    userErrors: [{ code: 'NOT_FOUND', field: ['input', 'name'] }],
  });
});

test('a search that is none, a name that is none: refused with the place', async () => {
  expect((await apply({ name: 'bad', query: 'severity>=oops' })).userErrors).toEqual([
    expect.objectContaining({ code: 'BAD_QUERY', message: expect.stringContaining('column 11') }),
  ]);
  expect((await apply({ name: 'bad', query: '  ' })).userErrors[0]).toMatchObject({ code: 'BAD_QUERY' });
  expect((await apply({ name: 'a b', query: 'x' })).userErrors[0]).toMatchObject({
    code: 'BAD_INPUT',
    field: ['input', 'name'],
  });
  const denied = await house.ask(
    APPLY,
    { input: { name: 'x', query: 'x' } },
    {
      principal: { id: 'v', kind: 'PERSON', name: 'v', scopes: ['viewer'] },
    },
  );
  expect(denied.errors?.[0]?.extensions.code).toBe('FORBIDDEN');
});

test('a filter asks by its name, beside a query of its own: lists, counts, facets, patterns, export and a tail', async () => {
  await apply({ name: 'lost', query: 'failed OR refused' });
  const filter = { savedSearch: 'lost', query: 'service:checkout OR service:mail' };
  expect((await bodies(house, filter)).sort()).toEqual(['mail failed', 'payment failed']);
  const whole = await house.ask(
    `query ($filter: LogFilter) {
      logHistogram(filter: $filter, maxBuckets: 1) { count }
      logFacets(filter: $filter, field: "service") { value }
      logPatterns(filter: $filter) { count }
      errorGroups(filter: $filter) { nodes { count } }
    }`,
    { filter },
  );
  expect(whole.errors).toBeUndefined();
  expect(whole.data.logHistogram.reduce((sum: number, { count }: { count: number }) => sum + count, 0)).toBe(2);
  expect(whole.data.logFacets.map(({ value }: { value: string }) => value).sort()).toEqual(['checkout', 'mail']);
  expect(whole.data.errorGroups.nodes).toEqual([{ count: 1 }]);
  const file = await house.client.send('GET /v1/logs/export?savedSearch=lost&service=billing', { call: callOf() });
  expect(
    file.body
      .toString()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).service),
  ).toEqual(['billing']);
  const unknown = await house.ask('{ logs(filter: { savedSearch: "gone" }) { nodes { id } } }');
  expect(unknown.errors?.[0]).toMatchObject({
    message: 'there is no saved search gone',
    extensions: { code: 'NOT_FOUND' },
  });
  const mistaken = await house.ask(
    '{ logs(filter: { savedSearch: "lost", query: "a severity>=x" }) { nodes { id } } }',
  );
  expect(mistaken.errors?.[0]?.message).toContain('column 13');
  expect(await bodies(house, { savedSearch: 'lost', query: ' ' })).toHaveLength(3);
});
