import { packageRoot } from '../../cli/platform/surroundings.ts';
import { loadAccessTable } from '../../lib/access.ts';
import { HouseClient } from '../../lib/call/house-client.ts';
import { deriveKey } from '../../lib/call/signing.ts';
import { AgentsDriver, type Live, OPERATOR, startAgents, type TestAgent } from '../../test/agents/support.ts';
import { TEST_SECRET } from '../../test/support/database.ts';
import type { Figure } from '../figure.ts';

const agentsAt = process.argv.indexOf('--agents');
const AGENTS = agentsAt < 0 ? 1_000 : Number(process.argv[agentsAt + 1]);
const TURNS = 6;
const AIM_MS = 2_000;
const AT_ONCE = 20;
/** Streams of one client: it has a bounded number of connections. */
const STREAMS = 50;

const ACT = `mutation ($input: ActOnAgentsInput!) { actOnAgents(input: $input) { job { id } userErrors { message } } }`;
const LISTEN = 'subscription ($agentId: ID!) { agentCommands(agentId: $agentId) { name } }';

/** From `actOnAgents` of 1,000 agents until each of them, listening on a stream of its own, has its command. */
export async function bulkFigures(): Promise<Figure[]> {
  const house = await startAgents({ access: loadAccessTable(packageRoot()) });
  const driver = new AgentsDriver(house);
  const agents = await fleet(driver);
  const clients: HouseClient[] = [];
  const streams: Live[] = [];
  for (let from = 0; from < agents.length; from += STREAMS) {
    const client = clientOf(house.url);
    clients.push(client);
    const own = new AgentsDriver({ ...house, client });
    const some = agents.slice(from, from + STREAMS);
    streams.push(
      ...(await Promise.all(
        some.map(({ id, itself }) => own.subscribe(LISTEN, { agentId: id }, { principal: itself })),
      )),
    );
  }
  const told: number[] = [];
  const whole: number[] = [];
  for (let turn = 0; turn < TURNS; turn += 1) {
    const startedMs = performance.now();
    const arrivals = streams.map((live) => arrival(live, turn + 1, startedMs));
    const action = turn % 2 ? 'RESUME' : 'PAUSE';
    const { actOnAgents } = await driver.do(ACT, { input: { action, filter: {} } }, { principal: OPERATOR });
    if (actOnAgents.userErrors.length) throw new Error(JSON.stringify(actOnAgents.userErrors));
    const took = await Promise.all(arrivals);
    told.push(...took);
    whole.push(Math.max(...took));
  }
  for (const live of streams) live.end();
  for (const client of clients) client.close();
  await house.stop();
  told.sort((a, b) => a - b);
  const at = (share: number) => told[Math.ceil(told.length * share) - 1] as number;
  return [
    {
      promise: `${AGENTS} agents asked at once, told, p99 ms`,
      measured: at(0.99).toFixed(0),
      against: String(AIM_MS),
      ratio: `p50 ${at(0.5).toFixed(0)}, the last of each ${whole.map((ms) => ms.toFixed(0)).join(' ')}`,
    },
  ];
}

function clientOf(url: string): HouseClient {
  return new HouseClient('agents', url, deriveKey(TEST_SECRET, 'call:agents'), () => Date.now());
}

async function fleet(driver: AgentsDriver): Promise<TestAgent[]> {
  const agents: TestAgent[] = [];
  while (agents.length < AGENTS) {
    agents.push(...(await Promise.all(Array.from({ length: AT_ONCE }, () => driver.register()))));
  }
  return agents;
}

/** When a stream has had so many commands, milliseconds from the start. */
function arrival(live: Live, count: number, startedMs: number): Promise<number> {
  const push = live.payloads.push.bind(live.payloads);
  return new Promise((resolve) => {
    live.payloads.push = (...items) => {
      const length = push(...items);
      if (length >= count) resolve(performance.now() - startedMs);
      return length;
    };
  });
}
