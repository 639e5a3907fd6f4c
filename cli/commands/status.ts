import type { Command } from 'commander';
import { type Context, contextOf, type Surface } from '../context.ts';
import { ago } from '../output/printer.ts';

const STATUS = `query Status {
  router { version loadedAt subscriptions subgraphs { name breaker { state override } replicas { healthy } requestsPerSecond errorRatio p50Ms p99Ms } }
  fleet { total health byState { state count } byPresence { presence count } kinds { kind count } }
  alerts(first: 1, filter: { states: [FIRING] }) { totalCount }
  auditCheckpoint { size createdAt }
}`;

interface SubgraphRow {
  name: string;
  breaker: { state: string; override: string };
  replicas: { healthy: boolean }[];
  requestsPerSecond: number;
  errorRatio: number;
  p50Ms: number;
  p99Ms: number;
}

interface Status {
  router: { version: string; loadedAt: string; subscriptions: number; subgraphs: SubgraphRow[] } | null;
  fleet: {
    total: number;
    health: number;
    byState: { state: string; count: number }[];
    byPresence: { presence: string; count: number }[];
    kinds: { kind: string; count: number }[];
  } | null;
  alerts: { totalCount: number | null } | null;
  auditCheckpoint: { size: string; createdAt: string } | null;
}

export function addStatus(program: Command, surface: Surface): void {
  const command = program.command('status').description('How the platform and the fleet are.');
  command.action(() => status(contextOf(command, surface)));
}

async function status({ client, printer, missing, nowMs }: Context): Promise<void> {
  const { data, errors = [] } = await client.ask<Status>(STATUS);
  const { router, fleet, alerts, auditCheckpoint: audit } = data as Status;
  printer.answer(data, () => {
    if (fleet) {
      printer.line(`agents    ${fleet.total}, health ${Math.round(fleet.health)} of 100`);
      printer.line(`          ${counted(fleet.byState.map(({ state, count }) => [state, count]))}`);
      printer.line(`          ${counted(fleet.byPresence.map(({ presence, count }) => [presence, count]))}`);
      printer.line(`          ${counted(fleet.kinds.map(({ kind, count }) => [kind, count]))}`);
    }
    if (alerts) printer.line(`alerts    ${alerts.totalCount ?? 'many'} firing`);
    if (audit) printer.line(`audit     ${audit.size} entries, checkpoint ${ago(audit.createdAt, nowMs())} ago`);
    if (!router) return;
    printer.line(
      `router    ${router.version}, up ${ago(router.loadedAt, nowMs())}, ${router.subscriptions} subscriptions\n`,
    );
    printer.table<SubgraphRow>(
      [
        { title: 'SUBGRAPH', text: ({ name }) => name },
        {
          title: 'BREAKER',
          text: ({ breaker }) => (breaker.override === 'AUTO' ? breaker.state : `${breaker.state} (forced)`),
        },
        {
          title: 'REPLICAS',
          text: ({ replicas }) => `${replicas.filter(({ healthy }) => healthy).length}/${replicas.length}`,
          right: true,
        },
        { title: 'REQ/S', text: ({ requestsPerSecond }) => requestsPerSecond.toFixed(1), right: true },
        { title: 'ERRORS', text: ({ errorRatio }) => `${(errorRatio * 100).toFixed(1)}%`, right: true },
        { title: 'P50', text: ({ p50Ms }) => `${p50Ms.toFixed(1)}ms`, right: true },
        { title: 'P99', text: ({ p99Ms }) => `${p99Ms.toFixed(1)}ms`, right: true },
      ],
      router.subgraphs,
    );
  });
  missing(errors);
}

function counted(pairs: [string, number][]): string {
  return (
    pairs
      .filter(([, count]) => count > 0)
      .map(([name, count]) => `${count} ${name.toLowerCase()}`)
      .join(', ') || 'none'
  );
}
