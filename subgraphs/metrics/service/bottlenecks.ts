import type { BottleneckFinding } from '../entity/bottleneck.ts';
import type { Stretch } from '../entity/stretch.ts';
import type { GaugeRow, WorkStore } from '../store/work.ts';
import { findBottleneck, type Runtime } from './bottleneck/rules.ts';
import { workOf } from './bottleneck/work.ts';

/** Spans of one agent that are looked at, the newest. */
const MAX_SPANS = 3_000;
const HOUR_MS = 3_600_000;
/** Calls that make a habit. */
const USUAL_CALLS = 20;

/** The gauges that the SDK tells of its process, and what they are here. */
const GAUGES: Record<string, (row: GaugeRow) => Runtime> = {
  'nodejs.eventloop.utilization': ({ mean }) => ({ loop: mean }),
  // One report in which the process started says nothing of the others.
  'nodejs.eventloop.delay.p99': ({ median }) => ({ loopDelayMs: median * 1_000 }),
  'fleet.process.cpu': ({ mean }) => ({ cpu: mean }),
  'fleet.process.gc': ({ mean }) => ({ gc: mean }),
};

/** Finds what keeps agents from being faster. */
export class BottleneckService {
  constructor(private readonly store: WorkStore) {}

  /** What is found of each of these agents, in their order. */
  async find(agentIds: readonly string[], stretch: Stretch): Promise<BottleneckFinding[]> {
    const before = { fromMs: (stretch.fromMs ?? 0) - HOUR_MS, toMs: stretch.fromMs };
    const [spans, gauges, habits] = await Promise.all([
      this.store.spans(agentIds, stretch, MAX_SPANS),
      this.store.gauges(agentIds, Object.keys(GAUGES), stretch),
      this.store.usual(agentIds, before, USUAL_CALLS),
    ]);
    const spansOf = Map.groupBy(spans, ({ agentId }) => agentId);
    const gaugesOf = Map.groupBy(gauges, ({ agentId }) => agentId);
    const habitsOf = Map.groupBy(habits, ({ agentId }) => agentId);
    return agentIds.map((id) => {
      const own = (gaugesOf.get(id) ?? []).map((row) => GAUGES[row.metric]?.(row));
      return findBottleneck({
        work: workOf(spansOf.get(id) ?? []),
        runtime: Object.assign({}, ...own) as Runtime,
        usualMs: new Map((habitsOf.get(id) ?? []).map(({ subject, medianMs }) => [subject, medianMs])),
      });
    });
  }
}
