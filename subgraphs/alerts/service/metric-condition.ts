import { FleetError } from '../../../lib/errors.ts';
import { readNodeId } from '../../../lib/node-id.ts';
import type { Sample } from '../entity/alert.ts';
import type { MetricConditionInput } from '../entity/condition.ts';
import type { Houses, Instance, KnownAgent, Reading } from './sources.ts';

const SERIES = `query SeriesForRules($query: SeriesQuery!) {
  series(query: $query) { series { labels times values } warnings }
}`;
const POINTS = 60;
const SHOWN = 30;
const RANGE = 'PT5M';

interface Series {
  labels: Record<string, string>;
  times: number[];
  values: (number | null)[];
}

interface Answer {
  series: { series: Series[]; warnings: string[] } | null;
}

/** Labels that say which agent a series is of: by its id, or by its name. */
const AGENT_ID = ['agentId', 'agent_id', 'agent.id', 'fleet.agent.id', 'service.instance.id'];
const AGENT_NAME = ['agent', 'agent.name', 'agent_name', 'gen_ai.agent.name'];

/** Series whose newest value leaves the bounds. */
export async function readMetric(houses: Houses, { query, above, below }: MetricConditionInput): Promise<Reading> {
  const asked = { ...query, range: { last: query.range?.last ?? RANGE }, ...(query.step ? {} : { maxPoints: POINTS }) };
  const { series } = await houses.ask<Answer>('metrics', SERIES, { query: asked });
  // What is not shown may breach or not: nothing can be said of it, so nothing is said at all.
  const cut = series?.series.length && query.topK == null ? series.warnings[0] : undefined;
  if (cut) throw new FleetError('BAD_QUERY', cut);
  const measured = (series?.series ?? []).map(({ labels, times, values }) => ({
    labels,
    samples: samplesOf(times, values),
  }));
  const over = measured.flatMap(({ labels, samples }) => {
    const newest = samples.at(-1);
    const threshold = newest && passed(newest.value, above, below);
    return newest && threshold !== undefined ? [{ labels, samples, value: newest.value, threshold }] : [];
  });
  const agents = await agentsOf(
    houses,
    over.map(({ labels }) => labels),
  );
  const breaching = over.map(({ labels, samples, value, threshold }): Instance => {
    const agent = agents(labels);
    const side = value > threshold ? 'above' : 'below';
    const of = agent?.name ?? Object.values(labels).join(', ');
    return {
      key: labels,
      labels: { ...labels, ...(agent && !labels['agent'] ? { agent: agent.name } : {}) },
      agentId: agent?.id ?? null,
      value,
      threshold,
      samples: samples.slice(-SHOWN),
      traceId: null,
      summary: `${query.metric}${of ? ` of ${of}` : ''} is ${value}, ${side} ${threshold}.`,
    };
  });
  return { breaching, hasData: measured.some(({ samples }) => samples.length > 0) };
}

/** The bound that a value passes, if any. */
function passed(value: number, above: number | null | undefined, below: number | null | undefined): number | undefined {
  if (above != null && value > above) return above;
  return below != null && value < below ? below : undefined;
}

function samplesOf(times: readonly number[], values: readonly (number | null)[]): Sample[] {
  return times.flatMap((time, index) => {
    const value = values[index];
    return value == null ? [] : [{ time: new Date(time).toISOString(), value }];
  });
}

/** Finds the agents that series are of, all by at most two questions. */
async function agentsOf(
  houses: Houses,
  all: readonly Record<string, string>[],
): Promise<(labels: Record<string, string>) => KnownAgent | undefined> {
  const idOf = (labels: Record<string, string>) =>
    AGENT_ID.map((name) => labels[name]).find((id) => id && readNodeId(id)?.type === 'Agent');
  const nameOf = (labels: Record<string, string>) => AGENT_NAME.map((name) => labels[name]).find(Boolean);
  const ids = [...new Set(all.flatMap((labels) => idOf(labels) ?? []))];
  const names = [...new Set(all.flatMap((labels) => (idOf(labels) ? [] : (nameOf(labels) ?? []))))];
  const found = [
    ...(ids.length ? await houses.agents({ ids }) : []),
    ...(names.length ? await houses.agents({ names }) : []),
  ];
  const byId = new Map(found.map((agent) => [agent.id, agent]));
  const byName = new Map(found.map((agent) => [agent.name, agent]));
  return (labels) => {
    const id = idOf(labels);
    return id ? byId.get(id) : byName.get(nameOf(labels) ?? '');
  };
}
