import type { DataSource } from 'typeorm';
import type { Transaction } from '../../../lib/database.ts';
import { linearExpression } from '../../../lib/label-match.ts';
import type { PageRequest } from '../../../lib/page.ts';
import { Agent } from '../entity/agent.ts';
import type { AgentCriteria } from '../entity/criteria.ts';
import { AgentOrderField, AgentState, Direction } from '../entity/enums.ts';
import { searchSql } from './search.ts';

/** One key of an order: what it sorts by, and which end comes first. */
export interface AgentSort {
  field: AgentOrderField;
  direction: Direction;
}

/** As much of an agent as its moves depend on. */
export interface NamedAgent {
  uuid: string;
  desired: AgentState;
  reported: AgentState;
  held: AgentState | null;
}

interface SortKey {
  sql: string;
  cast: string;
  of(agent: Agent): unknown;
}

const STATES = Object.values(AgentState);
const ms = (column: string) => `coalesce((extract(epoch from agent.${column}) * 1000)::bigint, -1)`;

const KEYS: Record<AgentOrderField, SortKey> = {
  NAME: { sql: 'agent.name collate "C"', cast: 'text', of: ({ name }) => name },
  KIND: { sql: 'agent.kind collate "C"', cast: 'text', of: ({ kind }) => kind },
  STATE: {
    sql: `array_position(array['${STATES.join(`','`)}'], agent.state)`,
    cast: 'int',
    of: ({ state }) => STATES.indexOf(state) + 1,
  },
  HEALTH: { sql: 'agent.health_score', cast: 'int', of: ({ healthScore }) => healthScore },
  LAST_SEEN: { sql: ms('last_seen_at'), cast: 'bigint', of: ({ lastSeenAt }) => lastSeenAt?.getTime() ?? -1 },
  REGISTERED: { sql: ms('registered_at'), cast: 'bigint', of: ({ registeredAt }) => registeredAt.getTime() },
};

/** The values of a row's sort keys, its id last: unique. */
export function sortKeyOf(sorts: readonly AgentSort[]): (agent: Agent) => unknown[] {
  return (agent) => [...sorts.map(({ field }) => KEYS[field].of(agent)), agent.uuid];
}

/** Lists of agents in PostgreSQL. */
export class AgentList {
  constructor(private readonly database: DataSource) {}

  async page(
    tx: Transaction,
    criteria: AgentCriteria,
    sorts: readonly AgentSort[],
    request: PageRequest,
  ): Promise<Agent[]> {
    const bound: unknown[] = [];
    const bind = (value: unknown) => `$${bound.push(value)}`;
    const keys = [
      ...sorts.map(({ field, direction }) => ({ ...KEYS[field], up: direction === Direction.ASC })),
      { sql: 'agent.id', cast: 'uuid', up: true },
    ];
    const where = whereOf(criteria, bind);
    if (request.after) where.push(beyond(keys, request.after, bind, false));
    if (request.before) where.push(beyond(keys, request.before, bind, true));
    const order = keys.map(({ sql, up }) => `${sql} ${up === request.backward ? 'desc' : 'asc'}`).join(', ');
    const ids: { id: string }[] = await tx.query(
      `select agent.id from agent where ${where.join(' and ')} order by ${order} limit ${bind(request.limit + 1)}`,
      bound,
    );
    const found = await tx
      .getRepository(Agent)
      .createQueryBuilder('agent')
      .whereInIds(ids.map(({ id }) => id))
      .getMany();
    const rows = new Map(found.map((agent) => [agent.uuid, agent]));
    const page = ids.flatMap(({ id }) => rows.get(id) ?? []);
    return request.backward ? page.reverse() : page;
  }

  /** Those that a filter names, by name, at most `limit`: what an action would decide by. */
  named(tx: Transaction, criteria: AgentCriteria, limit: number): Promise<NamedAgent[]> {
    const bound: unknown[] = [];
    const bind = (value: unknown) => `$${bound.push(value)}`;
    const where = whereOf(criteria, bind).join(' and ');
    return tx.query(
      `select agent.id as uuid, agent.desired_state as desired, agent.reported_state as reported, agent.held_state as held
         from agent where ${where} order by agent.name collate "C", agent.id limit ${bind(limit)}`,
      bound,
    );
  }

  async count(criteria: AgentCriteria): Promise<number> {
    const bound: unknown[] = [];
    const where = whereOf(criteria, (value) => `$${bound.push(value)}`);
    const [row] = await this.database.query(
      `select count(*)::int as count from agent where ${where.join(' and ')}`,
      bound,
    );
    return row.count;
  }
}

/** Rows behind (or before) a place in the order: `k1 > a or (k1 = a and (k2 > b or …))`. */
function beyond(
  keys: readonly { sql: string; cast: string; up: boolean }[],
  place: readonly unknown[],
  bind: (value: unknown) => string,
  reverse: boolean,
): string {
  return keys.reduceRight((rest, { sql, cast, up }, at) => {
    const value = `${bind(place[at])}::${cast}`;
    const further = `${sql} ${up === reverse ? '<' : '>'} ${value}`;
    return rest ? `(${further} or (${sql} = ${value} and ${rest}))` : further;
  }, '');
}

const LABEL_SQL = { EQ: '=', NE: '<>', RE: '~', NRE: '!~' } as const;

/** The conditions of a filter on `agent`, every value bound. */
export function whereOf(criteria: AgentCriteria, bind: (value: unknown) => string): string[] {
  const where = ['agent.deregistered_at is null'];
  const any = (column: string, values: readonly string[] | undefined, type = 'text') => {
    if (values) where.push(`agent.${column} = any(${bind(values)}::${type}[])`);
  };
  any('id', criteria.uuids, 'uuid');
  any('name', criteria.names);
  any('kind', criteria.kinds);
  any('version', criteria.versions);
  any('state', criteria.states);
  any('presence', criteria.presences);
  if (criteria.maxHealth !== undefined) where.push(`agent.health_score <= ${bind(criteria.maxHealth)}`);
  if (criteria.drifted !== undefined) where.push(`(agent.drift_told_at is not null) = ${bind(criteria.drifted)}`);
  if (criteria.search) where.push(searchSql(criteria.search, bind));
  for (const { name, op, value } of criteria.labels ?? []) {
    const isExpression = op === 'RE' || op === 'NRE';
    if (isExpression) linearExpression(value);
    const text = isExpression ? `^(?:${value})$` : value;
    where.push(`coalesce(agent.labels ->> ${bind(name)}, '') ${LABEL_SQL[op]} ${bind(text)}`);
  }
  return where;
}
