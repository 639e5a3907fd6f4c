import { QueryPlanner } from '@graphql-hive/router-query-planner';
import { messageOf } from '../../lib/errors.ts';
import type { NativeOutcome, NativeRead, NativeSchema, NativeTask } from './native-task.ts';
import { Soundness } from './soundness.ts';

/**
 * Plans operations in a process of its own, on the threads of its pool. Schemas that were not asked for longest are
 * forgotten first.
 */
const MAX_SCHEMAS = 8;
/** Beyond so many characters together two are kept, the one that is served and the next: measured, 25 bytes of heap each. */
const MAX_CHARACTERS = 2_000_000;
const schemas = new Map<number, Known>();

interface Known {
  /** Undefined for a supergraph it cannot plan for. */
  planner: QueryPlanner | undefined;
  soundness: Soundness;
  characters: number;
}

async function outcomeOf(task: NativeTask): Promise<NativeOutcome> {
  const { id, schema, document, operationName, labels, percentage } = task;
  const known = schemas.get(schema);
  if (!known) return { id, isForgotten: true };
  schemas.delete(schema);
  schemas.set(schema, known);
  try {
    if (!known.planner) return { id, error: 'this supergraph cannot be planned for' };
    const { node } = await known.planner.planAsync(document, operationName, new Set(labels), percentage);
    const objection = node && known.soundness.objection(node);
    return objection === undefined || objection === null ? { id, node: node ?? null } : { id, error: objection };
  } catch (error) {
    return { id, error: messageOf(error) };
  }
}

function plannerOf(supergraphSdl: string): QueryPlanner | undefined {
  try {
    return new QueryPlanner(supergraphSdl);
  } catch {
    return undefined;
  }
}

function learn({ schema, supergraphSdl }: NativeSchema): void {
  const soundness = new Soundness(supergraphSdl);
  schemas.set(schema, { planner: plannerOf(supergraphSdl), soundness, characters: supergraphSdl.length });
  let characters = [...schemas.values()].reduce((sum, known) => sum + known.characters, 0);
  for (const [oldest, known] of schemas) {
    const isTooMuch = schemas.size > MAX_SCHEMAS || (characters > MAX_CHARACTERS && schemas.size > 2);
    if (!isTooMuch) break;
    characters -= known.characters;
    schemas.delete(oldest);
  }
  // What is asked meanwhile of other schemas comes first.
  setImmediate(() => {
    soundness.prepare();
    process.send?.({ read: schema } satisfies NativeRead);
  });
}

process.on('message', (told: NativeTask | NativeSchema) => {
  if ('supergraphSdl' in told) learn(told);
  else void outcomeOf(told).then((outcome) => process.send?.(outcome));
});
// It ends with the process it plans for, whatever it is at, and not before: a signal to both is for the other to answer.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
