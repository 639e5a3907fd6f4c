import { packageRoot } from '../../cli/platform/surroundings.ts';
import { loadAccessTable } from '../../lib/access.ts';
import { readNodeId } from '../../lib/node-id.ts';
import { AgentsDriver, startAgents } from '../../test/agents/support.ts';
import type { Figure } from '../figure.ts';

const eventsAt = process.argv.indexOf('--events');
const EVENTS = eventsAt < 0 ? 1_000_000 : Number(process.argv[eventsAt + 1]);
/** Half of all are one agent's, the rest of a thousand others. */
const OTHERS = 1_000;
const BATCH = 50_000;
const STEP_MS = 1_000;
const TURNS = 300;
const AIM_MS = 1_000;

const AT = `query ($id: ID!, $time: DateTime!) { agent(id: $id) { at(time: $time) {
  name kind version state desiredState presence labels config configVersion health { score grade penalties { reason } } } } }`;

/** What an agent was at any time, over the API of the house, among so many changes. */
export async function pastFigures(): Promise<Figure[]> {
  const house = await startAgents({ access: loadAccessTable(packageRoot()) });
  const driver = new AgentsDriver(house);
  const { id } = await driver.register({ labels: { team: 'atlas' }, config: { model: 'gpt-5', batch: 20 } });
  const uuid = readNodeId(id)?.uuid;
  const { database } = house.runtime;
  const startMs = Date.now() - (EVENTS / 2) * STEP_MS;
  await database.query(`update agent set registered_at = to_timestamp($1::float8 / 1000)`, [startMs]);
  for (let from = 0; from < EVENTS; from += BATCH) {
    await database.query(
      `insert into agent_past (agent_id, occurred_at, seq, node)
       select case when n % 2 = 0 then $1::uuid else md5((n % $2)::text)::uuid end,
              to_timestamp(($3::float8 + (n / 2) * $4) / 1000), n + 1000,
              p.node || jsonb_build_object('configVersion', n / 2)
         from generate_series($5::int, $6::int) n,
              (select node from agent_past where agent_id = $1 order by seq limit 1) p`,
      [uuid, OTHERS, startMs, STEP_MS, from, from + BATCH - 1],
    );
  }
  await database.query('analyze agent_past');
  const took: number[] = [];
  for (let turn = 0; turn < TURNS; turn += 1) {
    const change = Math.floor((EVENTS / 2 / TURNS) * turn);
    const time = new Date(startMs + change * STEP_MS + STEP_MS / 2).toISOString();
    const startedMs = performance.now();
    const { agent } = await driver.do(AT, { id, time });
    took.push(performance.now() - startedMs);
    if (agent.at.configVersion !== change)
      throw new Error(`at ${time} it was ${agent.at.configVersion}, not ${change}`);
  }
  await house.stop();
  took.sort((a, b) => a - b);
  const at = (share: number) => took[Math.ceil(took.length * share) - 1] as number;
  return [
    {
      promise: `an agent as it was, of ${EVENTS} changes, p99 ms`,
      measured: at(0.99).toFixed(1),
      against: String(AIM_MS),
      ratio: `p50 ${at(0.5).toFixed(1)}`,
    },
  ];
}
