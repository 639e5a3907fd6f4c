import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { type FleetClient, FleetFailure, type UserError } from '../../sdk/index.ts';
import { dataFolder, settled } from '../client.ts';
import { type Context, contextOf, type Surface } from '../context.ts';

const DEMO_AGENTS = `query DemoAgents($filter: AgentFilter) { agents(first: 100, filter: $filter) { nodes { id name } } }`;
const DEREGISTER = `mutation DeregisterAgent($input: AgentActionInput!) { deregisterAgent(input: $input) { userErrors { code message field } } }`;
const RULES = 'query DemoRules { alertRules(first: 100) { nodes { name } } }';
const DELETE = `mutation DeleteDemoRule($input: DeleteByNameInput!) { deleteAlertRule(input: $input) { userErrors { code message field } } }`;
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
  const rules = await deleteRules(client);
  let agents = 0;
  for (let found = await demoAgents(client); found.length; found = await demoAgents(client)) {
    for (const { id } of found) await settle(client, DEREGISTER, { id, reason: 'fleet demo clear' });
    agents += found.length;
  }
  printer.answer({ agents, rules }, () =>
    printer.line(`${agents} demo agents are deregistered, ${rules} demo rules deleted`),
  );
}

async function demoAgents(client: FleetClient): Promise<{ id: string }[]> {
  const { agents } = await client.query<{ agents: { nodes: { id: string }[] } | null }>(DEMO_AGENTS, {
    filter: FILTER,
  });
  return agents?.nodes ?? [];
}

/** The demo's own rules go first, so that agents that leave set nothing off. */
async function deleteRules(client: FleetClient): Promise<number> {
  const { alertRules } = await client.query<{ alertRules: { nodes: { name: string }[] } | null }>(RULES);
  const own = (alertRules?.nodes ?? []).filter(({ name }) => name.startsWith('demo-'));
  for (const { name } of own) await settle(client, DELETE, { name });
  return own.length;
}

async function settle(client: FleetClient, mutation: string, input: object): Promise<void> {
  const [payload] = Object.values(
    await client.query<Record<string, { userErrors: UserError[] } | null>>(mutation, { input }),
  );
  settled(payload);
}
