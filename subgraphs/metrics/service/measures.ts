import type { Clock } from '../../../lib/clock.ts';
import type { CursorSealer } from '../../../lib/cursor.ts';
import { FleetError } from '../../../lib/errors.ts';
import type { SeriesQuery } from '../../../lib/graphql/series-query.ts';
import { type LabelMatcher, MatchOp } from '../../../lib/graphql/shared.ts';
import { type Page, type PageArgs, pageOf, readPage } from '../../../lib/page.ts';
import type { Metric } from '../entity/metric.ts';
import { Series, SeriesResult } from '../entity/series.ts';
import type { SeriesPlan } from '../entity/series-plan.ts';
import type { MetricStore } from '../store/metrics.ts';
import type { SeriesStore } from '../store/series.ts';
import { planSeries } from './series-plan.ts';

const LIST = 'metrics';
const MAX_MATCH = 255;
const MAX_SERIES_ANSWERED = 1_000;
const MAX_SERIES_JOINED = 100_000;
/** Points that one answer holds (some 4 MB of JSON), and that the engine holds while it joins. */
const MAX_ANSWERED = 100_000;
const MAX_HELD = 20_000_000;

/** Answers what was measured. */
export class MeasureService {
  constructor(
    private readonly metrics: MetricStore,
    private readonly series: SeriesStore,
    private readonly cursors: CursorSealer,
    private readonly clock: Clock,
  ) {}

  /**
   * Metrics by name.
   * @param match part of the name; with `*` the whole of it, where `*` is any text
   */
  async list(args: PageArgs, match: string | null | undefined): Promise<Page<Metric>> {
    const request = readPage(args, this.cursors, LIST);
    const like = patternOf(match);
    const rows = await this.metrics.page(request, like);
    const page = pageOf(rows, request, this.cursors, LIST, ({ name }) => [name]);
    return { ...page, totalCount: () => this.metrics.count(like) };
  }

  /** Series of a query. */
  read(query: SeriesQuery): Promise<SeriesResult> {
    return this.#read(planSeries(query, this.clock.nowMs()));
  }

  /** Series of a query that one agent measured. */
  readOfAgent(agentId: string, query: SeriesQuery): Promise<SeriesResult> {
    const own: LabelMatcher = { name: 'agent_id', op: MatchOp.EQ, value: agentId };
    return this.#read(planSeries(query, this.clock.nowMs(), [own]));
  }

  async #read(plan: SeriesPlan): Promise<SeriesResult> {
    const matched = await this.series.match(plan);
    if (matched.series === 0) return resultOf(plan, [], [`no series of ${plan.metric} matches`]);
    const maxAnswered = Math.min(plan.topK ?? MAX_SERIES_ANSWERED, Math.max(1, Math.floor(MAX_ANSWERED / plan.points)));
    const maxMatched = Math.min(MAX_SERIES_JOINED, Math.max(1, Math.floor(MAX_HELD / plan.points)));
    const grids = await this.series.read(plan, matched, maxMatched, maxAnswered + 1);
    const warnings: string[] = [];
    if (matched.series > maxMatched) {
      warnings.push(
        `${matched.series} series match, only ${maxMatched} were looked at: narrow the labels or take fewer points`,
      );
    }
    if (grids.length > maxAnswered && maxAnswered !== plan.topK) {
      warnings.push(`only ${maxAnswered} series are shown: narrow the labels, join them with across, or take the topK`);
    }
    return resultOf(plan, grids.slice(0, maxAnswered), warnings);
  }
}

function resultOf(
  plan: SeriesPlan,
  grids: readonly { labels: Record<string, string>; values: (number | null)[] }[],
  warnings: string[],
): SeriesResult {
  const times = Array.from({ length: plan.points }, (_, at) => plan.startMs + at * plan.stepMs);
  const series = grids.map(({ labels, values }) =>
    Object.assign(new Series(), { metric: plan.metric, labels, times, values }),
  );
  return Object.assign(new SeriesResult(), { series, warnings });
}

/** A pattern of SQL's `ilike`; null for everything. */
function patternOf(match: string | null | undefined): string | null {
  if (!match) return null;
  if (match.length > MAX_MATCH) {
    throw new FleetError('BAD_INPUT', `\`match\` has at most ${MAX_MATCH} characters`, { field: ['match'] });
  }
  const literal = match.replace(/[\\%_]/g, '\\$&');
  return literal.includes('*') ? literal.replaceAll('*', '%') : `%${literal}%`;
}
