import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import type { FleetClient, UserError } from '../../sdk/index.ts';
import { dataFolder, settled } from '../client.ts';
import { type Context, contextOf, type Surface } from '../context.ts';

const DEMO_AGENTS = `query DemoAgents($filter: AgentFilter) { agents(first: 100, filter: $filter) { nodes { id name } } }`;
const DEREGISTER = `mutation DeregisterAgent($input: AgentActionInput!) { deregisterAgent(input: $input) { userErrors { code message field } } }`;
const DEMO_ENTRY = 'dist/fleet/main.js';
const STOP_LIMIT_MS = 3_000;
const FILTER = { labels: [{ name: 'fleet.demo', op: 'EQ', value: 'true' }] };

export function addDemo(program: Command, surface: Surface): void {
  const demo = program.command('demo').description('Takes the demo fleet away.');
  const halt = demo.command('stop').description('Ends the demo’s process on this machine; its agents stay known.');
  halt.action(async () => {
    const context = contextOf(halt, surface);
    const stopped = await stop(context);
    const { printer } = context;
    printer.answer({ stopped }, () => printer.line(stopped ? 'the demo fleet is stopped' : 'no demo fleet runs'));
  });
  const clear = demo
    .command('clear')
    .description('Stops the demo and deregisters every agent labelled fleet.demo=true.');
  clear.action(() => removeAll(contextOf(clear, surface)));
}

/** Ends the demo's process and waits until it is gone; it does not come back, since it ends with 0. */
async function stop({ client: { surroundings }, root }: Context): Promise<boolean> {
  const pid = demoPid(root);
  if (pid === undefined) return false;
  process.kill(pid, 'SIGTERM');
  for (let waitedMs = 0; waitedMs < STOP_LIMIT_MS && demoPid(root) === pid; waitedMs += 50)
    await surroundings.sleep(50);
  return true;
}

/** The demo's process id, if that process still is the demo: ids are used again. */
function demoPid(root: string): number | undefined {
  try {
    const pid = Number(readFileSync(path.join(dataFolder(root), 'demo.pid'), 'utf8'));
    return wordsOf(pid).includes(DEMO_ENTRY) ? pid : undefined;
  } catch {
    // No file, or no such process: ps ends with 1.
    return undefined;
  }
}

/** What a process was started as. Slim Linux images have no ps, macOS has no /proc. */
function wordsOf(pid: number): string {
  if (existsSync('/proc/self/cmdline')) return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  return execFileSync('ps', ['-o', 'args=', '-p', String(pid)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

async function removeAll(context: Context): Promise<void> {
  const { client, printer } = context;
  await stop(context);
  let agents = 0;
  for (let found = await demoAgents(client); found.length; found = await demoAgents(client)) {
    for (const { id } of found) await settle(client, DEREGISTER, { id, reason: 'fleet demo clear' });
    agents += found.length;
  }
  printer.answer({ agents }, () => printer.line(`${agents} demo agents are deregistered`));
}

async function demoAgents(client: FleetClient): Promise<{ id: string }[]> {
  const { agents } = await client.query<{ agents: { nodes: { id: string }[] } | null }>(DEMO_AGENTS, {
    filter: FILTER,
  });
  return agents?.nodes ?? [];
}

async function settle(client: FleetClient, mutation: string, input: object): Promise<void> {
  const [payload] = Object.values(
    await client.query<Record<string, { userErrors: UserError[] } | null>>(mutation, { input }),
  );
  settled(payload);
}
