import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../../lib/errors.ts';
import { buildApolloPlanner } from './apollo-build.ts';
import type { ApolloOutcome, ApolloTask, ApolloThreadData } from './apollo-task.ts';

/** Plans operations away from the main loop, one after the other. */
const { supergraphSdl, labels } = workerData as ApolloThreadData;
let planner: ReturnType<typeof buildApolloPlanner> | undefined;

function outcomeOf({ id, document, operationName }: ApolloTask): ApolloOutcome {
  try {
    planner ??= buildApolloPlanner(supergraphSdl, labels);
    const node = planner(document, operationName);
    // Plans have parts that cannot be cloned, which nobody needs.
    return { id, node: node && JSON.parse(JSON.stringify(node)) };
  } catch (error) {
    return { id, error: messageOf(error) };
  }
}

parentPort?.on('message', (task: ApolloTask) => parentPort?.postMessage(outcomeOf(task)));
