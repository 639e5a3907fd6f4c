import type { TelemetryStore } from '../../../lib/telemetry-store/index.ts';
import type { Stretch } from '../entity/stretch.ts';
import { secondsOf } from './samples.ts';

/** What one agent did on one model, or on none. */
export interface UsageRow {
  agentId: string;
  model: string;
  tasks: number;
  inputTokens: number;
  outputTokens: number;
}

/** Work that was given to the agent: it began the trace, took it from a queue, or calls it a task. */
const IS_TASK = `(parent_span_id = '' or kind = 'CONSUMER' or match(name, '(^|[^a-z])task([^a-z]|$)'))`;

/** Counts what agents spend, by their spans. */
export class UsageStore {
  constructor(private readonly store: TelemetryStore) {}

  /** Work of these agents that began in the stretch. */
  async read(agentIds: readonly string[], { fromMs, toMs }: Stretch): Promise<UsageRow[]> {
    const rows = await this.store.query<Record<keyof UsageRow, string>>(
      `with own as (
         select trace_id, span_id, any(agent_id) as agent, any(parent_span_id) as parent, any(${IS_TASK}) as is_task,
           any(model) as spent_on, any(input_tokens) as input, any(output_tokens) as output
         from span
         where agent_id in {agentIds:Array(String)} and start >= {from:DateTime64(9, 'UTC')} and start < {to:DateTime64(9, 'UTC')}
           and (input_tokens + output_tokens > 0 or ${IS_TASK})
         group by trace_id, span_id
       )
       select agent as agentId, if(counts, spent_on, '') as model,
         countIf(is_task) as tasks, sumIf(input, counts) as inputTokens, sumIf(output, counts) as outputTokens
       from (
         -- An agent's span may repeat the sum of the model calls in it: then the calls count, not the sum.
         select *, input + output > 0
           and (trace_id, span_id) not in (select trace_id, parent from own where input + output > 0) as counts
         from own
       ) group by agentId, model`,
      { agentIds, from: secondsOf(fromMs ?? 0), to: secondsOf(toMs as number) },
    );
    return rows.map((row) => ({
      agentId: row.agentId,
      model: row.model,
      tasks: Number(row.tasks),
      inputTokens: Number(row.inputTokens),
      outputTokens: Number(row.outputTokens),
    }));
  }
}
