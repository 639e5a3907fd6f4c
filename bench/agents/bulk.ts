import { packageRoot } from '../../cli/platform/surroundings.ts';
import { loadAccessTable } from '../../lib/access.ts';
import { AgentsDriver, type Live, OPERATOR, startAgents, type TestAgent } from '../../test/agents/support.ts';
import type { Figure } from '../figure.ts';

const AGENTS = 1_000;
const TURNS = 6;
const AIM_MS = 2_000;
const AT_ONCE = 20;

const ACT = `mutation ($input: ActOnAgentsInput!) { actOnAgents(input: $input) { job { id } userErrors { message } } }`;
const LISTEN = 'subscription ($agentId: ID!) { agentCommands(agentId: $agentId) { name } }';

/** From `actOnAgents` of 1,000 agents until each of them, listening on a stream of its own, has its command. */
export async function bulkFigures(): Promise<Figure[]> {
  const house = await startAgents({ access: loadAccessTable(packageRoot()) });
  const driver = new AgentsDriver(house);
  const agents = await fleet(driver);
  const streams: Live[] = [];
  for (const agent of agents) {
    streams.push(await driver.subscribe(LISTEN, { agentId: agent.id }, { principal: agent.itself }));
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
