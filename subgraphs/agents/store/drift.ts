import type { DataSource } from 'typeorm';

/** An agent that speaks, works, and does not run what it should. */
const DRIFTS = `a.deregistered_at is null and a.presence <> 'OFFLINE' and a.desired_state in ('RUNNING', 'PAUSED')
  and a.last_seen_at is not null
  and (coalesce(a.version <> a.desired_version, false) or coalesce(a.observed_config_version < a.config_version, false))`;
/** What a rollout has in hand is no drift. */
const IN_HAND = `exists (
  select from rollout_member m join rollout r on r.id = m.rollout_id
   where m.agent_id = a.id and r.ended_at is null and m.phase <> 'WAITING')`;
const BATCH = 100;

/** Agents that do not run what they should, in PostgreSQL. */
export class DriftStore {
  constructor(private readonly database: DataSource) {}

  /** Notes since when agents drift, and forgets it of those that do no longer and were not told of. */
  async note(now: Date): Promise<void> {
    await this.database.query(
      `update agent a set drifting_at = $1 where a.drifting_at is null and ${DRIFTS} and not ${IN_HAND}`,
      [now],
    );
    await this.database.query(
      `update agent a set drifting_at = null
        where a.drifting_at is not null and a.drift_told_at is null and (not (${DRIFTS}) or ${IN_HAND})`,
    );
  }

  /** Who drifts longer than the grace and was not told of, or so long ago that it is to be asked again. */
  due(since: Date, toldBefore: Date): Promise<string[]> {
    return this.#ids(`a.drifting_at <= $1 and coalesce(a.drift_told_at <= $2, true) and ${DRIFTS} and not ${IN_HAND}`, [
      since,
      toldBefore,
    ]);
  }

  /** Who was told of, and runs now what it should. */
  over(): Promise<string[]> {
    return this.#ids(`a.drift_told_at is not null and not (${DRIFTS})`, []);
  }

  async #ids(where: string, values: readonly unknown[]): Promise<string[]> {
    const rows: { id: string }[] = await this.database.query(
      `select a.id from agent a where ${where} order by a.id limit ${BATCH}`,
      [...values],
    );
    return rows.map(({ id }) => id);
  }
}
