import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import type { ProfileTree } from '../../lib/profile/index.ts';
import { FleetFailure } from '../../sdk/index.ts';
import { type Context, contextOf, type Surface } from '../context.ts';
import { ProgressBar } from '../output/progress-bar.ts';
import { type Kind, madeProfile, type ProfiledAgent, profiledAgent, profileFile } from '../profile/asking.ts';
import { flamePage } from '../profile/flame-graph.ts';
import { amountOf, printTop } from '../profile/report.ts';

interface Options {
  cpu?: boolean;
  heap?: boolean;
  seconds: string;
  out?: string;
  baseline?: string;
  engine?: string;
  reason?: string;
  top: string;
}

/** Narrower boxes than this share of the whole nobody sees. */
const LEAST_SHARE = 0.0005;

export function addProfile(program: Command, surface: Surface): void {
  const command = program
    .command('profile')
    .description('Where an agent’s time or memory goes: a file for DevTools, a flame graph, its costliest functions.')
    .argument('<agent>', 'its name')
    .option('--cpu', 'which functions take the time; so unless --heap is given')
    .option('--heap', 'which functions allocate memory')
    .option('--seconds <count>', 'how long, 1 to 60', '10')
    .option('-o, --out <file>', 'the profile’s file; the flame graph is beside it as .html')
    .option('--baseline <file>', 'compare with this profile, or with the `last` one that is kept')
    .option('--engine <name>', 'by what it is made: py-spy for an agent in Python')
    .option('--reason <text>', 'why, for the audit trail')
    .option('--top <count>', 'so many functions', '20');
  command.action((name: string, options: Options) => profile(contextOf(command, surface), surface, name, options));
}

async function profile(context: Context, surface: Surface, name: string, options: Options): Promise<void> {
  if (options.cpu && options.heap) throw new FleetFailure('BAD_INPUT', 'one of --cpu and --heap');
  const kind: Kind = options.heap ? 'HEAP' : 'CPU';
  const seconds = whole(options.seconds, 60, '--seconds');
  const top = whole(options.top, 1_000, '--top');
  const { engine, reason } = options;
  const agent = await profiledAgent(context, name);
  // Read before anything is asked of the agent: a baseline that is none costs it nothing.
  const baseline = options.baseline ? await baselineOf(context, agent, kind, options.baseline) : undefined;
  const bar = new ProgressBar(surface.err, 'seconds', seconds, context.nowMs);
  const made = await madeProfile(context, agent, { kind, seconds, engine, reason }, bar).finally(() => bar.clear());
  const { flameOf, readProfile, sharesOf } = await import('../../lib/profile/index.ts');
  const content = await profileFile(context, made.id);
  const tree = readProfile(kind, content);
  const shares = sharesOf(tree, baseline);
  const at = new Date(context.nowMs()).toISOString();
  const [file, graph] = filesOf(options.out, agent.name, kind, at);
  writeFileSync(file, JSON.stringify(content), { mode: 0o600 });
  const page = {
    title: `${agent.name}: ${kind === 'CPU' ? 'time' : 'memory'}`,
    subtitle: `${at}, ${seconds} s, ${amountOf(kind, tree.total)}${baseline ? `; red grew and blue shrank against ${options.baseline}` : ''}`,
    amount: (share: number) => amountOf(kind, share * tree.total),
  };
  writeFileSync(graph, flamePage(flameOf(tree, baseline, LEAST_SHARE), page), { mode: 0o600 });
  const { id, samples } = made;
  const answer = {
    id,
    agent: agent.name,
    kind,
    seconds,
    samples,
    total: tree.total,
    file,
    graph,
    top: shares.slice(0, top),
  };
  context.printer.answer(answer, () => printTop(context.printer, tree, shares, top));
  context.printer.note(`fleet: ${file}\nfleet: ${graph}`);
}

/** A profile to compare with: a file, or the last one of the kind that the platform keeps. @throws NOT_FOUND, BAD_INPUT */
async function baselineOf(context: Context, agent: ProfiledAgent, kind: Kind, named: string): Promise<ProfileTree> {
  const { BadProfile, kindOf, readProfile } = await import('../../lib/profile/index.ts');
  const content = named === 'last' ? await lastOf(context, agent, kind) : parsed(named);
  try {
    if (kindOf(content) === kind) return readProfile(kind, content);
  } catch (error) {
    throw error instanceof BadProfile ? new FleetFailure('BAD_INPUT', `${named}: ${error.message}`) : error;
  }
  throw new FleetFailure('BAD_INPUT', `${named} is no profile of ${kind}`);
}

function lastOf(context: Context, agent: ProfiledAgent, kind: Kind): Promise<unknown> {
  const last = agent.profiles.find((each) => each.kind === kind && each.state === 'DONE');
  if (!last) throw new FleetFailure('NOT_FOUND', `no profile of ${kind} is kept of ${agent.name}`);
  return profileFile(context, last.id);
}

function parsed(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    throw new FleetFailure('BAD_INPUT', `${file} cannot be read as JSON`);
  }
}

/** Where the profile and its flame graph go. */
function filesOf(out: string | undefined, agent: string, kind: Kind, at: string): [string, string] {
  const ending = kind === 'CPU' ? '.cpuprofile' : '.heapprofile';
  const plain = agent.replace(/[^\w.-]+/g, '_');
  const file = out ?? `${plain}-${at.replace(/[:.]/g, '-')}${ending}`;
  const { dir, name, ext } = path.parse(file);
  // A file that is called .html is the profile all the same: its graph goes beside it.
  return [file, path.join(dir, ext === '.html' ? `${name}.flame.html` : `${name}.html`)];
}

function whole(text: string, most: number, option: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new FleetFailure('BAD_INPUT', `${option} is a whole number from 1 to ${most}`);
}
