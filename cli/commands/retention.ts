import { type Command, InvalidArgumentError } from 'commander';
import type { UserError } from '../../sdk/index.ts';
import { settled } from '../client.ts';
import { type Context, contextOf, listed, type Surface } from '../context.ts';
import { durationOf } from './duration.ts';

const MATCH = 'services maxSeverity agentIds attributes { name op value } resource { name op value } query';
const POLICY = `name version match { ${MATCH} } keepFor maxBytes hold`;
const REMOVAL = 'policy reason entryCount sizeBytes observedBefore';
const LIST = `query RetentionPolicies { retentionPolicies { ${POLICY} entryCount sizeBytes oldestAt } }`;
const PREVIEW = `query RetentionPreview($without: [String!]) { retentionPreview(without: $without) { ${REMOVAL} } }`;
const APPLY = `mutation ApplyRetentionPolicy($input: RetentionPolicyInput!) {
  applyRetentionPolicy(input: $input) {
    policy { ${POLICY} } changes { op path value oldValue } nextSweep { ${REMOVAL} } userErrors { code message field }
  }
}`;
const DELETE = `mutation DeleteRetentionPolicy($input: DeleteByNameInput!) {
  deleteRetentionPolicy(input: $input) { name userErrors { code message field } }
}`;

interface Matcher {
  name: string;
  op: string;
  value: string;
}

interface Policy {
  name: string;
  version: number;
  match: {
    services: string[] | null;
    maxSeverity: string | null;
    agentIds: string[] | null;
    attributes: Matcher[] | null;
    resource: Matcher[] | null;
    query: string | null;
  };
  keepFor: string;
  maxBytes: number | null;
  hold: boolean;
  entryCount: number | null;
  sizeBytes: number | null;
  oldestAt: string | null;
}

interface Removal {
  policy: string;
  reason: string;
  entryCount: number;
  sizeBytes: number;
  observedBefore: string;
}

interface ApplyOptions {
  keep: string;
  service?: string[];
  severity?: string;
  agent?: string[];
  attribute?: Matcher[];
  resource?: Matcher[];
  query?: string;
  maxBytes?: number;
  hold?: boolean;
  expectedVersion?: number;
  dryRun?: boolean;
}

export function addRetention(program: Command, surface: Surface): void {
  const retention = program.command('retention').description('How long logs are kept.');
  const list = retention.command('list').description('The policies, and how much each governs.');
  list.action(() => show(contextOf(list, surface)));
  const preview = retention
    .command('preview')
    .description('What the next sweep removes; nothing is.')
    .option('--without <policies>', 'as if these were deleted', listed);
  preview.action(({ without }: { without?: string[] }) => foresee(contextOf(preview, surface), without));
  addApply(retention, surface);
  const remove = retention
    .command('delete')
    .description('Deletes a policy: the others govern its entries; default is the setting again.')
    .argument('<name>', 'the policy')
    .option('--expected-version <number>', 'refused when it has another', whole)
    .option('--dry-run', 'only tell what the next sweep would remove without it');
  remove.action(async (name: string, { dryRun, expectedVersion }: Pick<ApplyOptions, 'dryRun' | 'expectedVersion'>) => {
    const context = contextOf(remove, surface);
    if (dryRun) return await foresee(context, [name]);
    const { deleteRetentionPolicy } = await context.client.query<{
      deleteRetentionPolicy: { name: string | null; userErrors: UserError[] } | null;
    }>(DELETE, { input: { name, expectedVersion } });
    const done = settled(deleteRetentionPolicy);
    context.printer.answer({ name: done.name }, () => context.printer.line(`${done.name} is deleted`));
  });
}

function addApply(retention: Command, surface: Surface): void {
  const apply = retention
    .command('apply')
    .description('Makes or changes a policy; all that it says of entries must hold.')
    .argument('<name>', 'the policy; default is for what no other is about')
    .requiredOption('--keep <duration>', 'how long from when they were observed, e.g. 12h, 7d, P1Y')
    .option('--service <services>', 'of these services', listed)
    .option('--severity <severity>', 'this severe or less')
    .option('--agent <ids>', 'of these agents', listed)
    .option('--attribute <matcher>', 'with this attribute: name=value, !=, =~ or !~ (a regular expression)', matcherOf)
    .option('--resource <matcher>', 'the same of the resource', matcherOf)
    .option('--query <search>', 'that this search finds')
    .option('--max-bytes <bytes>', 'no more than so many, before compression', whole)
    .option('--hold', 'they stay whatever any policy says')
    .option('--expected-version <number>', 'refused when it has another; 0: it must be new', whole)
    .option('--dry-run', 'only tell what would be, and what the next sweep would remove');
  apply.action(async (name: string, { keep, service, severity, agent, ...options }: ApplyOptions) => {
    const { client, printer } = contextOf(apply, surface);
    const { attribute, resource, query, maxBytes, hold, expectedVersion, dryRun } = options;
    const match = {
      services: service,
      maxSeverity: severity?.toUpperCase(),
      agentIds: agent,
      attributes: attribute,
      resource,
      query,
    };
    const input = { name, match, keepFor: durationOf(keep), maxBytes, hold, expectedVersion, dryRun };
    const { applyRetentionPolicy } = await client.query<{
      applyRetentionPolicy: { policy: Policy; nextSweep: Removal[] | null; userErrors: UserError[] } | null;
    }>(APPLY, { input });
    const { userErrors: _, ...done } = settled(applyRetentionPolicy);
    printer.answer(done, () => {
      printer.line(`${name} ${dryRun ? 'would be' : 'is'} version ${done.policy.version}: ${matchText(done.policy)}`);
      removals(printer, done.nextSweep ?? []);
    });
  });
}

async function show({ client, printer, missing }: Context): Promise<void> {
  const { data, errors = [] } = await client.ask<{ retentionPolicies: Policy[] | null }>(LIST);
  missing(errors);
  const rows = data?.retentionPolicies ?? [];
  printer.answer(rows, () =>
    printer.table<Policy>(
      [
        { title: 'POLICY', text: ({ name }) => name },
        { title: 'KEEP', text: ({ hold, keepFor }) => (hold ? 'hold' : keepFor) },
        { title: 'MAX BYTES', text: ({ maxBytes }) => String(maxBytes ?? ''), right: true },
        { title: 'ENTRIES', text: ({ entryCount }) => String(entryCount ?? ''), right: true },
        { title: 'BYTES', text: ({ sizeBytes }) => String(sizeBytes ?? ''), right: true },
        { title: 'OLDEST', text: ({ oldestAt }) => oldestAt ?? '' },
        { title: 'ABOUT', text: matchText },
      ],
      rows,
    ),
  );
}

async function foresee({ client, printer, missing }: Context, without?: string[]): Promise<void> {
  const { data, errors = [] } = await client.ask<{ retentionPreview: Removal[] | null }>(PREVIEW, { without });
  missing(errors);
  const rows = data?.retentionPreview ?? [];
  printer.answer(rows, () => removals(printer, rows));
}

function removals(printer: Context['printer'], rows: Removal[]): void {
  if (!rows.length) {
    printer.note('the next sweep removes nothing');
    return;
  }
  printer.table<Removal>(
    [
      { title: 'POLICY', text: ({ policy }) => policy },
      { title: 'WHY', text: ({ reason }) => reason },
      { title: 'ENTRIES', text: ({ entryCount }) => String(entryCount), right: true },
      { title: 'BYTES', text: ({ sizeBytes }) => String(sizeBytes), right: true },
      { title: 'OBSERVED BEFORE', text: ({ observedBefore }) => observedBefore },
    ],
    rows,
  );
}

const SIGNS: Record<string, string> = { EQ: '=', NE: '!=', RE: '=~', NRE: '!~' };

function matchText({ match }: Policy): string {
  const { services, maxSeverity, agentIds, attributes, resource, query } = match;
  const said = (of: string, list: Matcher[] | null) =>
    (list ?? []).map(({ name, op, value }) => `${of}.${name}${SIGNS[op]}${value}`);
  const parts = [
    ...(services ? [`service ${services.join(',')}`] : []),
    ...(maxSeverity ? [`${maxSeverity} or less`] : []),
    ...(agentIds ? [`agent ${agentIds.join(',')}`] : []),
    ...said('attributes', attributes),
    ...said('resource', resource),
    ...(query ? [query] : []),
  ];
  return parts.join(' and ') || 'everything else';
}

function matcherOf(text: string, before: Matcher[] = []): Matcher[] {
  const [, name, sign, value] = /^([^=!]+)(=~|!~|!=|=)([\s\S]*)$/.exec(text) ?? [];
  const op = Object.keys(SIGNS).find((each) => SIGNS[each] === sign);
  if (!name || !op || value === undefined)
    throw new InvalidArgumentError('name=value, name!=value, name=~value, name!~value');
  return [...before, { name, op, value }];
}

function whole(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('a whole number');
  return Number(text);
}
