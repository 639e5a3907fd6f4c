import type { TimeRange } from '../../../lib/graphql/shared.ts';
import type { Stretch } from '../entity/stretch.ts';
import type { AgentUsage } from '../entity/usage.ts';
import type { UsageStore } from '../store/usage.ts';
import { type Prices, usageOf } from './prices.ts';
import { stretchOf } from './range.ts';

/** The stretch that a range means: the last hour, or what is said instead, when there is none; up to now when it is open. */
export function usageStretch(range: TimeRange | null | undefined, nowMs: number, last = 'PT1H'): Stretch {
  const { fromMs, toMs } = stretchOf(range ?? { last }, nowMs, ['range']);
  return { fromMs: fromMs ?? 0, toMs: toMs ?? nowMs };
}

/** Tells what agents spend. */
export class UsageService {
  constructor(
    private readonly store: UsageStore,
    private readonly prices: Prices,
  ) {}

  /** Usage of each of these agents, in their order. */
  async read(agentIds: readonly string[], stretch: Stretch): Promise<AgentUsage[]> {
    const rows = Map.groupBy(await this.store.read(agentIds, stretch), ({ agentId }) => agentId);
    return agentIds.map((id) => {
      const own = rows.get(id) ?? [];
      const tasks = own.reduce((sum, row) => sum + row.tasks, 0);
      return usageOf(
        tasks,
        own.filter((row) => row.inputTokens + row.outputTokens > 0),
        this.prices,
      );
    });
  }
}
