import type { PageRequest } from '../../../lib/page.ts';
import type { TelemetryStore } from '../../../lib/telemetry-store/index.ts';
import { Metric, type MetricType } from '../entity/metric.ts';

interface MetricRow {
  name: string;
  type: MetricType;
  unit: string;
  help: string;
  labels: string[];
  series: string;
}

/** What is known of metrics, by their series. */
export class MetricStore {
  constructor(private readonly store: TelemetryStore) {}

  /** Metrics by name. @param like a pattern of SQL's `ilike`, null for all */
  async page(request: PageRequest, like: string | null): Promise<Metric[]> {
    const [after] = request.after ?? [];
    const rows = await this.store.query<MetricRow>(
      `select metric as name, argMax(type, seen) as type, argMax(unit, seen) as unit, argMax(help, seen) as help,
         arraySort(groupUniqArrayArray(mapKeys(labels))) as labels, uniqExact(id) as series
       from metric_series where metric ilike {like:String} and metric > {after:String}
       group by metric order by metric limit {limit:UInt32}`,
      { like: like ?? '%', after: after ?? '', limit: request.limit + 1 },
    );
    return rows.map((row) =>
      Object.assign(new Metric(), {
        ...row,
        unit: row.unit || null,
        help: row.help || null,
        series: Number(row.series),
      }),
    );
  }

  async count(like: string | null): Promise<number> {
    const [row] = await this.store.query<{ count: string }>(
      'select uniqExact(metric) as count from metric_series where metric ilike {like:String}',
      { like: like ?? '%' },
    );
    return Number(row?.count);
  }

  /** Times of the newest samples, milliseconds since 1970, by metric. */
  async newest(names: readonly string[]): Promise<Map<string, number>> {
    const rows = await this.store.query<{ metric: string; atMs: string }>(
      `with named as (select distinct id, metric from metric_series where metric in {names:Array(String)})
       select metric, toUnixTimestamp64Milli(max(newest)) as atMs
       from (select series, max(time) as newest from metric_sample where series in (select id from named) group by series) as sample
       inner join named on named.id = sample.series group by metric`,
      { names },
    );
    return new Map(rows.map(({ metric, atMs }) => [metric, Number(atMs)]));
  }
}
