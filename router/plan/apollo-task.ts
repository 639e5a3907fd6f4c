import type { PlanNode } from '@graphql-hive/router-query-planner';

/** What the planning thread is made with. */
export interface ApolloThreadData {
  readonly supergraphSdl: string;
  /** Labels of progressive overrides that are on, beside `percent(n)`. */
  readonly labels: readonly string[];
}

/** One operation to plan. */
export interface ApolloTask {
  readonly id: number;
  readonly document: string;
  readonly operationName: string | undefined;
  /** In [0, 100): which of the `percent(n)` labels are on. */
  readonly draw: number;
}

/** What came of it: a plan, none where there is nothing to ask for, or why there is none. */
export type ApolloOutcome = { readonly id: number } & (
  | { readonly node: PlanNode | undefined }
  | { readonly error: string }
);
