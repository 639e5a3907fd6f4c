import { createHash } from 'node:crypto';
import type { Principal } from '../../lib/call/principal.ts';
import { nodeId } from '../../lib/node-id.ts';
import { ADMIN, type TestHouse } from '../support/house.ts';
import { allPlaced, deliver, draft, freshUuid, startAudit } from './support.ts';

let house: TestHouse;
beforeAll(async () => {
  house = await startAudit();
});
afterAll(() => house.stop());

const WHOLE = `query ($id: ID!) { auditEntry(id: $id) {
  id index occurredAt actor { id kind name } action outcome reason targetType targetId target { __typename id }
  before after changes { op path value oldValue } requestId traceId clientIp causedBy { id } leafHash
  proof { leafIndex treeSize leaf leafHash hashes rootHash } } }`;

test('an entry is found by its id, whole, with what changed and the bytes that are proved', async () => {
  const agent = nodeId('Agent', draft().id);
  const cause = draft({ action: 'setAgentConfig' });
  const entry = draft({
    action: 'agent.recovery.restart',
    occurredAtMs: Date.UTC(2026, 0, 2, 3, 4, 5, 6),
    actor: { id: 'system:agents', kind: 'SYSTEM', name: 'agents' },
    reason: 'it crashed',
    targetId: agent,
    before: { restarts: 1, labels: { env: 'prod' } },
    after: { restarts: 2, labels: { env: 'prod' } },
    traceId: '0af7651916cd43dd8448eb211c80319c',
    causedBy: cause.id,
  });
  expect(await deliver(house, [cause, entry])).toEqual({ status: 200, body: '{}' });
  await allPlaced(house);
  const { data, errors } = await house.ask(WHOLE, { id: nodeId('AuditEntry', entry.id) });
  expect(errors).toBeUndefined();
  const { proof, leafHash, ...facts } = data.auditEntry;
  expect(facts).toEqual({
    id: nodeId('AuditEntry', entry.id),
    index: expect.stringMatching(/^\d+$/),
    occurredAt: '2026-01-02T03:04:05.006Z',
    actor: { id: 'system:agents', kind: 'SYSTEM', name: 'agents' },
    action: 'agent.recovery.restart',
    outcome: 'SUCCEEDED',
    reason: 'it crashed',
    targetType: 'Agent',
    targetId: agent,
    target: { __typename: 'Agent', id: agent },
    before: { restarts: 1, labels: { env: 'prod' } },
    after: { restarts: 2, labels: { env: 'prod' } },
    changes: [{ op: 'replace', path: '/restarts', value: 2, oldValue: 1 }],
    requestId: 'request 1',
    traceId: '0af7651916cd43dd8448eb211c80319c',
    clientIp: '127.0.0.1',
    causedBy: { id: nodeId('AuditEntry', cause.id) },
  });
  const leaf = Buffer.from(proof.leaf, 'base64');
  expect(leaf.toString()).toBe(
    '{"action":"agent.recovery.restart","actor":{"id":"system:agents","kind":"SYSTEM","name":"agents"},' +
      '"after":{"labels":{"env":"prod"},"restarts":2},"before":{"labels":{"env":"prod"},"restarts":1},' +
      `"causedBy":"${cause.id}","clientIp":"127.0.0.1","id":"${entry.id}","isDryRun":false,"occurredAt":"2026-01-02T03:04:05.006Z",` +
      `"outcome":"SUCCEEDED","reason":"it crashed","requestId":"request 1","targetId":"${agent}","targetType":"Agent",` +
      '"traceId":"0af7651916cd43dd8448eb211c80319c","version":2}',
  );
  const expected = createHash('sha256')
    .update(Buffer.from([0]))
    .update(leaf)
    .digest('base64');
  expect([leafHash, proof.leafHash]).toEqual([expected, expected]);
});

test('an entry that is delivered again stays as it was first', async () => {
  const entry = draft({ after: { n: 1 } });
  await deliver(house, [entry, entry]);
  expect(await deliver(house, [entry, draft()])).toEqual({ status: 200, body: '{}' });
  expect(await deliver(house, [{ ...entry, after: { n: 2 } }])).toEqual({ status: 200, body: '{}' });
  const rows = await house.runtime.database.query('select count(*) as count from entry where id = $1', [entry.id]);
  expect(rows).toEqual([{ count: '1' }]);
  const { data } = await house.ask(WHOLE, { id: nodeId('AuditEntry', entry.id) });
  expect(data.auditEntry.after).toEqual({ n: 1 });
  expect(data.auditEntry.changes).toEqual([{ op: 'add', path: '', value: { n: 1 }, oldValue: null }]);
});

test('a batch that is no batch is refused, and nothing of it is stored', async () => {
  const good = draft();
  const refused = async (entries: readonly unknown[]) => {
    const { status, body } = await deliver(house, entries);
    return [status, JSON.parse(body).errors[0].message];
  };
  expect(await refused([good, { ...draft(), id: 'x' }])).toEqual([400, 'entries.1.id: Invalid UUID']);
  expect(await refused([{ ...good, outcome: 'MAYBE' }])).toEqual([400, expect.stringContaining('entries.0.outcome')]);
  expect(await refused(Array.from({ length: 501 }, () => draft()))).toEqual([
    400,
    expect.stringContaining('entries: Too big'),
  ]);
  const broken = await house.client.send('POST /internal/entries', {
    call: { principal: ADMIN, requestId: 'r' },
    body: '{',
  });
  expect([broken.status, JSON.parse(broken.body.toString()).errors[0].extensions.code]).toEqual([400, 'BAD_INPUT']);
  const { data, errors } = await house.ask(`query ($id: ID!) { auditEntry(id: $id) { id } }`, {
    id: nodeId('AuditEntry', good.id),
  });
  expect([data.auditEntry, errors?.[0]?.extensions.code]).toEqual([null, 'AUDIT_PENDING']);
});

test('an unsigned batch is refused', async () => {
  const answer = await fetch(`${house.url}/internal/entries`, { method: 'POST', body: '{"entries":[]}' });
  expect(answer.status).toBe(401);
});

test('a secret in a value before or after is never stored, and that it changed can be seen', async () => {
  const secret = `s3cr3t-${freshUuid()}`;
  const value = (text: string) => ({
    webhook: { url: 'https://example.org', secret: text, Authorization: [`Bearer ${text}`] },
    list: [{ 'api-key': text }, { apiKey: { nested: text } }],
    maxTokens: 4096,
    isTokenBound: true,
    password: null,
    pinToken: 1234,
  });
  const entry = draft({ before: value(secret), after: value(`${secret}2`) });
  await deliver(house, [entry]);
  const { data } = await house.ask(WHOLE, { id: nodeId('AuditEntry', entry.id) });
  const mark = expect.stringMatching(/^redacted:hmac-sha256:[\w-]{22}$/);
  expect(data.auditEntry.after).toEqual({
    webhook: { url: 'https://example.org', secret: mark, Authorization: mark },
    list: [{ 'api-key': mark }, { apiKey: mark }],
    maxTokens: 4096,
    isTokenBound: true,
    password: null,
    pinToken: mark,
  });
  expect(data.auditEntry.changes.map(({ path }: { path: string }) => path)).toEqual([
    '/list',
    '/webhook/Authorization',
    '/webhook/secret',
  ]);
  const [{ dump }] = await house.runtime.database.query(
    `select string_agg(e::text || convert_from(leaf, 'UTF8'), '') as dump from entry e`,
  );
  expect(dump).not.toContain(secret);
});

test('text that PostgreSQL cannot hold is stored all the same, and proved as it was', async () => {
  const entry = draft({ reason: 'nul \0 here', after: { 'k\0': '\ud800' } });
  expect((await deliver(house, [entry])).status).toBe(200);
  const { data } = await house.ask(WHOLE, { id: nodeId('AuditEntry', entry.id) });
  expect(data.auditEntry.reason).toBe('nul \ufffd here');
  expect(JSON.parse(Buffer.from(data.auditEntry.proof.leaf, 'base64').toString()).reason).toBe('nul \0 here');
});

test('what an entry is about is a node of the house that owns it, or null', async () => {
  const about = async (targetType: string, targetId: string) => {
    const entry = draft({ targetType, targetId });
    await deliver(house, [entry]);
    const { data } = await house.ask(WHOLE, { id: nodeId('AuditEntry', entry.id) });
    return data.auditEntry.target;
  };
  const [first] = [draft()];
  await deliver(house, [first]);
  const id = (type: string) => nodeId(type, freshUuid());
  for (const type of ['Alert', 'AlertRule', 'LogEntry']) {
    const target = id(type);
    expect(await about(type, target)).toEqual({ __typename: type, id: target });
  }
  const entryId = nodeId('AuditEntry', first?.id as string);
  expect(await about('AuditEntry', entryId)).toEqual({ __typename: 'AuditEntry', id: entryId });
  expect(await about('ApiKey', id('ApiKey'))).toBeNull();
  expect(await about('Agent', 'a-name')).toBeNull();
  expect(await about('Agent', id('Alert'))).toBeNull();
});

test('each scope reads what it may', async () => {
  const entry = draft({ before: { a: 1 }, after: { a: 2 } });
  await deliver(house, [entry]);
  await allPlaced(house);
  const id = nodeId('AuditEntry', entry.id);
  const as = (...scopes: Principal['scopes']) => ({ principal: { ...ADMIN, id: 'somebody', scopes } });
  const codes = async (field: string, ...scopes: Principal['scopes']) => {
    const query = `query ($r: [_Any!]!) { _entities(representations: $r) { ... on AuditEntry { ${field} } } }`;
    const { errors } = await house.ask(query, { r: [{ __typename: 'AuditEntry', id }] }, as(...scopes));
    return errors?.map(({ extensions }) => extensions.code);
  };
  for (const receipt of ['id', 'leafHash', 'index', 'proof { hashes rootHash }'])
    expect(await codes(receipt, 'agent')).toBeUndefined();
  expect(await codes('action', 'agent')).toEqual(['FORBIDDEN']);
  expect(await codes('action actor { name }', 'viewer')).toBeUndefined();
  for (const field of ['before', 'after', 'changes { path }', 'clientIp', 'proof { leaf }']) {
    expect(await codes(field, 'viewer')).toEqual(['FORBIDDEN']);
    expect(await codes(field, 'operator')).toBeUndefined();
    expect(await codes(field, 'auditor')).toBeUndefined();
  }
});
