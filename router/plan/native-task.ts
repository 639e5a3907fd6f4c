import type { PlanNode } from '@graphql-hive/router-query-planner';

/** A supergraph to plan for, told to the planning process once. */
export interface NativeSchema {
  readonly schema: number;
  readonly supergraphSdl: string;
}

/** That it was read, or cannot be. */
export interface NativeRead {
  readonly read: number;
}

/** One operation to plan. */
export interface NativeTask {
  readonly id: number;
  readonly schema: number;
  readonly document: string;
  readonly operationName: string | undefined;
  /** Labels of progressive overrides that are on. */
  readonly labels: readonly string[];
  /** In [0, 100): which of the `percent(n)` labels are on. */
  readonly percentage: number;
}

/** What came of it: a plan, none where there is nothing to ask for, or why there is none. */
export type NativeOutcome = { readonly id: number } & (
  | { readonly node: PlanNode | null }
  | { readonly error: string }
  /** Its schema was forgotten for newer ones: to be told again. */
  | { readonly isForgotten: true }
);
