import DataLoader from 'dataloader';
import type { BottleneckFinding } from './entity/bottleneck.ts';
import type { Stretch } from './entity/stretch.ts';
import type { Span, TraceSummary } from './entity/trace.ts';
import type { AgentUsage } from './entity/usage.ts';
import type { BottleneckService } from './service/bottlenecks.ts';
import type { UsageService } from './service/usage.ts';
import type { MetricStore } from './store/metrics.ts';
import type { SpanStore } from './store/spans.ts';
import type { TraceStore } from './store/traces.ts';

interface OfAgent {
  agentId: string;
  stretch: Stretch;
}

/** Batches what one request asks of many nodes. Made anew for each request. */
export interface MetricsLoaders {
  spans: DataLoader<string, Span[]>;
  summaries: DataLoader<string, TraceSummary | null>;
  newestSamples: DataLoader<string, Date | null>;
  usage: DataLoader<OfAgent, AgentUsage, string>;
  bottlenecks: DataLoader<OfAgent, BottleneckFinding, string>;
}

export function metricsLoaders(
  stores: { spans: SpanStore; traces: TraceStore; metrics: MetricStore },
  usage: UsageService,
  bottlenecks: BottleneckService,
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
    usage: ofAgents((ids, stretch) => usage.read(ids, stretch)),
    bottlenecks: ofAgents((ids, stretch) => bottlenecks.find(ids, stretch)),
  };
}

/** One query for all agents of the same stretch. */
function ofAgents<Answer>(
  read: (agentIds: readonly string[], stretch: Stretch) => Promise<Answer[]>,
): DataLoader<OfAgent, Answer, string> {
  return new DataLoader((keys) => batch(keys, read), {
    cacheKeyFn: ({ agentId, stretch }) => `${agentId} ${stretch.fromMs} ${stretch.toMs}`,
  });
}

async function batch<Answer>(
  keys: readonly OfAgent[],
  read: (agentIds: readonly string[], stretch: Stretch) => Promise<Answer[]>,
): Promise<Answer[]> {
  const answers = new Map<object, Answer>();
  const byStretch = Map.groupBy(keys, ({ stretch }) => `${stretch.fromMs} ${stretch.toMs}`);
  for (const group of byStretch.values()) {
    const [first] = group;
    const found = await read(
      group.map(({ agentId }) => agentId),
      (first as (typeof group)[number]).stretch,
    );
    group.forEach((key, at) => {
      answers.set(key, found[at] as Answer);
    });
  }
  return keys.map((key) => answers.get(key) as Answer);
}
