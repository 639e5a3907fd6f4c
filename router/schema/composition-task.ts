import type { SubgraphSource } from '../compose.ts';
import type { Break } from './swap-rules.ts';

/** What the worker is asked to do. */
export type CompositionTask =
  | { readonly kind: 'compose'; readonly subgraphs: readonly SubgraphSource[] }
  | {
      readonly kind: 'check';
      readonly supergraphSdl: string;
      readonly servedSdl: string;
      readonly operations: readonly string[];
    };

/** What it says: a supergraph, what breaks, or why not. */
export type CompositionOutcome =
  | { readonly supergraphSdl: string }
  | { readonly breaks: readonly Break[] }
  | { readonly error: string };
