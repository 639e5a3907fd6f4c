import DataLoader from 'dataloader';
import type { Stretch } from './entity/stretch.ts';
import type { Span, TraceSummary } from './entity/trace.ts';
import type { AgentUsage } from './entity/usage.ts';
import type { UsageService } from './service/usage.ts';
import type { MetricStore } from './store/metrics.ts';
import type { SpanStore } from './store/spans.ts';
import type { TraceStore } from './store/traces.ts';

/** Batches what one request asks of many nodes. Made anew for each request. */
export interface MetricsLoaders {
  spans: DataLoader<string, Span[]>;
  summaries: DataLoader<string, TraceSummary | null>;
  newestSamples: DataLoader<string, Date | null>;
  usage: DataLoader<{ agentId: string; stretch: Stretch }, AgentUsage, string>;
}

export function metricsLoaders(
  stores: { spans: SpanStore; traces: TraceStore; metrics: MetricStore },
  usage: UsageService,
): MetricsLoaders {
  return {
    spans: new DataLoader(async (ids) => {
      const found = await stores.spans.ofTraces(ids);
      return ids.map((id) => found.get(id) ?? []);
    }),
    summaries: new DataLoader(async (ids) => {
      const found = await stores.traces.summaries(ids);
      return ids.map((id) => found.get(id) ?? null);
    }),
    newestSamples: new DataLoader(async (names) => {
      const found = await stores.metrics.newest(names);
      return names.map((name) => {
        const atMs = found.get(name);
        return atMs === undefined ? null : new Date(atMs);
      });
    }),
    usage: new DataLoader((keys) => usageBatch(keys, usage), {
      cacheKeyFn: ({ agentId, stretch }) => `${agentId} ${stretch.fromMs} ${stretch.toMs}`,
    }),
  };
}

/** One query for all agents of the same stretch. */
async function usageBatch(
  keys: readonly { agentId: string; stretch: Stretch }[],
  usage: UsageService,
): Promise<AgentUsage[]> {
  const answers = new Map<object, AgentUsage>();
  const byStretch = Map.groupBy(keys, ({ stretch }) => `${stretch.fromMs} ${stretch.toMs}`);
  for (const group of byStretch.values()) {
    const [first] = group;
    const found = await usage.read(
      group.map(({ agentId }) => agentId),
      (first as (typeof group)[number]).stretch,
    );
    group.forEach((key, at) => {
      answers.set(key, found[at] as AgentUsage);
    });
  }
  return keys.map((key) => answers.get(key) as AgentUsage);
}
