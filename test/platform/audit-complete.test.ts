import { readFileSync } from 'node:fs';
import path from 'node:path';
import { buildSchema } from 'graphql';
import { type KnownIds, mutationsOf, type SampleMutation, UNAUDITED } from '../support/mutations.ts';
import { startTestPlatform, type TestPlatform } from '../support/platform.ts';
import { until } from '../support/until.ts';

const supergraph = readFileSync(path.resolve(__dirname, '../../schema/supergraph.graphql'), 'utf8');
const mutations = mutationsOf(buildSchema(supergraph, { assumeValid: true, assumeValidSDL: true }));
const audited = mutations.filter(({ isAudited }) => isAudited);
const byName = (found: readonly SampleMutation[]) => found.map((mutation) => [mutation.name, mutation] as const);

let platform: TestPlatform;
let viewer = '';
let known: KnownIds = {};
beforeAll(async () => {
  platform = await startTestPlatform();
  const { data } = await platform.ask(`mutation {
    reader: createApiKey(input: { name: "reader", scopes: ["viewer"] }) { secret }
    spare: createApiKey(input: { name: "spare", scopes: ["viewer"] }) { apiKey { id } }
    registerAgent(input: { name: "worker", kind: "worker", version: "1" }) { agent { id } }
    raiseAlert(input: { name: "trouble", severity: WARNING }) { alert { id } }
  }`);
  viewer = data.reader.secret;
  const agent: string = data.registerAgent.agent.id;
  known = {
    RevokeApiKeyInput: data.spare.apiKey.id,
    AgentActionInput: agent,
    SetAgentConfigInput: agent,
    SendAgentCommandInput: agent,
    AlertActionInput: data.raiseAlert.alert.id,
  };
});
afterAll(() => platform.stop());

interface FoundEntry {
  id: string;
  action: string;
  outcome: string;
}

/** The entries of one request, but for what the platform did by itself because of it. */
async function entriesOf(requestId: string): Promise<FoundEntry[]> {
  const { data } = await platform.ask(
    `query ($filter: AuditFilter) { auditEntries(filter: $filter) { nodes { id action outcome } } }`,
    { filter: { query: `requestId:"${requestId}" -actorKind:SYSTEM` } },
  );
  return data.auditEntries.nodes;
}

test('there are mutations, and the telemetry ones are among them', () => {
  expect(audited.length).toBeGreaterThan(20);
  expect(
    mutations
      .filter(({ isAudited }) => !isAudited)
      .map(({ name }) => name)
      .sort(),
  ).toEqual([...UNAUDITED].sort());
});

test.each(byName(audited))(
  '%s leaves exactly one entry, in the tree, and none when it is repeated',
  async (name, mutation) => {
    const input = mutation.input(known, { clientMutationId: `sample-${name}` });
    const { data, errors } = await platform.ask(mutation.query, { input });
    expect(errors).toBeUndefined();
    const { auditEntry, userErrors } = data[name];
    expect(auditEntry).toEqual({
      id: expect.any(String),
      action: name,
      outcome: userErrors.length ? expect.stringMatching(/FAILED|DENIED/) : 'SUCCEEDED',
      isDryRun: false,
      requestId: expect.any(String),
      leafHash: expect.stringMatching(/^[\w+/]{43}=$/),
      proof: { leafIndex: expect.any(String) },
    });
    const { id, action, outcome, requestId } = auditEntry;
    expect(await entriesOf(requestId)).toEqual([{ id, action, outcome }]);
    const again = await platform.ask(mutation.query, { input });
    expect(again.data[name].auditEntry.id).toBe(id);
  },
);

test.each(byName(audited.filter(({ hasDryRun }) => hasDryRun)))(
  'a dry run of %s leaves exactly one entry, which says so',
  async (name, mutation) => {
    const { data } = await platform.ask(mutation.query, { input: mutation.input(known, { dryRun: true }) });
    const { action, isDryRun, requestId } = data[name].auditEntry;
    expect({ action, isDryRun }).toEqual({ action: name, isDryRun: true });
    expect(await entriesOf(requestId)).toHaveLength(1);
  },
);

test.each(byName(audited))('%s, refused for lack of a scope, leaves exactly one entry', async (_name, mutation) => {
  const { errors } = await platform.ask(
    mutation.query,
    { input: mutation.input(known) },
    { authorization: `Bearer ${viewer}` },
  );
  expect(errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  const requestId = String(errors?.[0]?.extensions['requestId']);
  const entries = await until(async () => {
    const found = await entriesOf(requestId);
    return found.length ? found : null;
  });
  expect(entries.map(({ outcome }) => outcome)).toEqual(['DENIED']);
});

test('telemetry leaves none', async () => {
  for (const { query, input } of mutations.filter(({ isAudited }) => !isAudited))
    await platform.ask(query, { input: input(known) });
  // What comes after them in the same houses' outboxes is there, so that they would be too.
  const { data } = await platform.ask(
    `mutation { revokeApiKey(input: { id: "none" }) { auditEntry { id action } } applyRetentionPolicy(input: { name: "x", match: {}, keepFor: "P1D", dryRun: true }) { auditEntry { id action } } }`,
  );
  expect(data.revokeApiKey.auditEntry.action).toBe('revokeApiKey');
  expect(data.applyRetentionPolicy.auditEntry.action).toBe('applyRetentionPolicy');
  const found = await platform.ask('query ($filter: AuditFilter) { auditEntries(filter: $filter) { totalCount } }', {
    filter: { actions: UNAUDITED },
  });
  expect(found.data.auditEntries.totalCount).toBe(0);
});
