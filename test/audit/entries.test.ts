import { createHash } from 'node:crypto';
import { nodeId } from '../../lib/node-id.ts';
import type { TestHouse } from '../support/house.ts';
import { deliver, draft, startAudit } from './support.ts';

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
      `"causedBy":"${cause.id}","clientIp":"127.0.0.1","id":"${entry.id}","occurredAt":"2026-01-02T03:04:05.006Z",` +
      `"outcome":"SUCCEEDED","reason":"it crashed","requestId":"request 1","targetId":"${agent}","targetType":"Agent",` +
      '"traceId":"0af7651916cd43dd8448eb211c80319c","version":1}',
  );
  const expected = createHash('sha256').update(Buffer.from([0])).update(leaf).digest('base64');
  expect([leafHash, proof.leafHash]).toEqual([expected, expected]);
});
