import type { SubgraphSource } from '../compose.ts';
import type { SupergraphFacts } from '../supergraph/facts.ts';
import type { Break } from './swap-rules.ts';

/** What the worker is asked to do. */
export type CompositionTask =
  | { readonly kind: 'compose'; readonly subgraphs: readonly SubgraphSource[] }
  | { readonly kind: 'read'; readonly supergraphSdl: string }
  | {
      readonly kind: 'check';
      readonly supergraphSdl: string;
      readonly servedSdl: string;
      readonly operations: readonly string[];
    };

/** What it says: a supergraph, what one says, what breaks, or why not. */
export type CompositionOutcome =
  | { readonly supergraphSdl: string }
  | { readonly facts: SupergraphFacts }
  | { readonly breaks: readonly Break[] }
  | { readonly error: string };
