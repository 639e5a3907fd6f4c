import type { DataSource } from 'typeorm';
import type { Transaction } from '../../../lib/database.ts';
import type { PageRequest } from '../../../lib/page.ts';
import { Alert } from '../entity/alert.ts';
import type { AlertFilter } from '../entity/inputs.ts';
import { wordsOfAlert } from '../entity/search.ts';
import { type Where, WhereBuilder, whereOf } from './filter.ts';

/** An agent by its global id, and a time, milliseconds since 1970. */
export interface AgentAndTime {
  agentId: string;
  atMs: number;
}

/** SQL of alerts. Lists are newest first: by `started_at`, then `id`, both falling. */
export class AlertStore {
  constructor(private readonly database: DataSource) {}

  find(uuids: readonly string[]): Promise<Alert[]> {
    return this.#select(this.database.manager, 'id = any($1)', [uuids]);
  }

  /** The open alert of this fingerprint, or the last one there was. */
  async byFingerprint(fingerprint: string): Promise<Alert | undefined> {
    const [alert] = await this.#select(
      this.database.manager,
      'fingerprint = $1',
      [fingerprint],
      `order by state = 'RESOLVED', started_at desc limit 1`,
    );
    return alert;
  }

  page(tx: Transaction, filter: AlertFilter, request: PageRequest, nowMs: number): Promise<Alert[]> {
    const where = keyset(whereOf(filter, nowMs, new WhereBuilder()), request).build();
    return this.#page(tx, where, request);
  }

  async count(filter: AlertFilter, nowMs: number): Promise<number> {
    const { sql, values } = whereOf(filter, nowMs, new WhereBuilder()).build();
    const [row]: { n: number }[] = await this.database.query(
      `select count(*)::int as n from alert where ${sql}`,
      values,
    );
    return row?.n ?? 0;
  }

  /** A page for each of these agents, by one statement. */
  async pagesOfAgents(
    tx: Transaction,
    agentIds: readonly string[],
    filter: AlertFilter,
    request: PageRequest,
    nowMs: number,
  ): Promise<Map<string, Alert[]>> {
    const { sql, values } = keyset(whereOf(filter, nowMs, new WhereBuilder([agentIds])), request).build();
    const order = orderOf(request);
    const ids: { id: string }[] = await tx.query(
      `select a.id from unnest($1::text[]) as wanted(agent_id)
        cross join lateral (
          select id from alert where alert.agent_id = wanted.agent_id and ${sql} order by ${order} limit ${request.limit + 1}
        ) a`,
      values,
    );
    const pages = new Map<string, Alert[]>();
    const alerts = await this.#select(tx, 'id = any($1)', [ids.map(({ id }) => id)], newestFirst);
    for (const alert of alerts)
      pages.set(alert.agentId as string, [...(pages.get(alert.agentId as string) ?? []), alert]);
    return pages;
  }

  async countsOfAgents(agentIds: readonly string[], filter: AlertFilter, nowMs: number): Promise<Map<string, number>> {
    const { sql, values } = whereOf(filter, nowMs, new WhereBuilder([agentIds])).build();
    const rows: { agent_id: string; n: number }[] = await this.database.query(
      `select agent_id, count(*)::int as n from alert where agent_id = any($1) and ${sql} group by agent_id`,
      values,
    );
    return new Map(rows.map((row) => [row.agent_id, row.n]));
  }

  /** For each agent and time the uuids of the alerts about it that fired then, newest first, at most 100. */
  async firingAt(asked: readonly AgentAndTime[]): Promise<string[][]> {
    const rows: { place: string; ids: string[] }[] = await this.database.query(
      `select place, array(
         select id from alert
          where agent_id = asked.agent_id and fired_at <= asked.at and (resolved_at is null or resolved_at >= asked.at)
          order by started_at desc, id desc limit 100) as ids
         from unnest($1::text[], $2::timestamptz[]) with ordinality as asked (agent_id, at, place) order by place`,
      [asked.map(({ agentId }) => agentId), asked.map(({ atMs }) => new Date(atMs))],
    );
    return rows.map(({ ids }) => ids);
  }

  /** How many alerts of each rule fire or recover. */
  async firingOfRules(ruleUuids: readonly string[]): Promise<Map<string, number>> {
    const rows: { rule_id: string; n: number }[] = await this.database.query(
      `select rule_id, count(*)::int as n from alert
        where rule_id = any($1) and state in ('FIRING', 'RECOVERING') group by rule_id`,
      [ruleUuids],
    );
    return new Map(rows.map((row) => [row.rule_id, row.n]));
  }

  /** Locks one alert for a change. */
  async lock(tx: Transaction, uuid: string): Promise<Alert | undefined> {
    const [alert] = await this.#select(tx, 'id = $1', [uuid], 'for update');
    return alert;
  }

  /** Locks the open alert of a fingerprint; makes all who ask for the same one wait, also when there is none. */
  async lockOpen(tx: Transaction, fingerprint: string): Promise<Alert | undefined> {
    await tx.query(`select pg_advisory_xact_lock(hashtext('alert'), hashtext($1))`, [fingerprint]);
    const [alert] = await this.#select(tx, `fingerprint = $1 and state <> 'RESOLVED'`, [fingerprint], 'for update');
    return alert;
  }

  /** Locks what an evaluation of a rule may move: its open alerts and those that are held. */
  lockOfRule(tx: Transaction, ruleUuid: string): Promise<Alert[]> {
    return this.#select(tx, `rule_id = $1 and (state <> 'RESOLVED' or held)`, [ruleUuid], 'order by id for update');
  }

  /** Takes alerts whose next step is due; another process takes others. */
  lockEscalating(tx: Transaction, nowMs: number, limit: number): Promise<Alert[]> {
    return this.#select(
      tx,
      `escalation_next_at <= $1 and state = 'FIRING' and (acknowledgement is null or (acknowledgement ->> 'until')::timestamptz <= $1)`,
      [new Date(nowMs)],
      `order by escalation_next_at limit ${limit} for update skip locked`,
    );
  }

  async save(tx: Transaction, alert: Alert): Promise<void> {
    alert.words = wordsOfAlert(alert).toLowerCase();
    await tx.getRepository(Alert).upsert(alert, ['uuid']);
  }

  #page(tx: Transaction, where: Where, request: PageRequest): Promise<Alert[]> {
    const order = `order by ${orderOf(request)} limit ${request.limit + 1}`;
    return this.#select(tx, where.sql, where.values, order).then((rows) => (request.backward ? rows.reverse() : rows));
  }

  /** `where` and `rest` are words of ours with placeholders, never input. */
  async #select(tx: Transaction, where: string, values: unknown[], rest = ''): Promise<Alert[]> {
    const rows: Record<string, unknown>[] = await tx.query(`select * from alert where ${where} ${rest}`, values);
    return rows.map((row) => entityOf(this.database, row));
  }
}

const newestFirst = 'order by started_at desc, id desc';

function orderOf({ backward }: PageRequest): string {
  return backward ? 'started_at, id' : 'started_at desc, id desc';
}

function keyset(where: WhereBuilder, { after, before }: PageRequest): WhereBuilder {
  if (after)
    where.and(`(started_at, id) < (${where.bind(new Date(after[0] as number))}, ${where.bind(after[1])}::uuid)`);
  if (before)
    where.and(`(started_at, id) > (${where.bind(new Date(before[0] as number))}, ${where.bind(before[1])}::uuid)`);
  return where;
}

/** The sort key of an alert, as its cursor has it. */
export function keyOfAlert(alert: Alert): unknown[] {
  return [alert.startedAt.getTime(), alert.uuid];
}

function entityOf(database: DataSource, row: Record<string, unknown>): Alert {
  const columns = database.getMetadata(Alert).columns;
  const fields = columns.map(({ propertyName, databaseName }) => [propertyName, row[databaseName]]);
  return Object.assign(new Alert(), Object.fromEntries(fields));
}
