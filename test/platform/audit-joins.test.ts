import { verifyInclusion } from '../../lib/merkle/index.ts';
import type { AnyShape } from '../support/house.ts';
import { startTestPlatform, type TestPlatform } from '../support/platform.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.stop());

async function ask(query: string, variables: object = {}): Promise<AnyShape> {
  const { data, errors } = await platform.ask(query, variables);
  expect(errors).toBeUndefined();
  return data;
}

test('one query goes from an alert to the change before it, with its proof, and to the agent as it is now', async () => {
  const { registerAgent } = await ask(
    'mutation { registerAgent(input: { name: "planner-1", kind: "planner", version: "1", config: { model: "small" } }) { agent { id } } }',
  );
  const agentId: string = registerAgent.agent.id;
  const { setAgentConfig } = await ask(
    `mutation ($input: SetAgentConfigInput!) { setAgentConfig(input: $input) { userErrors { message } auditEntry { id leafHash } } }`,
    { input: { id: agentId, config: { model: 'large', apiKey: 'a-secret' }, reason: 'try the large one' } },
  );
  const { raiseAlert } = await ask(
    `mutation ($input: RaiseAlertInput!) { raiseAlert(input: $input) { alert { id } auditEntry { id target { id ... on Alert { name } } } } }`,
    { input: { name: 'slow', severity: 'WARNING', agentId } },
  );
  expect(raiseAlert.auditEntry.target).toEqual({ id: raiseAlert.alert.id, name: 'slow' });
  const { alert } = await ask(
    `query ($id: ID!) { alert(id: $id) { name precedingChanges { nodes {
       id action reason actor { name } changes { op path value oldValue } target { ... on Agent { name } }
       proof { leafIndex treeSize leafHash hashes rootHash } } }
       agent { name auditEntries(first: 1) { nodes { action } totalCount } } } }`,
    { id: raiseAlert.alert.id },
  );
  const [change, registration] = alert.precedingChanges.nodes;
  const { proof, changes, ...facts } = change;
  expect(facts).toEqual({
    id: setAgentConfig.auditEntry.id,
    action: 'setAgentConfig',
    reason: 'try the large one',
    actor: { name: expect.any(String) },
    target: { name: 'planner-1' },
  });
  expect(JSON.stringify(changes)).toContain('"oldValue":"small"');
  expect(JSON.stringify(changes)).not.toContain('a-secret');
  expect(proof.leafHash).toBe(setAgentConfig.auditEntry.leafHash);
  const bytes = (text: string) => Buffer.from(text, 'base64');
  expect(
    verifyInclusion({
      leafIndex: Number(proof.leafIndex),
      treeSize: Number(proof.treeSize),
      leafHash: bytes(proof.leafHash),
      hashes: proof.hashes.map(bytes),
      rootHash: bytes(proof.rootHash),
    }),
  ).toBe(true);
  expect(registration.action).toBe('registerAgent');
  expect(alert.agent).toEqual({
    name: 'planner-1',
    auditEntries: { nodes: [{ action: 'setAgentConfig' }], totalCount: 2 },
  });
});

test('a node is found by an entry’s id, and a stranger’s id is null', async () => {
  const { auditEntries } = await ask('{ auditEntries(first: 1) { nodes { id } } }');
  const [{ id }] = auditEntries.nodes;
  const stranger = Buffer.from('AuditEntry:01890a5d-ac96-774b-bcce-b302099a8057').toString('base64url');
  const found = await ask('query ($ids: [ID!]!) { nodes(ids: $ids) { id ... on AuditEntry { action } } }', {
    ids: [id, stranger],
  });
  expect(found.nodes).toEqual([{ id, action: expect.any(String) }, null]);
});

test('a live entry comes with other houses’ fields joined', async () => {
  const abort = new AbortController();
  const response = await platform.fetch('/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({
      query: `subscription { auditEntryAppended(filter: { query: "action:registerAgent actor:admin" }) {
        cursor kind node { action target { ... on Agent { name state health { score } } } proof { leafIndex } } } }`,
    }),
    signal: abort.signal,
  });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  // The stream is open once its first bytes are here.
  let text = (await reader?.read())?.value ?? '';
  await ask('mutation { registerAgent(input: { name: "planner-2", kind: "planner", version: "1" }) { agent { id } } }');
  while (!text.includes('planner-2')) text += (await reader?.read())?.value ?? '';
  const [, payload = ''] = /^data: (.*planner-2.*)$/m.exec(text) ?? [];
  expect(JSON.parse(payload).data.auditEntryAppended).toEqual({
    cursor: expect.any(String),
    kind: 'CREATED',
    node: {
      action: 'registerAgent',
      target: { name: 'planner-2', state: expect.any(String), health: { score: expect.any(Number) } },
      proof: { leafIndex: expect.any(String) },
    },
  });
  abort.abort();
  await reader?.cancel().catch(() => undefined);
});
