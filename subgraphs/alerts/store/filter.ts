import { durationMs } from '../../../lib/graphql/scalars.ts';
import { MatchOp } from '../../../lib/graphql/shared.ts';
import { linearExpression } from '../../../lib/label-match.ts';
import { parseSearch } from '../../../lib/search/index.ts';
import type { AlertFilter } from '../entity/inputs.ts';
import { ALERT_SEARCH } from '../entity/search.ts';
import { searchSql } from './search.ts';

/** A condition on alerts with its bound values, `$1` on. */
export interface Where {
  sql: string;
  values: unknown[];
}

const OPERATORS: Record<MatchOp, string> = { EQ: '=', NE: '<>', RE: '~', NRE: '!~' };

/** Takes values that a statement binds. */
export interface Binder {
  bind(value: unknown): string;
}

/** Collects conditions; `bind` gives the placeholder of a value. */
export class WhereBuilder implements Binder {
  readonly #parts: string[] = [];
  readonly values: unknown[];

  constructor(values: readonly unknown[] = []) {
    this.values = [...values];
  }

  bind(value: unknown): string {
    return `$${this.values.push(value)}`;
  }

  and(sql: string): this {
    this.#parts.push(sql);
    return this;
  }

  /** Any of a list; a list that is empty matches nothing, none at all everything. */
  anyOf(column: string, list: readonly unknown[] | null | undefined): this {
    return list ? this.and(`${column} = any(${this.bind(list)})`) : this;
  }

  build(): Where {
    return { sql: this.#parts.length ? this.#parts.join(' and ') : 'true', values: this.values };
  }
}

/**
 * The filter as a condition on the table `alert`.
 * @throws BAD_INPUT for an expression that cannot be used, BAD_QUERY for a `query` that is none
 */
export function whereOf(filter: AlertFilter, nowMs: number, where: WhereBuilder): WhereBuilder {
  where
    .anyOf('state', filter.states)
    .anyOf('severity', filter.severities)
    .anyOf('name', filter.names)
    .anyOf('agent_id', filter.agentIds)
    .anyOf('rule_name', filter.rules);
  if (filter.acknowledged != null) where.and(`acknowledgement is ${filter.acknowledged ? 'not null' : 'null'}`);
  for (const { name, op, value } of filter.labels ?? []) {
    if (op === 'RE' || op === 'NRE') linearExpression(value);
    const anchored = op === 'RE' || op === 'NRE' ? `^(?:${value})$` : value;
    where.and(`coalesce(labels ->> ${where.bind(name)}, '') ${OPERATORS[op]} ${where.bind(anchored)}`);
  }
  const { from, to, last } = filter.range ?? {};
  const since = last == null ? from : new Date(nowMs - (durationMs(last) ?? 0));
  if (since) where.and(`started_at >= ${where.bind(since)}`);
  if (to && last == null) where.and(`started_at < ${where.bind(to)}`);
  const search = filter.query == null ? null : parseSearch(filter.query, ALERT_SEARCH);
  return search ? where.and(searchSql(search, where)) : where;
}
