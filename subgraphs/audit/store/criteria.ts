import type { SearchNode } from '../../../lib/search/index.ts';
import { searchSql } from './search.ts';

/** Which entries: a filter once its times are known. Every part that is there must hold. */
export interface Criteria {
  actors?: readonly string[];
  actions?: readonly string[];
  targetTypes?: readonly string[];
  targetIds?: readonly string[];
  outcomes?: readonly string[];
  /** Parts that were changed, as JSON pointers. */
  paths?: readonly string[];
  /** A query, parsed and with its fields checked. */
  search?: SearchNode;
  /** Leaves out dry runs. */
  withoutDryRuns?: boolean;
  /** Actions that are left out. */
  withoutActions?: readonly string[];
  from?: Date;
  /** Exclusive. */
  to?: Date;
}

/** Puts a value beside the text. @returns its place, `$1` and on */
export type Bind = (value: unknown) => string;

/** Collects the values of one statement. */
export function binder(): { bind: Bind; values: unknown[] } {
  const values: unknown[] = [];
  return { values, bind: (value) => `$${values.push(value)}` };
}

const LISTS = [
  ['actors', 'actor_id'],
  ['actions', 'action'],
  ['targetTypes', 'target_type'],
  ['targetIds', 'target_id'],
  ['outcomes', 'outcome'],
] as const;

/** The conditions on `entry e`, to be joined by `and`. */
export function conditionsOf(criteria: Criteria, bind: Bind): string[] {
  const conditions: string[] = [];
  for (const [part, column] of LISTS) {
    if (criteria[part]) conditions.push(`e.${column} = any(${bind(criteria[part])}::text[])`);
  }
  if (criteria.paths) conditions.push(`e.changed && ${bind(criteria.paths)}::text[]`);
  if (criteria.withoutActions) conditions.push(`e.action <> all(${bind(criteria.withoutActions)}::text[])`);
  if (criteria.withoutDryRuns) conditions.push('not e.is_dry_run');
  if (criteria.search) conditions.push(searchSql(criteria.search, bind));
  if (criteria.from) conditions.push(`e.occurred_at >= ${bind(criteria.from)}::timestamptz`);
  if (criteria.to) conditions.push(`e.occurred_at < ${bind(criteria.to)}::timestamptz`);
  return conditions;
}
