import { type Command, InvalidArgumentError } from 'commander';
import { FleetFailure, type GraphQLAnswer, type UserError } from '../../sdk/index.ts';
import { settled } from '../client.ts';
import { type Context, contextOf, listed, type Surface } from '../context.ts';
import { durationOf } from './duration.ts';

const POLICY =
  'name version mode priority kinds labels criticalBeats degradedBeats window rest maxRest jitter coolDown maxShare steps { action attempts on }';
const LIST = `query RecoveryPolicies { recoveryPolicies { ${POLICY} } }`;
const APPLY = `mutation ApplyRecoveryPolicy($input: RecoveryPolicyInput!) {
  applyRecoveryPolicy(input: $input) { policy { ${POLICY} } changes { op path value oldValue } userErrors { code message field } }
}`;
const HISTORY = `query RecoveryHistory($name: String!, $after: String) {
  agent(name: $name) {
    events(first: 100, after: $after) { pageInfo { hasNextPage endCursor } nodes { occurredAt name detail } }
  }
}`;

interface Step {
  action: string;
  attempts: number;
  on?: string[];
}

interface Policy {
  name: string;
  version: number;
  mode: string;
  kinds: string[];
  labels: Record<string, string>;
  rest: string;
  maxShare: number;
  steps: Step[];
}

interface Told {
  occurredAt: string;
  name: string;
  detail: { reason?: string; policy?: string };
}

interface StoryPage {
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
  nodes: Told[];
}

interface ApplyOptions {
  step: Step[];
  kind?: string[];
  label?: Record<string, string>;
  mode?: string;
  priority?: number;
  rest?: string;
  window?: string;
  maxShare?: number;
  expectedVersion?: number;
  dryRun?: boolean;
}

export function addRecovery(program: Command, surface: Surface): void {
  const recovery = program.command('recovery').description('How agents are brought back by themselves.');
  const policies = recovery
    .command('policies')
    .description('The policies; of those that match an agent the first holds.');
  policies.action(() => show(contextOf(policies, surface)));
  addApply(recovery, surface);
  const history = recovery
    .command('history')
    .description('What recoveries did for an agent, and why, newest first.')
    .argument('<agent>', 'its name')
    .option('--limit <count>', 'no more than so many', number, 50);
  history.action((name: string, { limit }: { limit: number }) => tell(contextOf(history, surface), name, limit));
}

function addApply(recovery: Command, surface: Surface): void {
  const apply = recovery
    .command('apply')
    .description('Makes or changes a policy.')
    .argument('<name>', 'the policy; default is for what no other is for')
    .requiredOption('--step <step>', 'a rung of the ladder: RESTART, PAGE:2, ROLLBACK_CONFIG:1:FAILED,CRITICAL', stepOf)
    .option('--kind <kinds>', 'for agents of these kinds', listed)
    .option('--label <name=value>', 'for agents with this label; may be repeated', labelOf)
    .option('--mode <mode>', 'act, observe (only tell) or off')
    .option('--priority <number>', 'of several that match, the highest holds', number)
    .option('--rest <duration>', 'pause after the first step, e.g. 5s; doubles with each other')
    .option('--window <duration>', 'how long a step counts, e.g. 10m')
    .option('--max-share <share>', 'no more of a kind is taken from its work at a time, 0 to 1', number)
    .option('--expected-version <number>', 'refused when it has another; 0: it must be new', number)
    .option('--dry-run', 'only tell what would change');
  apply.action(async (name: string, { step, kind, label, mode, rest, window, ...options }: ApplyOptions) => {
    const { client, printer } = contextOf(apply, surface);
    const input = {
      name,
      steps: step,
      kinds: kind,
      labels: label,
      mode: mode?.toUpperCase(),
      rest: rest && durationOf(rest),
      window: window && durationOf(window),
      ...options,
    };
    const { applyRecoveryPolicy } = await client.query<{
      applyRecoveryPolicy: { policy: Policy; changes: { path: string }[]; userErrors: UserError[] } | null;
    }>(APPLY, { input });
    const { userErrors: _, ...done } = settled(applyRecoveryPolicy);
    printer.answer(done, () => {
      const { policy, changes } = done;
      const what = changes.length ? `${changes.length} changes` : 'as it was';
      printer.line(`${name} ${options.dryRun ? 'would be' : 'is'} version ${policy.version} (${what})`);
    });
  });
}

async function show({ client, printer, missing }: Context): Promise<void> {
  const { data, errors = [] } = await client.ask<{ recoveryPolicies: Policy[] | null }>(LIST);
  missing(errors);
  const rows = data?.recoveryPolicies ?? [];
  printer.answer(rows, () =>
    printer.table<Policy>(
      [
        { title: 'POLICY', text: ({ name }) => name },
        { title: 'VERSION', text: ({ version }) => String(version), right: true },
        { title: 'MODE', text: ({ mode }) => mode.toLowerCase() },
        { title: 'FOR', text: aboutText },
        { title: 'REST', text: ({ rest }) => rest },
        { title: 'AT A TIME', text: ({ maxShare }) => `${Math.round(maxShare * 100)}%`, right: true },
        {
          title: 'LADDER',
          text: ({ steps }) => steps.map(({ action, attempts }) => `${action}:${attempts}`).join(' '),
        },
      ],
      rows,
    ),
  );
}

async function tell({ client, printer, missing }: Context, name: string, limit: number): Promise<void> {
  const rows: Told[] = [];
  for (let after: string | null = null; rows.length < limit; ) {
    const answer: GraphQLAnswer<{ agent: { events: StoryPage | null } | null }> = await client.ask(HISTORY, {
      name,
      after,
    });
    missing(answer.errors ?? []);
    if (!answer.data?.agent) throw new FleetFailure('NOT_FOUND', `there is no agent ${name}`);
    const page = answer.data.agent.events;
    rows.push(...(page?.nodes ?? []).filter((event) => event.name.startsWith('recovery.')));
    if (!page?.pageInfo.hasNextPage) break;
    after = page.pageInfo.endCursor;
  }
  const shown = rows.slice(0, limit);
  printer.answer(shown, () =>
    printer.table<Told>(
      [
        { title: 'TIME', text: ({ occurredAt }) => occurredAt },
        { title: 'STEP', text: ({ name: what }) => what.slice('recovery.'.length) },
        { title: 'POLICY', text: ({ detail }) => detail.policy ?? '' },
        { title: 'WHY', text: ({ detail }) => detail.reason ?? '' },
      ],
      shown,
    ),
  );
}

function aboutText({ kinds, labels }: Policy): string {
  const parts = [...(kinds.length ? [kinds.join(',')] : []), ...Object.entries(labels).map((pair) => pair.join('='))];
  return parts.join(' and ') || 'everything else';
}

function stepOf(text: string, before: Step[] = []): Step[] {
  const [, action, attempts, on] = /^([A-Za-z_]+)(?::(\d+)(?::([A-Za-z_,]+))?)?$/.exec(text) ?? [];
  if (!action) throw new InvalidArgumentError('ACTION, ACTION:attempts or ACTION:attempts:TROUBLE,TROUBLE');
  const troubles = on === undefined ? {} : { on: listed(on.toUpperCase()) };
  return [...before, { action: action.toUpperCase(), attempts: Number(attempts ?? 1), ...troubles }];
}

function labelOf(text: string, before: Record<string, string> = {}): Record<string, string> {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError('name=value');
  return { ...before, [name]: value };
}

function number(text: string): number {
  if (!/^\d+(\.\d+)?$/.test(text)) throw new InvalidArgumentError('a number');
  return Number(text);
}
