import type { AnyShape } from '../support/house.ts';
import { startTestPlatform, type TestPlatform } from '../support/platform.ts';
import { until } from '../support/until.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ FLEET_BEAT_MS: '200', FLEET_FLAGS: 'all-on' });
});
afterAll(() => platform.stop());

async function ask(query: string, variables: object = {}): Promise<AnyShape> {
  const { data, errors } = await platform.ask(query, variables);
  expect(errors).toBeUndefined();
  return data;
}

const CHAIN = `query ($filter: AuditFilter) { auditEntries(filter: $filter) { nodes {
  id action reason causedBy { id action targetId causedBy { id action targetId causedBy { id action } } } } } }`;

const newest = (filter: object) =>
  until(async () => {
    const { auditEntries } = await ask(CHAIN, { filter });
    return auditEntries.nodes.length ? (auditEntries.nodes as AnyShape[]) : null;
  });

test('one query walks from a recovery and from an alert to what the agent did, and to the change before it', async () => {
  const { registerAgent } = await ask(
    'mutation { registerAgent(input: { name: "frail", kind: "worker", version: "1" }) { agent { id } token } }',
  );
  const { id } = registerAgent.agent;
  const authorization = `Bearer ${registerAgent.token}`;
  const beat = (sequence: number, state: string) =>
    platform.ask(
      'mutation ($input: AgentBeatInput!) { agentBeat(input: $input) { agentId } }',
      { input: { agentId: id, sequence, state } },
      { authorization },
    );
  await beat(0, 'RUNNING');
  const { setAgentConfig } = await ask(
    'mutation ($input: SetAgentConfigInput!) { setAgentConfig(input: $input) { auditEntry { id } } }',
    { input: { id, config: { model: 'untried' }, reason: 'deploy 7' } },
  );
  const deploy = setAgentConfig.auditEntry.id;
  await ask('mutation ($input: AlertRuleInput!) { applyAlertRule(input: $input) { userErrors { message } } }', {
    input: { name: 'away', severity: 'CRITICAL', every: 'PT1S', condition: { presence: { presence: 'OFFLINE' } } },
  });
  // It fails, and is silent from then on.
  await beat(1, 'FAILED');
  const recoveries = await newest({ targetIds: [id], actions: ['agent.recovery.restart'] });
  expect(recoveries.at(-1)).toMatchObject({
    causedBy: { action: 'agent.state.changed', targetId: id, causedBy: { id: deploy, action: 'setAgentConfig' } },
  });
  const [fired] = await newest({ actions: ['alert.fired'], query: 'actorKind:system' });
  const { causedBy } = fired as AnyShape;
  expect(causedBy.targetId).toBe(id);
  expect(causedBy.action).toMatch(/^agent\./);
  expect(causedBy.causedBy).not.toBeNull();
});
