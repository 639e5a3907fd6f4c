import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { FleetFailure, type UserError } from '../../sdk/index.ts';
import { dataFolder, settled } from '../client.ts';
import { type Context, contextOf, type Surface } from '../context.ts';

const DEMO_AGENTS = `query DemoAgents($filter: AgentFilter) { agents(first: 100, filter: $filter) { nodes { id name } } }`;
const DEREGISTER = `mutation DeregisterAgent($input: AgentActionInput!) { deregisterAgent(input: $input) { userErrors { code message field } } }`;
const FILTER = { labels: [{ name: 'fleet.demo', op: 'EQ', value: 'true' }] };

export function addDemo(program: Command, surface: Surface): void {
  const demo = program.command('demo').description('Takes the demo fleet away.');
  demo
    .command('stop')
    .description('Ends the demo’s process on this machine; its agents stay known.')
    .action(() => {
      const stopped = stop();
      surface.out.write(stopped ? 'the demo fleet stops\n' : 'no demo fleet runs\n');
    });
  const clear = demo
    .command('clear')
    .description('Stops the demo and deregisters every agent labelled fleet.demo=true.');
  clear.action(() => removeAll(contextOf(clear, surface)));
}

/** Ends the process that the supervisor wrote down; it does not come back, since it ends with 0. */
function stop(): boolean {
  try {
    const pid = Number(readFileSync(path.join(dataFolder(), 'demo.pid'), 'utf8'));
    return Number.isSafeInteger(pid) && pid > 1 && process.kill(pid, 'SIGTERM');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return false;
    if (code === 'EPERM') throw new FleetFailure('FORBIDDEN', 'the demo fleet runs as another user');
    throw error;
  }
}

async function removeAll({ client, printer }: Context): Promise<void> {
  stop();
  let removed = 0;
  for (;;) {
    const { agents } = await client.query<{ agents: { nodes: { id: string; name: string }[] } }>(DEMO_AGENTS, {
      filter: FILTER,
    });
    if (!agents.nodes.length) break;
    for (const { id } of agents.nodes) {
      const { deregisterAgent } = await client.query<{ deregisterAgent: { userErrors: UserError[] } | null }>(
        DEREGISTER,
        {
          input: { id, reason: 'fleet demo clear' },
        },
      );
      settled(deregisterAgent);
      removed++;
    }
  }
  printer.answer({ removed }, () => printer.line(`${removed} demo agents are deregistered`));
}
