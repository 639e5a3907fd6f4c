import { type DataSource, In, IsNull, MoreThan, Not } from 'typeorm';
import type { Transaction } from '../../../lib/database.ts';
import type { AgentPresence } from '../../../lib/graphql/agent-presence.ts';
import { wordsOf } from '../../../lib/search/index.ts';
import { Agent, type AgentHealth } from '../entity/agent.ts';
import { AgentState } from '../entity/enums.ts';

/** What beats and silence made of an agent: as memory has it. */
export interface Observation {
  uuid: string;
  /** Of the process that was observed: what an earlier one did is not written over a new one's. */
  incarnation: number;
  reported: AgentState;
  /** What it says itself, and since when, epoch milliseconds. */
  said: AgentState;
  saidSinceMs: number;
  presence: AgentPresence;
  version: string;
  observedConfigVersion: number | null;
  sequence: number;
  lastSeenMs: number;
  leaseEndMs: number;
  health: Omit<AgentHealth, 'computedAt'>;
  healthMs: number;
  /** uuid of the audit entry that tells it, when it moved. */
  movedBy?: string | undefined;
}

/** Numbers of the fleet, by state, presence and kind. */
export interface FleetCounts {
  byState: { state: AgentState; count: number }[];
  byPresence: { presence: AgentPresence; count: number }[];
  kinds: { kind: string; count: number }[];
  health: number | null;
}

/** What another process of this house may have asked of an agent meanwhile. */
export interface Asked {
  uuid: string;
  revision: number;
  desired: AgentState;
  configVersion: number;
}

/** Rows that are read at once when the house starts. */
const HEARD_AT_ONCE = 2_000;

const FROM_OBSERVATIONS = `
  from jsonb_to_recordset($1::jsonb) as o(
    uuid uuid, incarnation int, reported text, said text, "saidSinceMs" double precision, presence text, version text, "observedConfigVersion" int,
    sequence bigint, "lastSeenMs" double precision, "leaseEndMs" double precision, health jsonb,
    "healthMs" double precision, "movedBy" uuid)
  where a.id = o.uuid and a.incarnation = o.incarnation and a.deregistered_at is null`;

/** What every beat moves, never back. */
const BEATEN = `
  beat_sequence = greatest(a.beat_sequence, o.sequence),
  last_seen_at = greatest(a.last_seen_at, to_timestamp(o."lastSeenMs" / 1000)),
  lease_expires_at = greatest(a.lease_expires_at, to_timestamp(o."leaseEndMs" / 1000)),
  (health_score, health_grade, health_penalties, health_at) = (
    select (h.health ->> 'score')::int, h.health ->> 'grade', h.health -> 'penalties', h.at
      from (values (o.health, to_timestamp(o."healthMs" / 1000)),
                   (jsonb_build_object('score', a.health_score, 'grade', a.health_grade,
                                       'penalties', a.health_penalties), a.health_at)) as h(health, at)
     order by h.at desc limit 1)`;

/** Agents in PostgreSQL. */
export class AgentStore {
  constructor(private readonly database: DataSource) {}

  findMany(uuids: readonly string[]): Promise<Agent[]> {
    return this.database.getRepository(Agent).findBy({ uuid: In([...uuids]) });
  }

  /** The agents that have these names now: a living one before one whose life is over. */
  findNamed(names: readonly string[]): Promise<Agent[]> {
    return this.database
      .getRepository(Agent)
      .createQueryBuilder('agent')
      .where('agent.name = any(:names) and agent.deregistered_at is null', { names: [...names] })
      .orderBy(`(agent.desired_state <> 'RETIRED')::int`, 'ASC')
      .addOrderBy('agent.registeredAt', 'ASC')
      .getMany();
  }

  /** The living agents of a kind. */
  ofKind(tx: Transaction, kind: string): Promise<Agent[]> {
    return tx.getRepository(Agent).findBy({ kind, deregisteredAt: IsNull(), desiredState: Not(AgentState.RETIRED) });
  }

  /** Every agent that was ever heard and is not deregistered, some at a time: of a large fleet all rows at once are a gigabyte. */
  async *heard(): AsyncGenerator<Agent[]> {
    const isHeard = { deregisteredAt: IsNull(), lastSeenAt: Not(IsNull()) };
    for (let last: string | undefined; ; ) {
      const where = last === undefined ? isHeard : { ...isHeard, uuid: MoreThan(last) };
      const some = await this.database
        .getRepository(Agent)
        .find({ where, order: { uuid: 'ASC' }, take: HEARD_AT_ONCE });
      yield some;
      if (some.length < HEARD_AT_ONCE) return;
      last = some.at(-1)?.uuid;
    }
  }

  /** Every agent that is not deregistered and has an endpoint, as this transaction sees them. */
  reachable(tx: Transaction): Promise<Agent[]> {
    return tx
      .getRepository(Agent)
      .createQueryBuilder('agent')
      .where(`agent.deregistered_at is null and agent.endpoints <> '[]'::jsonb`)
      .getMany();
  }

  /** One agent, its row locked by this transaction. */
  lock(tx: Transaction, uuid: string): Promise<Agent | null> {
    return tx.getRepository(Agent).findOne({ where: { uuid }, lock: { mode: 'pessimistic_write' } });
  }

  /** Several, their rows locked in one order, so that two transactions never wait for each other. */
  lockMany(tx: Transaction, uuids: readonly string[]): Promise<Agent[]> {
    return tx
      .getRepository(Agent)
      .find({ where: { uuid: In([...uuids]) }, order: { uuid: 'ASC' }, lock: { mode: 'pessimistic_write' } });
  }

  /** The living agent of a name, locked; the name itself too, so that nobody else takes it meanwhile. */
  async lockNamed(tx: Transaction, name: string): Promise<Agent | null> {
    await tx.query(`select pg_advisory_xact_lock(hashtext('agent name'), hashtext($1))`, [name]);
    return await tx
      .getRepository(Agent)
      .createQueryBuilder('agent')
      .where(`agent.name = :name and agent.deregistered_at is null and agent.desired_state <> 'RETIRED'`, { name })
      .setLock('pessimistic_write')
      .getOne();
  }

  /** Writes a new agent, or one that this transaction has locked; counts its revision. */
  async save(tx: Transaction, agent: Agent): Promise<void> {
    agent.revision += 1;
    agent.words = ` ${wordsOf(`${agent.name} ${agent.kind}`).join(' ')} `;
    await tx.getRepository(Agent).save(agent, { reload: false });
  }

  /** Writes what is asked of agents that this transaction has locked, in one statement; counts their revisions. */
  async saveAsked(tx: Transaction, agents: readonly Agent[]): Promise<void> {
    for (const agent of agents) agent.revision += 1;
    const asked = agents.map(
      ({ uuid, desiredState, heldState, state, saidSince, commandCount, changedBy, revision }) => ({
        ...{ uuid, desiredState, heldState, state, saidSince, commandCount, changedBy, revision },
      }),
    );
    await tx.query(
      `update agent a set desired_state = o."desiredState", held_state = o."heldState", state = o.state,
              said_since = o."saidSince", command_count = o."commandCount", changed_by = o."changedBy", revision = o.revision
         from jsonb_to_recordset($1::jsonb) as o(uuid uuid, "desiredState" text, "heldState" text, state text,
              "saidSince" timestamptz, "commandCount" int, "changedBy" uuid, revision int)
        where a.id = o.uuid`,
      [JSON.stringify(asked)],
    );
  }

  /** Writes changes that were observed of agents whose rows this transaction has locked. */
  async observe(tx: Transaction, observations: readonly Observation[]): Promise<void> {
    if (!observations.length) return;
    await tx.query(
      `update agent a set
         reported_state = o.reported, said_state = o.said, said_since = to_timestamp(o."saidSinceMs" / 1000), presence = o.presence, version = o.version,
         state = case when a.desired_state in ('QUARANTINED', 'RETIRED') then a.desired_state
                      when o.reported = 'RETIRED' then 'STOPPED' else o.reported end,
         observed_config_version = o."observedConfigVersion", moved_by = coalesce(o."movedBy", a.moved_by), ${BEATEN}
       ${FROM_OBSERVATIONS}`,
      [JSON.stringify(observations)],
    );
  }

  /**
   * Writes mere beats of many agents in one statement: nothing that a change would tell, for a change may be under way.
   * @returns what is asked of them now
   */
  async beaten(observations: readonly Observation[]): Promise<Asked[]> {
    const [rows]: [Asked[], number] = await this.database.query(
      `update agent a set ${BEATEN} ${FROM_OBSERVATIONS}
       returning a.id as uuid, a.revision, a.desired_state as desired, a.config_version as "configVersion"`,
      [JSON.stringify(observations)],
    );
    return rows;
  }

  async counts(): Promise<FleetCounts> {
    const rows: {
      state: AgentState | null;
      presence: AgentPresence | null;
      kind: string | null;
      count: number;
      health: number | null;
    }[] = await this.database.query(
      `select state, presence, kind, count(*)::int as count,
              (avg(health_score) filter (where health_grade <> 'UNKNOWN'))::float8 as health
         from agent where deregistered_at is null
        group by grouping sets ((state), (presence), (kind), ())
        order by count desc, state, presence, kind`,
    );
    return {
      byState: rows.flatMap(({ state, count }) => (state ? [{ state, count }] : [])),
      byPresence: rows.flatMap(({ presence, count }) => (presence ? [{ presence, count }] : [])),
      kinds: rows.flatMap(({ kind, count }) => (kind ? [{ kind, count }] : [])),
      health: rows.find(({ state, presence, kind }) => !state && !presence && !kind)?.health ?? null,
    };
  }

  /** Throws when the table cannot be read. */
  async ready(): Promise<void> {
    await this.database.query('select 1 from agent limit 1');
  }
}
