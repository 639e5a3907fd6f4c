import { FleetError } from '../../../lib/errors.ts';
import { Across, OverTime } from '../../../lib/graphql/series-query.ts';
import type { TelemetryStore } from '../../../lib/telemetry-store/index.ts';
import type { SeriesPlan } from '../entity/series-plan.ts';
import { matching } from './matchers.ts';
import { secondsOf } from './samples.ts';

/** How many series a plan's matchers find. */
export interface Matched {
  series: number;
  /** How many of them tell what happened since their last sample. */
  deltas: number;
}

/** Values along the steps of one series, or of several that were joined. */
export interface Grid {
  labels: Record<string, string>;
  values: (number | null)[];
}

/** The engine's functions over a grid; they follow Prometheus. */
const ENGINE: Partial<Record<OverTime, string>> = {
  [OverTime.LAST]: 'timeSeriesLastToGrid',
  [OverTime.RATE]: 'timeSeriesRateToGrid',
  [OverTime.INCREASE]: 'timeSeriesIncreaseToGrid',
  [OverTime.DELTA]: 'timeSeriesDeltaToGrid',
};

/** What is made of the samples in a step's window. */
const IN_WINDOW: Partial<Record<OverTime, string>> = {
  [OverTime.AVG]: 'avg(value)',
  [OverTime.MIN]: 'min(value)',
  [OverTime.MAX]: 'max(value)',
  [OverTime.SUM]: 'sum(value)',
  [OverTime.COUNT]: 'toFloat64(count())',
  [OverTime.P50]: 'quantileExactInclusive(0.5)(value)',
  [OverTime.P90]: 'quantileExactInclusive(0.9)(value)',
  [OverTime.P95]: 'quantileExactInclusive(0.95)(value)',
  [OverTime.P99]: 'quantileExactInclusive(0.99)(value)',
  // Series that tell growth since their last sample: what grew in the window is their sum.
  [OverTime.INCREASE]: 'sum(value)',
  [OverTime.RATE]: 'sum(value) / ({window:Int64} / 1000)',
};

const JOINED: Record<Across, string> = {
  [Across.SUM]: 'sumForEach(grid)',
  [Across.AVG]: 'avgForEach(grid)',
  [Across.MIN]: 'minForEach(grid)',
  [Across.MAX]: 'maxForEach(grid)',
  [Across.COUNT]: 'arrayMap(n -> if(n = 0, null, toFloat64(n)), countForEach(grid))',
};

const SETTINGS = [
  'allow_experimental_time_series_aggregate_functions = 1',
  // The table is in the order that samples are grouped in.
  'optimize_aggregation_in_order = 1',
];
const CANNOT_COMPILE_REGEXP = '427';

/** Reads series on a grid of steps. */
export class SeriesStore {
  constructor(private readonly store: TelemetryStore) {}

  /** @throws BAD_INPUT when a regular expression is none */
  async match(plan: SeriesPlan): Promise<Matched> {
    const { sql, params } = matching(plan.labels);
    const [row] = await this.#ask<{ series: string; deltas: string }>(
      `select uniqExact(id) as series, uniqExactIf(id, temporality = 'DELTA') as deltas
       from metric_series where metric = {metric:String} and ${sql}`,
      { metric: plan.metric, ...params },
    );
    return { series: Number(row?.series), deltas: Number(row?.deltas) };
  }

  /**
   * @param maxMatched series looked at
   * @param maxAnswered series answered
   */
  async read(plan: SeriesPlan, matched: Matched, maxMatched: number, maxAnswered: number): Promise<Grid[]> {
    const { across, topK } = plan;
    const { sql: condition, params } = matching(plan.labels);
    const joined = across
      ? `select arrayMap(name -> labels[name], {by:Array(String)}) as kept, ${JOINED[across]} as values`
      : 'select labels as kept, grid as values';
    const order = topK
      ? `arrayLast(value -> value is not null, values) is null,
         arrayLast(value -> value is not null, values) desc, toString(kept)`
      : 'toString(kept)';
    const rows = await this.#ask<{ kept: string[] | Record<string, string>; values: (number | null)[] }>(
      `with matched as (
         select id, any(labels) as labels, any(temporality) as temporality from metric_series
         where metric = {metric:String} and ${condition} group by id order by toString(labels), id limit {maxMatched:UInt32}
       )
       ${joined} from (${gridOf(plan, matched.deltas > 0)}) as grids inner join matched on matched.id = grids.series
       ${across ? 'group by kept' : ''} order by ${order} limit {maxAnswered:UInt32}`,
      {
        ...params,
        metric: plan.metric,
        by: plan.by,
        maxMatched,
        maxAnswered,
        start: secondsOf(plan.startMs),
        end: secondsOf(plan.startMs + (plan.points - 1) * plan.stepMs),
        after: secondsOf(Math.max(0, plan.startMs - plan.windowMs)),
        stepSeconds: secondsOf(plan.stepMs),
        windowSeconds: secondsOf(plan.windowMs),
        first: plan.startMs,
        step: plan.stepMs,
        window: plan.windowMs,
        points: plan.points,
      },
    );
    return rows.map(({ kept, values }) => ({ labels: labelsOf(kept, plan.by), values }));
  }

  async #ask<T>(sql: string, params: Record<string, unknown>): Promise<T[]> {
    try {
      return await this.store.query<T>(sql, params, { settings: SETTINGS });
    } catch (error) {
      if (String((error as { code?: unknown }).code) !== CANNOT_COMPILE_REGEXP) throw error;
      throw new FleetError('BAD_INPUT', 'a label’s regular expression cannot be read: the syntax is RE2’s', {
        field: ['query', 'labels'],
      });
    }
  }
}

function labelsOf(kept: string[] | Record<string, string>, by: readonly string[]): Record<string, string> {
  if (!Array.isArray(kept)) return kept;
  return Object.fromEntries(kept.flatMap((value, at) => (value ? [[by[at] as string, value]] : [])));
}

/** `series` and its `grid`, an array with a value or null for each step. */
function gridOf(plan: SeriesPlan, hasDeltas: boolean): string {
  const engine = ENGINE[plan.overTime];
  const window = IN_WINDOW[plan.overTime];
  if (!engine) return windowGrid(window as string, 'true');
  if (!hasDeltas || !window) return engineGrid(engine, 'true');
  return `${engineGrid(engine, `temporality != 'DELTA'`)} union all ${windowGrid(window, `temporality = 'DELTA'`)}`;
}

const samplesOf = (which: string) => `metric_sample as sample
  where series in (select id from matched where ${which}) and time > {after:DateTime64(3, 'UTC')}
  and time <= {end:DateTime64(3, 'UTC')} and not isNaN(sample.value)`;

function engineGrid(name: string, which: string): string {
  return `select series, ${name}({start:DateTime64(3, 'UTC')}, {end:DateTime64(3, 'UTC')},
    {stepSeconds:Decimal(18, 3)}, {windowSeconds:Decimal(18, 3)})(time, value) as grid
    from ${samplesOf(which)} group by series`;
}

/**
 * A sample counts at each step whose window holds it: steps `i` with time - window < sample ≤ time. One that came twice, and
 * is not merged yet, counts once; the engine's own functions see to that themselves.
 */
function windowGrid(aggregate: string, which: string): string {
  const since = `(toUnixTimestamp64Milli(time) - {first:Int64})`;
  const from = `greatest(0, toInt64(ceil(${since} / {step:Int64})))`;
  const until = `least({points:Int64}, toInt64(ceil((${since} + {window:Int64}) / {step:Int64})))`;
  return `select series,
    arrayMap(x -> if(isNaN(x), null, x), groupArrayInsertAt(nan, {points:UInt32})(made, toUInt32(at))) as grid
    from (
      select series, arrayJoin(range(${from}, greatest(${from}, ${until}))) as at, ${aggregate} as made
      from (select series, time, any(sample.value) as value from ${samplesOf(which)} group by series, time) group by series, at
    ) group by series`;
}
