import type { DataSource } from 'typeorm';
import type { Transaction } from '../../../lib/database.ts';
import type { PageRequest } from '../../../lib/page.ts';
import { Rollout } from '../entity/rollout.ts';
import type { RolloutPhase } from '../entity/rollout-enums.ts';

/** One agent's part in a rollout, and the agent as it is now. */
export interface MemberRow {
  agent: string;
  stage: number;
  phase: RolloutPhase;
  fromVersion: string;
  fromConfig: Record<string, unknown>;
  isMeasured: boolean;
  /** The agent's restarts when its stretch began, and those of its stretches before. */
  restarts: number;
  oldRestarts: number;
  sentMs: number | null;
  readyMs: number | null;
  lostMs: number | null;
  problem: string | null;
  version: string;
  isThere: boolean;
  isWell: boolean;
  hasFailed: boolean;
  restartsNow: number;
  /** Whether it came to the version it should have, and its configuration has not been changed with it yet. */
  isToSettle: boolean;
}

export type MemberDraft = Pick<
  MemberRow,
  'agent' | 'stage' | 'phase' | 'fromVersion' | 'fromConfig' | 'isMeasured' | 'restarts'
>;

const MS = (column: string, name: string) => `(extract(epoch from m.${column}) * 1000)::float8 as "${name}"`;

/** Rollouts in PostgreSQL. */
export class RolloutStore {
  constructor(private readonly database: DataSource) {}

  find(uuid: string): Promise<Rollout | null> {
    return this.database.getRepository(Rollout).findOneBy({ uuid });
  }

  /** Newest first. */
  page({ limit, after }: PageRequest): Promise<Rollout[]> {
    const query = this.database
      .getRepository(Rollout)
      .createQueryBuilder('rollout')
      .orderBy('rollout.startedAt', 'DESC')
      .addOrderBy('rollout.uuid', 'DESC')
      .limit(limit + 1);
    if (after) {
      const [atMs, id] = after as [number, string];
      query.where('(rollout.started_at, rollout.id) < (:at::timestamptz, :id::uuid)', { at: new Date(atMs), id });
    }
    return query.getMany();
  }

  count(): Promise<number> {
    return this.database.getRepository(Rollout).count();
  }

  /** Those under way. */
  async active(): Promise<string[]> {
    const rows: { id: string }[] = await this.database.query('select id from rollout where ended_at is null');
    return rows.map(({ id }) => id);
  }

  /** One rollout, locked; null also when another process has it, if it is not to be waited for. */
  lock(tx: Transaction, uuid: string, isPatient: boolean): Promise<Rollout | null> {
    const query = tx.getRepository(Rollout).createQueryBuilder('rollout').where({ uuid }).setLock('pessimistic_write');
    return (isPatient ? query : query.setOnLocked('skip_locked')).getOne();
  }

  /** Rollouts of a kind are begun, and agents of it met, one after the other. */
  async lockKind(tx: Transaction, kind: string): Promise<void> {
    await tx.query(`select pg_advisory_xact_lock(hashtext('rollout'), hashtext($1))`, [kind]);
  }

  /** Of a kind: the one under way, else the one that succeeded last. */
  async latest(tx: Transaction, kind: string): Promise<Rollout | null> {
    return tx
      .getRepository(Rollout)
      .createQueryBuilder('rollout')
      .where(`rollout.kind = :kind and (rollout.ended_at is null or rollout.state = 'SUCCEEDED')`, { kind })
      .orderBy('rollout.endedAt', 'DESC', 'NULLS FIRST')
      .limit(1)
      .getOne();
  }

  async save(tx: Transaction, rollout: Rollout): Promise<void> {
    await tx.getRepository(Rollout).save(rollout, { reload: false });
  }

  async addMembers(tx: Transaction, rollout: Rollout, members: readonly MemberDraft[]): Promise<void> {
    await tx.query(
      `insert into rollout_member (rollout_id, agent_id, stage, phase, from_version, from_config, is_measured, restarts)
       select $1, m.agent, m.stage, m.phase, m."fromVersion", m."fromConfig", m."isMeasured", m.restarts
         from jsonb_to_recordset($2::jsonb) as m(agent uuid, stage int, phase text, "fromVersion" text,
                                                  "fromConfig" jsonb, "isMeasured" boolean, restarts int)
       on conflict do nothing`,
      [rollout.uuid, JSON.stringify(members)],
    );
  }

  /** All members with what their agents are now. A change that an agent could not make is the outcome of its last `upgrade`. */
  members(tx: Transaction, rollout: string): Promise<MemberRow[]> {
    return tx.query(
      `select m.agent_id as agent, m.stage, m.phase, m.from_version as "fromVersion", m.from_config as "fromConfig",
              m.is_measured as "isMeasured", m.restarts, m.old_restarts as "oldRestarts", m.problem,
              ${MS('sent_at', 'sentMs')}, ${MS('ready_at', 'readyMs')}, ${MS('lost_at', 'lostMs')},
              a.version, a.restarts as "restartsNow", a.deregistered_at is null and a.desired_state <> 'RETIRED' as "isThere",
              a.presence <> 'OFFLINE' and a.state = a.desired_state and a.state in ('RUNNING', 'PAUSED') as "isWell",
              a.state in ('FAILED', 'QUARANTINED') or coalesce(c.outcome = 'FAILED', false) as "hasFailed",
              a.next_config is not null and a.version = a.desired_version as "isToSettle"
         from rollout_member m
         join agent a on a.id = m.agent_id
         left join lateral (
           select outcome from command
            where agent_id = m.agent_id and name = 'upgrade' and issued_at >= m.sent_at
            order by number desc limit 1) c on m.phase in ('SENT', 'READY', 'LOST')
        where m.rollout_id = $1 order by m.stage, m.agent_id`,
      [rollout],
    );
  }

  /** Writes members that changed. */
  async saveMembers(tx: Transaction, rollout: string, members: readonly MemberRow[]): Promise<void> {
    if (!members.length) return;
    await tx.query(
      `update rollout_member m
          set phase = n.phase, problem = n.problem, restarts = n.restarts, old_restarts = n."oldRestarts",
              sent_at = to_timestamp(n."sentMs" / 1000), ready_at = to_timestamp(n."readyMs" / 1000),
              lost_at = to_timestamp(n."lostMs" / 1000)
         from jsonb_to_recordset($2::jsonb) as n(agent uuid, phase text, problem text, restarts int, "oldRestarts" int,
              "sentMs" float8, "readyMs" float8, "lostMs" float8)
        where m.rollout_id = $1 and m.agent_id = n.agent`,
      [rollout, JSON.stringify(members)],
    );
  }
}
