import { QueryPlanner } from '@graphql-hive/router-query-planner';
import { messageOf } from '../../lib/errors.ts';
import type { NativeOutcome, NativeSchema, NativeTask } from './native-task.ts';

/**
 * Plans operations in a process of its own, on the threads of its pool. Schemas that were not asked for longest are
 * forgotten first.
 */
const MAX_SCHEMAS = 8;
const planners = new Map<number, QueryPlanner>();

async function outcomeOf(task: NativeTask): Promise<NativeOutcome> {
  const { id, schema, document, operationName, labels, percentage } = task;
  const planner = planners.get(schema);
  if (!planner) return { id, isForgotten: true };
  planners.delete(schema);
  planners.set(schema, planner);
  try {
    const { node } = await planner.planAsync(document, operationName, new Set(labels), percentage);
    return { id, node: node ?? null };
  } catch (error) {
    return { id, error: messageOf(error) };
  }
}

function learn({ schema, supergraphSdl }: NativeSchema): void {
  planners.set(schema, new QueryPlanner(supergraphSdl));
  for (const known of planners.keys()) if (planners.size > MAX_SCHEMAS) planners.delete(known);
}

process.on('message', (told: NativeTask | NativeSchema) => {
  if ('supergraphSdl' in told) learn(told);
  else void outcomeOf(told).then((outcome) => process.send?.(outcome));
});
// It ends with the process it plans for, whatever it is at, and not before: a signal to both is for the other to answer.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
