import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../../lib/errors.ts';
import { buildApolloPlanner, type PlanOne } from './apollo-build.ts';
import type { ApolloOutcome, ApolloTask, ApolloThreadData } from './apollo-task.ts';

/** Plans operations away from the main loop, one after the other. */
const { supergraphSdl, labels } = workerData as ApolloThreadData;
let planner: PlanOne | undefined;

function outcomeOf({ id, document, operationName, draw }: ApolloTask): ApolloOutcome {
  try {
    planner ??= buildApolloPlanner(supergraphSdl, labels);
    return { id, node: planner(document, operationName, draw) };
  } catch (error) {
    return { id, error: messageOf(error) };
  }
}

parentPort?.on('message', (task: ApolloTask) => parentPort?.postMessage(outcomeOf(task)));
