import { type DataSource, In } from 'typeorm';
import type { Transaction } from '../../../lib/database.ts';
import type { PageRequest } from '../../../lib/page.ts';
import { RuleHealth } from '../entity/enums.ts';
import { AlertRule } from '../entity/rule.ts';

/** SQL of rules. The list is newest first. */
export class RuleStore {
  constructor(private readonly database: DataSource) {}

  find(uuids: readonly string[]): Promise<AlertRule[]> {
    return this.database.getRepository(AlertRule).findBy({ uuid: In([...uuids]) });
  }

  byName(name: string): Promise<AlertRule | null> {
    return this.database.getRepository(AlertRule).findOneBy({ name });
  }

  async page({ limit, backward, after, before }: PageRequest): Promise<AlertRule[]> {
    const direction = backward ? 'ASC' : 'DESC';
    const select = this.database
      .getRepository(AlertRule)
      .createQueryBuilder('rule')
      .orderBy('rule.createdAt', direction)
      .addOrderBy('rule.uuid', direction)
      .limit(limit + 1);
    if (after)
      select.andWhere('(rule.createdAt, rule.uuid) < (:afterAt, :afterId)', {
        afterAt: new Date(after[0] as number),
        afterId: after[1],
      });
    if (before)
      select.andWhere('(rule.createdAt, rule.uuid) > (:beforeAt, :beforeId)', {
        beforeAt: new Date(before[0] as number),
        beforeId: before[1],
      });
    const rows = await select.getMany();
    return backward ? rows.reverse() : rows;
  }

  count(): Promise<number> {
    return this.database.getRepository(AlertRule).count();
  }

  /** Locks a rule for a change; makes all who ask for the same name wait, also when there is none. */
  async lock(tx: Transaction, name: string): Promise<AlertRule | null> {
    await tx.query(`select pg_advisory_xact_lock(hashtext('alert_rule'), hashtext($1))`, [name]);
    return await tx.getRepository(AlertRule).findOne({ where: { name }, lock: { mode: 'pessimistic_write' } });
  }

  /** Locks a rule at this version, if it still is; no other evaluation or change of it runs meanwhile. */
  lockVersion(tx: Transaction, { uuid, version }: AlertRule): Promise<AlertRule | null> {
    const where = { uuid, version, enabled: true };
    return tx.getRepository(AlertRule).findOne({ where, lock: { mode: 'pessimistic_write' } });
  }

  async save(tx: Transaction, rule: AlertRule): Promise<void> {
    await tx.getRepository(AlertRule).upsert(rule, ['uuid']);
  }

  async delete(tx: Transaction, uuid: string): Promise<void> {
    await tx.getRepository(AlertRule).delete({ uuid });
  }

  /** Takes rules that are due and sets when each is due again: replicas share the work and none is evaluated twice. */
  async claimDue(nowMs: number, limit: number): Promise<AlertRule[]> {
    const [rows]: [{ id: string }[], number] = await this.database.query(
      `update alert_rule set next_evaluation_at = $1::timestamptz + every_ms * interval '1 millisecond'
        where id in (
          select id from alert_rule where enabled and next_evaluation_at <= $1
           order by next_evaluation_at limit $2 for update skip locked
        ) returning id`,
      [new Date(nowMs), limit],
    );
    return rows.length ? this.find(rows.map(({ id }) => id)) : [];
  }

  /** Writes how an evaluation went, unless the rule was changed meanwhile or a later one was written. */
  async evaluated(
    tx: Transaction,
    { uuid, version }: AlertRule,
    atMs: number,
    health: RuleHealth,
    reason: string | null,
  ): Promise<void> {
    await tx.query(
      `update alert_rule set health = $3, health_reason = $4, last_evaluated_at = $5
        where id = $1 and version = $2 and (last_evaluated_at is null or last_evaluated_at <= $5)`,
      [uuid, version, health, reason, new Date(atMs)],
    );
  }

  /** For a failure that is written by itself. */
  failed(rule: AlertRule, atMs: number, reason: string): Promise<void> {
    return this.evaluated(this.database.manager, rule, atMs, RuleHealth.ERROR, reason);
  }
}

/** The sort key of a rule, as its cursor has it. */
export function keyOfRule(rule: AlertRule): unknown[] {
  return [rule.createdAt.getTime(), rule.uuid];
}
