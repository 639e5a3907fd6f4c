import type { TelemetryStore } from '../../../lib/telemetry-store/index.ts';
import type { Stretch } from '../entity/stretch.ts';
import { secondsOf } from './samples.ts';

/** A span of an agent’s work. */
export interface WorkRow {
  agentId: string;
  traceId: string;
  spanId: string;
  parentId: string;
  name: string;
  kind: string;
  startMs: number;
  endMs: number;
  waitsOn: string;
  subject: string;
  isModel: boolean;
}

/** A gauge of an agent over a stretch. */
export interface GaugeRow {
  agentId: string;
  metric: string;
  mean: number;
  median: number;
}

/** What says whom a span calls, by OpenTelemetry’s names, newest first; what it waits for, by ours. */
const SAYING = [
  ...['fleet.wait.name', 'peer.service', 'server.address', 'db.system.name', 'db.system'],
  ...['rpc.service', 'gen_ai.provider.name'],
];
const SUBJECT = `arrayFirst(word -> word != '', [${SAYING.map((name) => `attributes['${name}']`).join(', ')}, name])`;

/** Reads what agents’ work and processes look like. */
export class WorkStore {
  constructor(private readonly store: TelemetryStore) {}

  /** The newest spans of each agent that began in the stretch. @param most of one agent */
  async spans(agentIds: readonly string[], { fromMs, toMs }: Stretch, most: number): Promise<WorkRow[]> {
    return this.store.query<WorkRow>(
      `select * from (
         select agent_id as agentId, trace_id as traceId, span_id as spanId, parent_span_id as parentId, name, kind,
           toUnixTimestamp64Nano(start) / 1e6 as startMs, toUnixTimestamp64Nano(finish) / 1e6 as endMs,
           attributes['fleet.wait.on'] as waitsOn, ${SUBJECT} as subject, toBool(model != '') as isModel
         from span
         where agent_id in {agentIds:Array(String)} and start >= {from:DateTime64(9, 'UTC')} and start < {to:DateTime64(9, 'UTC')}
         limit 1 by trace_id, span_id
       ) order by startMs desc limit {most:UInt32} by agentId`,
      { agentIds, from: secondsOf(fromMs ?? 0), to: secondsOf(toMs as number), most },
    );
  }

  /** How long a call of each dependency took, the middle one, milliseconds. */
  async usual(agentIds: readonly string[], { fromMs, toMs }: Stretch, least: number) {
    return this.store.query<{ agentId: string; subject: string; medianMs: number }>(
      `select agent_id as agentId, ${SUBJECT} as subject,
         quantileExact(0.5)((toUnixTimestamp64Nano(finish) - toUnixTimestamp64Nano(start)) / 1e6) as medianMs
       from span
       where agent_id in {agentIds:Array(String)} and kind = 'CLIENT'
         and start >= {from:DateTime64(9, 'UTC')} and start < {to:DateTime64(9, 'UTC')}
       group by agentId, subject having count() >= {least:UInt32}`,
      { agentIds, from: secondsOf(fromMs ?? 0), to: secondsOf(toMs as number), least },
    );
  }

  /** These gauges of each agent. */
  async gauges(
    agentIds: readonly string[],
    metrics: readonly string[],
    { fromMs, toMs }: Stretch,
  ): Promise<GaugeRow[]> {
    return this.store.query<GaugeRow>(
      `select agentId, metric, avg(value) as mean, quantileExact(0.5)(value) as median
       from metric_sample as sample inner join (
         select id, any(metric_series.labels['agent_id']) as agentId, any(metric_series.metric) as metric from metric_series
         where metric_series.metric in {metrics:Array(String)}
           and metric_series.labels['agent_id'] in {agentIds:Array(String)} group by id
       ) as own on own.id = sample.series
       where series in (
           select id from metric_series
           where metric in {metrics:Array(String)} and labels['agent_id'] in {agentIds:Array(String)})
         and time >= {from:DateTime64(3, 'UTC')} and time < {to:DateTime64(3, 'UTC')}
       group by agentId, metric`,
      { agentIds, metrics, from: secondsOf(fromMs ?? 0), to: secondsOf(toMs as number) },
    );
  }
}
