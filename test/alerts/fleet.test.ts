import { type Agent, connect } from '../../sdk/index.ts';
import type { AnyShape } from '../support/house.ts';
import { startTestPlatform, type TestPlatform } from '../support/platform.ts';
import { until } from '../support/until.ts';

let platform: TestPlatform;
let agent: Agent;

beforeAll(async () => {
  platform = await startTestPlatform({ FLEET_BEAT_MS: '250' });
  agent = await connect({
    url: platform.url,
    token: platform.token,
    name: 'scribe',
    kind: 'writer',
    version: '1',
    metricsEveryMs: 250,
  });
});
afterAll(async () => {
  // Also when the start failed half-way: an engine that is left open ends the whole run.
  await agent?.close();
  await platform?.stop();
});

const ONE = `query ($filter: AlertFilter) {
  alerts(filter: $filter) {
    nodes {
      id name severity state value labels
      why { summary threshold samples { value } }
      agent { name health { score } config logs(first: 2) { nodes { body } } usage { tasks } }
      trace { traceId spans { name service } }
      logs(first: 50) { nodes { severity body } }
      precedingChanges { nodes { action proof { leafIndex } } }
    }
  }
}`;

async function alertNamed(name: string): Promise<AnyShape> {
  return await until(async () => {
    const { data, errors } = await platform.ask(ONE, { filter: { names: [name], states: ['FIRING'] } });
    expect(errors).toBeUndefined();
    return data.alerts.nodes[0];
  });
}

test('from an alert one request reaches its reason, its agent, the change before it with its proof, its logs and its trace', async () => {
  await until(() => agent.state === 'RUNNING');
  await agent
    .task('write', {}, () => {
      for (let page = 1; page <= 12; page++) agent.log.error(`page ${page} was refused`);
    })
    .catch(() => undefined);
  const alert = await alertNamed('error-burst');
  expect(alert).toMatchObject({
    severity: 'WARNING',
    labels: { agent: 'scribe' },
    value: 12,
    why: { summary: '12 log entries of scribe within PT1M, more than 10.', threshold: 10 },
    agent: { name: 'scribe', health: { score: expect.any(Number) } },
  });
  expect(alert.logs.nodes.filter(({ severity }: AnyShape) => severity === 'ERROR').length).toBeGreaterThan(0);
  expect(alert.precedingChanges.nodes.map(({ action }: AnyShape) => action)).toContain('registerAgent');
  expect(alert.precedingChanges.nodes[0].proof).toEqual({ leafIndex: expect.any(String) });
  expect(alert.trace.traceId).toMatch(/^[0-9a-f]{32}$/);
  await until(async () => (await alertNamed('error-burst')).trace.spans.some(({ name }: AnyShape) => name === 'write'));
});

test('a metric of an agent that leaves its bounds is an alert about that agent', async () => {
  const input = {
    name: 'queue too long',
    severity: 'INFO',
    every: 'PT1S',
    condition: { metric: { query: { metric: 'queue_length', overTime: 'LAST' }, above: 100 } },
  };
  const apply = 'mutation ($input: AlertRuleInput!) { applyAlertRule(input: $input) { userErrors { message } } }';
  expect((await platform.ask(apply, { input })).data.applyAlertRule.userErrors).toEqual([]);
  agent.metric('queue_length', 250);
  const alert = await alertNamed('queue too long');
  expect([alert.value, alert.agent.name, alert.labels.agent]).toEqual([250, 'scribe', 'scribe']);
  expect(alert.why.summary).toBe('queue_length of scribe is 250, above 100.');
});

test('an agent that falls silent is an alert, told by subscription with its agent joined', async () => {
  const abort = new AbortController();
  const response = await platform.fetch('/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({
      query: `subscription { alertChanged(filter: { names: ["agent-offline"] }) { kind node { name state agent { name presence } } } }`,
    }),
    signal: abort.signal,
  });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  agent.silence();
  let seen = '';
  while (reader && !seen.includes('"FIRING"')) seen += (await reader.read()).value ?? '';
  expect(seen).toContain('"agent":{"name":"scribe","presence":"OFFLINE"}');
  abort.abort();
});
