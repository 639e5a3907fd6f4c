import { parentPort } from 'node:worker_threads';
import { messageOf } from '../../lib/errors.ts';
import { factsOf } from '../supergraph/facts.ts';
import { validSchemaOf } from '../supergraph/schema-of-pieces.ts';
import { breaksOf } from './breaks.ts';
import type { CompositionOutcome, CompositionTask } from './composition-task.ts';

/** One task of composition, away from the main loop. */
async function outcomeOf(task: CompositionTask): Promise<CompositionOutcome> {
  try {
    switch (task.kind) {
      case 'compose': {
        // Only here: to load it takes longer than to read a supergraph.
        const { composeSupergraph } = await import('../compose.ts');
        return { supergraphSdl: composeSupergraph(task.subgraphs) };
      }
      case 'read': {
        const facts = factsOf(task.supergraphSdl);
        validSchemaOf(facts.pieces);
        return { facts };
      }
      case 'check':
        return { breaks: breaksOf(task.supergraphSdl, task.servedSdl, task.operations) };
    }
  } catch (error) {
    return { error: messageOf(error) };
  }
}

parentPort?.on('message', (task: CompositionTask) => {
  void outcomeOf(task).then((outcome) => parentPort?.postMessage(outcome));
});
