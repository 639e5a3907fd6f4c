import type { Command } from 'commander';
import { type Context, contextOf, listed, type Surface } from '../context.ts';
import { ago } from '../output/printer.ts';
import { type AgentOptions, filterOf } from './agent-filter.ts';
import { addAgentActions } from './agents-act.ts';

const AGENTS = `query Agents($first: Int!, $after: String, $filter: AgentFilter) {
  agents(first: $first, after: $after, filter: $filter) {
    totalCount pageInfo { hasNextPage endCursor }
    nodes { id name kind version state desiredState presence health { score grade } labels lastSeenAt restarts }
  }
}`;
const PAGE = 100;

interface AgentRow {
  name: string;
  kind: string;
  version: string;
  state: string;
  desiredState: string;
  presence: string;
  health: { score: number; grade: string };
  lastSeenAt: string | null;
  restarts: number;
}

interface Page {
  agents: {
    totalCount: number | null;
    pageInfo: { hasNextPage: boolean; endCursor: string | null };
    nodes: AgentRow[];
  } | null;
}

interface Options extends AgentOptions {
  limit: string;
}

export function addAgents(program: Command, surface: Surface): void {
  const command = program
    .command('agents')
    .description('The agents, by name.')
    .argument('[query]', 'words of the search language, e.g. kind:coder')
    .option('--kind <kinds>', 'only of these kinds', listed)
    .option('--state <states>', 'only in these states, e.g. RUNNING,FAILED', listed)
    .option('--presence <presences>', 'only ONLINE, SUSPECT or OFFLINE', listed)
    .option('--label <name=value>', 'only with this label; may be repeated', listed)
    .option('--limit <count>', 'no more than so many', '1000');
  addAgentActions(command, surface);
  command.action((query: string | undefined, options: Options) => agents(contextOf(command, surface), query, options));
}

async function agents(
  { client, printer, missing, nowMs }: Context,
  query: string | undefined,
  options: Options,
): Promise<void> {
  const filter = filterOf(query, options);
  const limit = Number(options.limit);
  const rows: AgentRow[] = [];
  let total: number | null = null;
  for (let after: string | null | undefined; rows.length < limit; ) {
    const { data, errors = [] } = await client.ask<Page>(AGENTS, {
      first: Math.min(PAGE, limit - rows.length),
      after,
      filter,
    });
    const page = data?.agents;
    missing(errors);
    if (!page) break;
    rows.push(...page.nodes);
    total = page.totalCount;
    if (!page.pageInfo.hasNextPage) break;
    after = page.pageInfo.endCursor;
  }
  printer.answer(rows, () => {
    printer.table<AgentRow>(
      [
        { title: 'NAME', text: ({ name }) => name },
        { title: 'KIND', text: ({ kind }) => kind },
        { title: 'VERSION', text: ({ version }) => version },
        {
          title: 'STATE',
          text: ({ state, desiredState }) => (state === desiredState ? state : `${state} → ${desiredState}`),
        },
        { title: 'PRESENCE', text: ({ presence }) => presence },
        { title: 'HEALTH', text: ({ health }) => `${health.score} ${health.grade}` },
        { title: 'RESTARTS', text: ({ restarts }) => String(restarts), right: true },
        { title: 'SEEN', text: ({ lastSeenAt }) => ago(lastSeenAt, nowMs()), right: true },
      ],
      rows,
    );
    if (total !== null && total > rows.length) printer.note(`${rows.length} of ${total}`);
  });
}
