import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../../lib/errors.ts';
import { composeSupergraph } from '../compose.ts';
import { breaksOf } from './breaks.ts';
import type { CompositionOutcome, CompositionTask } from './composition-task.ts';

/** One task of composition, away from the main loop; the thread ends with it. */
function outcomeOf(task: CompositionTask): CompositionOutcome {
  try {
    if (task.kind === 'compose') return { supergraphSdl: composeSupergraph(task.subgraphs) };
    return { breaks: breaksOf(task.supergraphSdl, task.servedSdl, task.operations) };
  } catch (error) {
    return { error: messageOf(error) };
  }
}

parentPort?.postMessage(outcomeOf(workerData as CompositionTask));
