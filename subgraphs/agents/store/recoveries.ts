import type { DataSource } from 'typeorm';
import type { Transaction } from '../../../lib/database.ts';

/** A configuration that an agent had. */
export interface KnownConfig {
  version: number;
  config: Record<string, unknown>;
}

/** A page that waits to be told to the alerts house. */
export interface Page {
  id: string;
  agentUuid: string;
  agentName: string;
  kind: string;
  reason: string;
}

/** How many of a kind there are, and how many of the others are being healed. */
export interface KindCount {
  size: number;
  disturbed: number;
}

/** A step counts as under way for so long, unless the agent is well before, milliseconds. */
const SETTLE_MS = 60_000;

/** SQL of recoveries: what agents worked by before, how much of a kind is being healed, pages that wait. */
export class RecoveryStore {
  constructor(private readonly database: DataSource) {}

  /**
   * The last configuration before the present one under which the agent did well; undefined when there is none, when the
   * present one did well too, or when both are the same.
   */
  async provenConfig(agent: string, tx: Transaction = this.database.manager): Promise<KnownConfig | undefined> {
    const [found]: KnownConfig[] = await tx.query(
      `select old.version, old.config
         from agent join agent_config now on now.agent_id = agent.id and now.version = agent.config_version
              join lateral (select version, config from agent_config
                             where agent_id = agent.id and version < agent.config_version and proven_at is not null
                             order by version desc limit 1) old on true
        where agent.id = $1 and now.proven_at is null and now.config <> old.config`,
      [agent],
    );
    return found;
  }

  /** Notes that agents did well under these versions of their configurations. */
  async prove(proven: readonly { uuid: string; version: number }[], now: Date): Promise<void> {
    await this.database.query(
      `update agent_config set proven_at = $2
         from jsonb_to_recordset($1::jsonb) as p(uuid uuid, version int)
        where agent_id = p.uuid and agent_config.version = p.version and proven_at is null`,
      [JSON.stringify(proven), now],
    );
  }

  /** Counts a kind while nobody else may take one of it from its work. */
  async countKind(tx: Transaction, kind: string, except: string, nowMs: number): Promise<KindCount> {
    await tx.query(`select pg_advisory_xact_lock(hashtext('recovery of kind'), hashtext($1))`, [kind]);
    const [count]: KindCount[] = await tx.query(
      `select count(*)::int as size,
              (count(*) filter (where id <> $2 and not coalesce((recoveries -> -1 ->> 'observed')::boolean, false)
                and (desired_state = 'QUARANTINED' and recoveries -> -1 ->> 'step' = 'QUARANTINE'
                  or health_grade <> 'HEALTHY' and (recoveries -> -1 ->> 'isDisruptive')::boolean
                     and (recoveries -> -1 ->> 'atMs')::double precision > $3)))::int as disturbed
         from agent where kind = $1 and deregistered_at is null and desired_state <> 'RETIRED'`,
      [kind, except, nowMs - SETTLE_MS],
    );
    return count as KindCount;
  }

  async addPage(tx: Transaction, page: { id: string; agentUuid: string; reason: string }, now: Date): Promise<void> {
    await tx.query('insert into page (id, agent_id, reason, created_at) values ($1, $2, $3, $4)', [
      page.id,
      page.agentUuid,
      page.reason,
      now,
    ]);
  }

  /** Pages that wait, oldest first. */
  pages(limit: number): Promise<Page[]> {
    return this.database.query(
      `select page.id, agent_id as "agentUuid", agent.name as "agentName", agent.kind, reason
         from page join agent on agent.id = page.agent_id order by page.created_at, page.id limit $1`,
      [limit],
    );
  }

  async removePage(id: string): Promise<void> {
    await this.database.query('delete from page where id = $1', [id]);
  }
}
