import { durationMs, isoDuration } from '../../../lib/graphql/scalars.ts';
import { readNodeId } from '../../../lib/node-id.ts';
import type { LogConditionInput } from '../entity/condition.ts';
import type { Houses, Instance, KnownAgent, Reading } from './sources.ts';

const HISTOGRAM = `query CountForRules($filter: LogFilter, $step: Duration, $groupBy: LogGroup) {
  logHistogram(filter: $filter, step: $step, maxBuckets: 2, groupBy: $groupBy) { group count }
}`;

const EXAMPLE = `query ExampleForRules($filter: LogFilter) {
  logs(first: 1, filter: $filter) { nodes { traceId } }
}`;

const LABEL = { SEVERITY: 'severity', SERVICE: 'service', AGENT: 'agent' } as const;

/** Counts entries within the window, by group if asked, and shows the trace of the newest one of each group that breaches. */
export async function readLogs(houses: Houses, condition: LogConditionInput, nowMs: number): Promise<Reading> {
  const { groupBy, window, above } = condition;
  const filter = { ...condition.filter, range: { last: isoDuration(durationMs(window) ?? 0) } };
  const variables = { filter, step: window, groupBy: groupBy ?? null };
  const { logHistogram } = await houses.ask<{ logHistogram: { group: string | null; count: number }[] }>(
    'logs',
    HISTOGRAM,
    variables,
  );
  const counts = new Map<string, number>();
  for (const { group, count } of logHistogram) counts.set(group ?? '', (counts.get(group ?? '') ?? 0) + count);
  const over = [...counts].filter(([group, count]) => count > above && (group !== '' || !groupBy));
  const agents = groupBy === 'AGENT' ? await namesOf(houses, over) : new Map<string, KnownAgent>();
  const breaching = over.map(async ([group, count]): Promise<Instance> => {
    const labels: Record<string, string> = groupBy ? { [LABEL[groupBy]]: agents.get(group)?.name ?? group } : {};
    return {
      key: groupBy ? { [LABEL[groupBy]]: group } : {},
      labels,
      agentId: groupBy === 'AGENT' ? group : null,
      value: count,
      threshold: above,
      samples: [{ time: new Date(nowMs).toISOString(), value: count }],
      traceId: await traceOf(houses, filter, groupBy ?? null, group),
      summary: `${count} log entries${nameOf(labels)} within ${window}, more than ${above}.`,
    };
  });
  return { hasData: true, breaching: await Promise.all(breaching) };
}

function nameOf(labels: Record<string, string>): string {
  const [name] = Object.values(labels);
  return name === undefined ? '' : ` of ${name}`;
}

async function namesOf(houses: Houses, groups: readonly [string, number][]): Promise<Map<string, KnownAgent>> {
  const ids = groups.map(([group]) => group).filter((group) => readNodeId(group)?.type === 'Agent');
  if (!ids.length) return new Map();
  return new Map((await houses.agents({ ids })).map((agent) => [agent.id, agent]));
}

async function traceOf(
  houses: Houses,
  filter: object,
  groupBy: LogConditionInput['groupBy'],
  group: string,
): Promise<string | null> {
  const narrowed = {
    ...filter,
    ...(groupBy === 'AGENT' ? { agentIds: [group] } : {}),
    ...(groupBy === 'SERVICE' ? { services: [group] } : {}),
    ...(groupBy === 'SEVERITY' ? { severities: [group] } : {}),
  };
  const { logs } = await houses.ask<{ logs: { nodes: { traceId: string | null }[] } | null }>('logs', EXAMPLE, {
    filter: narrowed,
  });
  return logs?.nodes[0]?.traceId ?? null;
}
