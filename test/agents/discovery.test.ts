import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Principal } from '../../lib/call/principal.ts';
import { AgentPresence } from '../../lib/graphql/agent-presence.ts';
import { FleetClient } from '../../sdk/index.ts';
import { lookup, watchEndpoints } from '../../sdk/lookup.ts';
import { AgentState } from '../../subgraphs/agents/entity/enums.ts';
import { dnsZone } from '../../subgraphs/agents/service/dns-sd.ts';
import { endpointQueryOf, endpointsOf, isAsked, type Listed } from '../../subgraphs/agents/service/endpoint-query.ts';
import { targetGroups } from '../../subgraphs/agents/service/http-sd.ts';
import { type AnyShape, callOf, type TestHouse } from '../support/house.ts';
import { until } from '../support/until.ts';
import { AgentsDriver, startAgents, type TestAgent, VIEWER } from './support.ts';

const LISTED: Listed = {
  uuid: 'u',
  id: 'agent:u',
  name: 'crawler 1',
  kind: 'crawler',
  version: '1.2.0',
  labels: { zone: 'eu', 'team.name': 'web' },
  capabilities: ['crawl', 'index'],
  endpoints: [
    { name: 'http', url: 'http://10.0.0.7:8080/api' },
    { name: 'metrics', url: 'https://crawler.example/metrics' },
  ],
  state: AgentState.RUNNING,
  presence: AgentPresence.ONLINE,
  health: 90,
};
const query = (text: string) => endpointQueryOf(new URLSearchParams(text));

describe('a query for endpoints', () => {
  test.each<[string, Partial<Listed>, boolean]>([
    ['', {}, true],
    ['', { presence: AgentPresence.SUSPECT }, false],
    ['', { state: AgentState.PAUSED }, false],
    ['', { health: 79 }, false],
    ['minHealth=50', { health: 79 }, true],
    ['all=true', { presence: AgentPresence.OFFLINE, state: AgentState.FAILED, health: 0 }, true],
    ['kind=crawler&kind=other', {}, true],
    ['kind=other', {}, false],
    ['service=crawler', {}, true],
    ['service=crawler%201', {}, true],
    ['service=crawler%202', {}, false],
    ['capability=crawl&capability=index', {}, true],
    ['capability=crawl&capability=write', {}, false],
    ['version=1.2.0', {}, true],
    ['version=1.3.0', {}, false],
    ['label=zone:eu&label=team.name:web', {}, true],
    ['label=zone:us', {}, false],
    ['label=toString:x', {}, false],
  ])('%s of %j: %s', (text, agent, expected) => {
    expect(isAsked(query(text), { ...LISTED, ...agent })).toBe(expected);
  });

  test.each(['knd=a', 'minHealth=200', 'all=maybe', 'label=zone'])('%s is refused', (text) => {
    expect(() => query(text)).toThrow(expect.objectContaining({ code: 'BAD_INPUT' }));
  });

  test('the answers of Prometheus and of name servers are in their own formats', () => {
    const found = endpointsOf(query(''), LISTED);
    expect(targetGroups(found)[1]).toEqual({
      targets: ['crawler.example:443'],
      labels: expect.objectContaining({
        __scheme__: 'https',
        __metrics_path__: '/metrics',
        __meta_fleet_kind: 'crawler',
        __meta_fleet_capabilities: ',crawl,index,',
        __meta_fleet_label_team_name: 'web',
      }),
    });
    const zone = dnsZone(found, 'agents.fleet.').split('\n');
    expect(zone).toContain(
      '_crawler._sub._fleet-agent._tcp.agents.fleet. 5 IN PTR crawler\\0321\\032http._fleet-agent._tcp.agents.fleet.',
    );
    expect(zone).toContain(
      'crawler\\0321\\032http._fleet-agent._tcp.agents.fleet. 5 IN SRV 0 90 8080 10-0-0-7.agents.fleet.',
    );
    expect(zone).toContain('10-0-0-7.agents.fleet. 5 IN A 10.0.0.7');
    expect(zone).toContain(
      'crawler\\0321\\032metrics._fleet-agent._tcp.agents.fleet. 5 IN SRV 0 90 443 crawler.example.',
    );
    expect(() => dnsZone(found, '"; evil')).toThrow(expect.objectContaining({ code: 'BAD_INPUT' }));
  });
});

describe('the directory', () => {
  let house: TestHouse;
  let driver: AgentsDriver;
  beforeAll(async () => {
    house = await startAgents({ settings: { FLEET_BEAT_MS: 60_000 } });
    driver = new AgentsDriver(house);
    // Until it was read, who asks is told to come back.
    await until(async () => (await get('endpoints')).status === 200);
  });
  afterAll(() => house.stop());

  const get = async (path: string, principal: Principal = VIEWER) => {
    const { status, headers, body } = await house.client.send(`GET /discovery/${path}`, {
      call: callOf({ principal }),
    });
    const text = body.toString();
    return { status, headers, text, json: () => JSON.parse(text) as AnyShape };
  };
  const agents = async (kind: string) =>
    (await get(`endpoints?kind=${kind}`)).json().endpoints.map(({ agent }: AnyShape) => agent);
  const here = async (kind: string): Promise<TestAgent> => {
    const endpoints = [
      { name: 'http', url: 'http://127.0.0.1:9/' },
      { name: 'metrics', url: 'http://127.0.0.1:9/metrics' },
    ];
    const agent = await driver.register({ kind, endpoints });
    await driver.beat(agent);
    return agent;
  };

  test('knows an agent once it works, and no more once it does not', async () => {
    const agent = await here('worker-1');
    await until(async () => (await agents('worker-1')).length === 2);
    expect((await get('http_sd?kind=worker-1')).json()).toMatchObject([{ targets: ['127.0.0.1:9'] }]);
    expect((await get('dns-sd?kind=worker-1')).text).toContain(
      '_worker-1._sub._fleet-agent._tcp.agents.fleet. 5 IN PTR',
    );
    await driver.beat(agent, { state: 'PAUSED' });
    await until(async () => (await agents('worker-1')).length === 0);
    expect((await get('endpoints?kind=worker-1&all=true')).json().endpoints).toHaveLength(2);
    await driver.act('deregister', agent.id);
    await until(async () => (await get('endpoints?kind=worker-1&all=true')).json().endpoints.length === 0);
  });

  test('answers a waiting reader at the next change that concerns him, and not before', async () => {
    const { headers } = await get('endpoints?kind=worker-2');
    const index = Number(headers['x-fleet-index']);
    let isTold = false;
    const waiting = get(`endpoints?kind=worker-2&index=${index}&wait=25`).then((answer) => {
      isTold = true;
      return answer;
    });
    await here('another');
    await until(async () => (await agents('another')).length === 2);
    expect(isTold).toBe(false);
    const agent = await here('worker-2');
    const answer = await waiting;
    expect(Number(answer.headers['x-fleet-index'])).toBeGreaterThan(index);
    expect(answer.json().endpoints.map((found: AnyShape) => found.agent)).toEqual([agent.name, agent.name]);
  });

  test('pushes each change to who watches', async () => {
    const stream: IncomingMessage = await house.client.open('GET /discovery/endpoints?kind=worker-3&watch=true', {
      call: callOf({ principal: VIEWER }),
    });
    const lists: string[][] = [];
    let text = '';
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const blocks = text.split('\n\n');
      text = blocks.pop() as string;
      for (const block of blocks) {
        const data = block.split('\n').find((line) => line.startsWith('data: '));
        if (data) lists.push(JSON.parse(data.slice(6)).endpoints.map((found: AnyShape) => found.endpoint));
      }
    });
    stream.on('error', () => undefined);
    await until(() => lists.length === 1);
    const agent = await here('worker-3');
    await until(() => lists.at(-1)?.length === 2);
    await driver.beat(agent, { state: 'FAILED' });
    await until(() => lists.at(-1)?.length === 0);
    stream.destroy();
    expect(lists[0]).toEqual([]);
  });

  test('is closed to those without a scope for it, open to agents, and refuses what it cannot read', async () => {
    const nobody: Principal = { id: 'n', kind: 'PERSON', name: 'n', scopes: ['auditor'] };
    expect((await get('endpoints', nobody)).status).toBe(403);
    const agent = await here('worker-4');
    expect((await get('endpoints?kind=worker-4', agent.itself)).status).toBe(200);
    const refused = await get('endpoints?knd=x');
    expect({ status: refused.status, code: refused.json().errors[0].extensions.code }).toEqual({
      status: 400,
      code: 'BAD_INPUT',
    });
  });

  test('is read by the SDK, once and as it changes', async () => {
    // The public port, as far as these routes go.
    const port = createServer((request, response) => {
      void house.client.open(`GET ${request.url}`, { call: callOf({ principal: VIEWER }) }).then((answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.on('error', () => response.destroy()).pipe(response);
        response.on('close', () => answer.destroy());
      });
    });
    await new Promise<void>((resolve) => port.listen(0, '127.0.0.1', resolve));
    const client = new FleetClient({ url: `http://127.0.0.1:${(port.address() as AddressInfo).port}`, token: 'any' });
    const query = { kind: 'worker-5', capabilities: ['sing'], labels: { zone: 'eu' }, endpoint: 'http' };
    expect(await lookup(client, query)).toEqual([]);
    await expect(lookup(client, { minHealth: 200 })).rejects.toMatchObject({ code: 'BAD_INPUT', retryable: false });
    const stop = new AbortController();
    const lists: string[][] = [];
    const watching = (async () => {
      for await (const found of watchEndpoints(client, query, stop.signal)) lists.push(found.map(({ agent }) => agent));
    })();
    await until(() => lists.length === 1);
    const more = {
      capabilities: ['sing'],
      labels: { zone: 'eu' },
      endpoints: [{ name: 'http', url: 'http://127.0.0.1:9/' }],
    };
    const agent = await driver.register({ kind: 'worker-5', ...more });
    await driver.beat(agent);
    await until(() => lists.at(-1)?.includes(agent.name));
    // A stream that is cut is opened again.
    port.closeAllConnections();
    const seen = lists.length;
    await until(() => lists.length > seen);
    expect(lists.at(-1)).toEqual([agent.name]);
    stop.abort();
    await watching;
    port.closeAllConnections();
    port.close();
  });
});
