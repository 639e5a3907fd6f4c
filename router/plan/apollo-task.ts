import type { ApolloNode } from './apollo-plan.ts';

/** What the planning thread is made with. */
export interface ApolloThreadData {
  readonly supergraphSdl: string;
  /** Labels of progressive overrides that are on. */
  readonly labels: readonly string[];
}

/** One operation to plan. */
export interface ApolloTask {
  readonly id: number;
  readonly document: string;
  readonly operationName: string | undefined;
}

/** What came of it: a plan as text, none where there is nothing to ask for, or why there is none. */
export type ApolloOutcome = { readonly id: number } & (
  | { readonly node: ApolloNode | undefined }
  | { readonly error: string }
);
