import type { DataSource } from 'typeorm';
import type { Transaction } from '../../../lib/database.ts';
import type { PageRequest } from '../../../lib/page.ts';
import type { AgentCriteria } from '../entity/criteria.ts';
import { Job, type JobRefusal, JobState, JobTarget, type JobTargetState } from '../entity/job.ts';
import { whereOf } from './list.ts';

/** What became of one agent in a batch. */
export interface Settled {
  number: number;
  state: JobTargetState.DONE | JobTargetState.REFUSED;
  reason: string | null;
}

const OPEN = `state in ('QUEUED', 'RUNNING')`;
const MAX_REFUSALS = 20;

/** Jobs and their agents in PostgreSQL. */
export class JobStore {
  constructor(private readonly database: DataSource) {}

  /** Writes a new job with the agents that the criteria name now, by name, at most `limit`. @returns how many there are */
  async create(tx: Transaction, job: Job, criteria: AgentCriteria, limit: number): Promise<number> {
    await tx.getRepository(Job).insert(job as never);
    const bound: unknown[] = [job.uuid];
    const bind = (value: unknown) => `$${bound.push(value)}`;
    const where = whereOf(criteria, bind).join(' and ');
    const [row]: [{ total: number }] = await tx.query(
      `with target as (
         insert into job_target (job_id, number, agent_id)
         select $1, row_number() over (order by agent.name collate "C", agent.id), agent.id
           from agent where ${where}
          order by agent.name collate "C", agent.id limit ${bind(limit)}
         returning 1)
       select count(*)::int as total from target`,
      bound,
    );
    await tx.query('update job set total = $2 where id = $1', [job.uuid, row.total]);
    return row.total;
  }

  findMany(uuids: readonly string[]): Promise<Job[]> {
    return this.database
      .getRepository(Job)
      .createQueryBuilder('job')
      .where('job.id = any(:uuids)', { uuids: [...uuids] })
      .getMany();
  }

  lock(tx: Transaction, uuid: string): Promise<Job | null> {
    return tx.getRepository(Job).findOne({ where: { uuid }, lock: { mode: 'pessimistic_write' } });
  }

  /** The open job that had its last turn longest ago, unless another process has it in hand. */
  lockNext(tx: Transaction): Promise<Job | null> {
    return tx
      .getRepository(Job)
      .createQueryBuilder('job')
      .where(`job.${OPEN}`)
      .orderBy('job.steppedAt', 'ASC', 'NULLS FIRST')
      .addOrderBy('job.uuid', 'ASC')
      .limit(1)
      .setLock('pessimistic_write')
      .setOnLocked('skip_locked')
      .getOne();
  }

  async save(tx: Transaction, job: Job): Promise<void> {
    const { uuid, state, done, refused, startedAt, finishedAt, steppedAt } = job;
    await tx.query(
      `update job set state = $2, done = $3, refused = $4, started_at = $5, finished_at = $6, stepped_at = $7 where id = $1`,
      [uuid, state, done, refused, startedAt, finishedAt, steppedAt],
    );
  }

  /** The next agents whose turn has not come. */
  waiting(tx: Transaction, job: Job, limit: number): Promise<JobTarget[]> {
    return tx
      .getRepository(JobTarget)
      .createQueryBuilder('target')
      .where(`target.job_id = :job and target.state = 'WAITING'`, { job: job.uuid })
      .orderBy('target.number', 'ASC')
      .limit(limit)
      .getMany();
  }

  async settle(tx: Transaction, job: Job, settled: readonly Settled[], now: Date): Promise<void> {
    await tx.query(
      `update job_target t set state = s.state, reason = s.reason, settled_at = $3
         from jsonb_to_recordset($2::jsonb) as s(number int, state text, reason text)
        where t.job_id = $1 and t.number = s.number and t.state = 'WAITING'`,
      [job.uuid, JSON.stringify(settled), now],
    );
  }

  /** Passes over all whose turn has not come. */
  async skip(tx: Transaction, job: Job, now: Date): Promise<void> {
    await tx.query(`update job_target set state = 'SKIPPED', settled_at = $2 where job_id = $1 and state = 'WAITING'`, [
      job.uuid,
      now,
    ]);
  }

  /** Jobs, newest first. */
  page({ limit, after }: PageRequest, states: readonly JobState[]): Promise<Job[]> {
    const query = this.database
      .getRepository(Job)
      .createQueryBuilder('job')
      .where('job.state = any(:states)', { states: states.length ? [...states] : Object.values(JobState) })
      .orderBy('job.createdAt', 'DESC')
      .addOrderBy('job.uuid', 'DESC')
      .limit(limit + 1);
    if (after) {
      const [atMs, id] = after as [number, string];
      query.andWhere('(job.created_at, job.id) < (:at::timestamptz, :id::uuid)', { at: new Date(atMs), id });
    }
    return query.getMany();
  }

  /** Agents of a job in the order of their turns. */
  targets(job: Job, { limit, after }: PageRequest, states: readonly JobTargetState[]): Promise<JobTarget[]> {
    const query = this.database
      .getRepository(JobTarget)
      .createQueryBuilder('target')
      .where('target.job_id = :job', { job: job.uuid })
      .orderBy('target.number', 'ASC')
      .limit(limit + 1);
    if (states.length) query.andWhere('target.state = any(:states)', { states: [...states] });
    if (after) query.andWhere('target.number > :number', { number: Number(after[0]) });
    return query.getMany();
  }

  /** Why agents refused, the most frequent reason first. */
  refusals(job: Job): Promise<JobRefusal[]> {
    return this.database.query(
      `select reason, count(*)::int as count from job_target where job_id = $1 and state = 'REFUSED'
        group by reason order by count desc, reason limit ${MAX_REFUSALS}`,
      [job.uuid],
    );
  }

  /** Forgets jobs that ended before this. @returns how many */
  async forget(before: Date, limit: number): Promise<number> {
    const [, count]: [unknown[], number] = await this.database.query(
      'delete from job where id = any(array(select id from job where finished_at < $1 order by finished_at limit $2))',
      [before, limit],
    );
    return count;
  }
}
