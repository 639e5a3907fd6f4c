import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../../lib/errors.ts';
import { buildApolloPlanner } from './apollo-build.ts';
import { planOf } from './apollo-plan.ts';
import type { ApolloOutcome, ApolloTask, ApolloThreadData } from './apollo-task.ts';
import { Soundness } from './soundness.ts';

/** Plans operations away from the main loop, one after the other. */
const { supergraphSdl, labels } = workerData as ApolloThreadData;
let planner: ReturnType<typeof buildApolloPlanner> | undefined;
let soundness: Soundness | undefined;

function outcomeOf({ id, document, operationName }: ApolloTask): ApolloOutcome {
  try {
    planner ??= buildApolloPlanner(supergraphSdl, labels);
    const node = planner(document, operationName);
    if (!node) return { id, node: undefined };
    // Plans have parts that cannot be cloned, which nobody needs.
    const plan = planOf(JSON.parse(JSON.stringify(node)));
    soundness ??= new Soundness(supergraphSdl);
    const objection = soundness.objection(plan);
    return objection === undefined ? { id, node: plan } : { id, error: objection };
  } catch (error) {
    return { id, error: messageOf(error) };
  }
}

parentPort?.on('message', (task: ApolloTask) => parentPort?.postMessage(outcomeOf(task)));
