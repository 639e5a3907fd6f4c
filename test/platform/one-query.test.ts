import { randomBytes } from 'node:crypto';
import { startTestPlatform, type TestPlatform } from '../support/platform.ts';
import { until } from '../support/until.ts';

const QUESTION = `query ($id: ID!) {
  alert(id: $id) {
    name state
    why { summary }
    precedingChanges { nodes { action actor { name } changes { op path } proof { leafIndex treeSize rootHash hashes } } }
    trace { traceId spans { name } }
    logs(first: 1) { nodes { body } }
    agent {
      name state config configVersion
      health { score grade penalties { points } }
      usage { tasks inputTokens outputTokens cost }
      logs(first: 2) { nodes { body severity traceId trace { spans { name } } } }
      traces(first: 1) { nodes { root { name } } }
      alerts(first: 1) { nodes { name } }
      auditEntries(first: 1) { totalCount }
    }
  }
}`;

describe('one query', () => {
  let platform: TestPlatform;
  beforeAll(async () => {
    platform = await startTestPlatform();
  });
  afterAll(() => platform.stop());

  const change = async (field: string, input: object, selection: string) => {
    const type = `${field[0]?.toUpperCase()}${field.slice(1)}Input`.replace(
      /^SetAgentConfigInput$/,
      'SetAgentConfigInput',
    );
    const { data, errors } = await platform.ask(
      `mutation ($input: ${type}!) { ${field}(input: $input) { ${selection} userErrors { message } } }`,
      { input },
    );
    expect({ errors, userErrors: data?.[field].userErrors }).toEqual({ errors: undefined, userErrors: [] });
    return data[field];
  };
  const send = async (route: string, body: object, token: string) => {
    const response = await platform.fetch(route, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
    });
    expect(response.status).toBe(200);
  };

  test('goes from an alert to why, the change before it with its proof, and its agent’s health, config, spend, logs and traces', async () => {
    const { agent, token } = await change(
      'registerAgent',
      { name: 'scout', kind: 'researcher', version: '1.0.0' },
      'token agent { id }',
    );
    await change('setAgentConfig', { id: agent.id, config: { depth: 3 } }, 'agent { configVersion }');
    const [traceId, spanId] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')];
    const nowNs = `${Date.now()}000000`;
    const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'scout' } }] };
    const log = {
      timeUnixNano: nowNs,
      severityNumber: 17,
      body: { stringValue: 'the page did not load' },
      traceId,
      spanId,
    };
    await send('/v1/logs', { resourceLogs: [{ resource, scopeLogs: [{ logRecords: [log] }] }] }, token);
    const attributes = [
      { key: 'gen_ai.request.model', value: { stringValue: 'gpt-5' } },
      { key: 'gen_ai.usage.input_tokens', value: { intValue: '1000000' } },
      { key: 'gen_ai.usage.output_tokens', value: { intValue: '100000' } },
    ];
    const span = {
      traceId,
      spanId,
      name: 'task',
      kind: 1,
      startTimeUnixNano: nowNs,
      endTimeUnixNano: nowNs,
      attributes,
    };
    await send('/v1/traces', { resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }] }, token);
    const { alert } = await change(
      'raiseAlert',
      { name: 'stuck', severity: 'WARNING', agentId: agent.id },
      'alert { id }',
    );

    const answer = await until(async () => {
      const { data, errors } = await platform.ask(QUESTION, { id: alert.id });
      const found = data?.alert?.agent;
      return found?.usage?.inputTokens && found.logs.nodes.length ? { data, errors } : undefined;
    });

    expect(answer.errors).toBeUndefined();
    expect(answer.data.alert).toMatchObject({
      name: 'stuck',
      state: 'FIRING',
      why: { summary: expect.stringContaining('stuck') },
      precedingChanges: {
        nodes: [
          { action: 'setAgentConfig', actor: { name: 'admin' }, proof: { rootHash: expect.any(String) } },
          { action: 'registerAgent' },
        ],
      },
      agent: {
        name: 'scout',
        config: { depth: 3 },
        configVersion: 2,
        usage: { inputTokens: 1_000_000, outputTokens: 100_000, cost: 2.25 },
        logs: {
          nodes: [{ body: 'the page did not load', severity: 'ERROR', traceId, trace: { spans: [{ name: 'task' }] } }],
        },
        traces: { nodes: [{ root: { name: 'task' } }] },
        alerts: { nodes: [{ name: 'stuck' }] },
      },
    });
    const { health } = answer.data.alert.agent;
    expect(health.penalties.reduce((sum: number, { points }: { points: number }) => sum + points, 0)).toBe(
      100 - health.score,
    );
  });
});
