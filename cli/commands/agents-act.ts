import { type Command, InvalidArgumentError } from 'commander';
import { FleetFailure, type UserError } from '../../sdk/index.ts';
import { settled } from '../client.ts';
import { type Context, contextOf, type Surface } from '../context.ts';
import { EXIT_CODE } from '../output/exit-code.ts';
import { ProgressBar } from '../output/progress-bar.ts';
import { type AgentOptions, filterOf } from './agent-filter.ts';

const JOB = 'id action state total done refused startedAt finishedAt refusals { reason count }';
const ACT = `mutation ActOnAgents($input: ActOnAgentsInput!) { actOnAgents(input: $input) {
  job { ${JOB} } affected agents { name } refusals { reason count } userErrors { code message } } }`;
const FOLLOW = `query Job($id: ID!) { job(id: $id) { ${JOB} } }`;
const CANCEL = `mutation CancelJob($input: JobActionInput!) { cancelJob(input: $input) { job { ${JOB} } userErrors { code message } } }`;

const ACTIONS: Readonly<Record<string, string>> = {
  start: 'Asks agents at rest to work.',
  pause: 'Asks agents to hold their work.',
  resume: 'Asks paused agents to go on.',
  restart: 'Asks agents to start anew.',
  stop: 'Asks agents to rest.',
  quarantine: 'Keeps agents from work until they are released.',
  release: 'Lets agents out of quarantine.',
  retire: 'Ends agents for good; their names are free again.',
};
/** How far two looks at a job are apart. */
const LOOK_MS = 200;

interface Refusal {
  reason: string;
  count: number;
}

interface JobRow {
  id: string;
  action: string;
  state: string;
  total: number;
  done: number;
  refused: number;
  refusals: Refusal[] | null;
}

interface ActPayload {
  job: JobRow | null;
  affected: number | null;
  agents: { name: string }[] | null;
  refusals: Refusal[] | null;
  userErrors: UserError[];
}

interface Options extends AgentOptions {
  filter?: string;
  all?: boolean;
  max: number;
  dryRun?: boolean;
  reason?: string;
}

/** What is asked of many agents at once, as jobs. */
export function addAgentActions(agents: Command, surface: Surface): void {
  for (const [action, description] of Object.entries(ACTIONS)) {
    const command = agents
      .command(action)
      .description(`${description} Of those that the filter and the options of \`agents\` name.`)
      .option('--filter <query>', 'words of the search language, e.g. "kind:coder health<50"')
      .option('--all', 'of all agents, where nothing names some')
      .option('--max <count>', 'refuse if it is about more agents than this', wholeOf, 1_000)
      .option('--dry-run', 'change nothing, and tell what would be')
      .option('--reason <text>', 'why, for the audit trail and for the agents');
    command.action((own: Options) =>
      act(contextOf(command, surface), surface, action, { ...command.optsWithGlobals<Options>(), ...own }),
    );
  }
  const cancel = agents
    .command('cancel')
    .description('Ends a job before all its agents were asked.')
    .argument('<job>', 'its id')
    .option('--reason <text>', 'why, for the audit trail');
  cancel.action(async (id: string, { reason }: { reason?: string }) => {
    const { client, printer } = contextOf(cancel, surface);
    const { cancelJob } = await client.query<{ cancelJob: ActPayload | null }>(CANCEL, { input: { id, reason } });
    const { job } = settled(cancelJob);
    printer.answer(job, () => printer.line(job ? summaryOf(job) : 'cancelled'));
  });
}

async function act(context: Context, surface: Surface, action: string, options: Options): Promise<void> {
  const { client, printer } = context;
  const { filter: query, all, max: maxAffected, dryRun, reason } = options;
  const filter = filterOf(query, options);
  // A forgotten filter must not stop a fleet.
  if (!all && Object.values(filter).every((part) => part === undefined))
    throw new FleetFailure('BAD_INPUT', 'say which agents, with --filter, --kind, …, or --all');
  const input = { action: action.toUpperCase(), filter, maxAffected, dryRun, reason };
  const { actOnAgents } = await client.query<{ actOnAgents: ActPayload | null }>(ACT, { input });
  const { job, affected, agents, refusals } = settled(actOnAgents);
  if (!job) {
    printer.answer({ affected, agents: agents?.map(({ name }) => name) ?? [], refusals }, () => {
      printer.line(`${action} is about ${affected} agents; nothing was changed`);
      for (const { name } of agents ?? []) printer.line(`  ${name}`);
      tellRefusals(context, refusals);
    });
    return;
  }
  const ended = await followed(context, surface, job);
  printer.answer(ended, () => {
    printer.line(summaryOf(ended));
    tellRefusals(context, ended.refusals);
  });
  if (ended.refused > 0) surface.exit(EXIT_CODE.refused);
}

/** Follows a job to its end, with a bar on a terminal. */
async function followed({ client, signal, nowMs }: Context, surface: Surface, made: JobRow): Promise<JobRow> {
  const bar = new ProgressBar(surface.err, 'agents', made.total, nowMs);
  let job = made;
  while ((job.state === 'QUEUED' || job.state === 'RUNNING') && !signal.aborted) {
    bar.at(job.done + job.refused);
    await client.surroundings.sleep(LOOK_MS, signal);
    const answer = await client.query<{ job: JobRow | null }>(FOLLOW, { id: job.id });
    if (!answer.job) throw new FleetFailure('NOT_FOUND', `the job ${job.id} is not there any more`);
    job = answer.job;
  }
  bar.clear();
  return job;
}

function summaryOf({ id, action, state, total, done, refused }: JobRow): string {
  return `${action.toLowerCase()} ${state.toLowerCase()}: ${done} of ${total} agents asked, ${refused} refused (${id})`;
}

function tellRefusals({ printer }: Context, refusals: readonly Refusal[] | null): void {
  for (const { reason, count } of refusals ?? []) printer.line(`  ${count} × ${reason}`);
}

function wholeOf(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError('a whole number, 1 or more');
  return Number(text);
}
