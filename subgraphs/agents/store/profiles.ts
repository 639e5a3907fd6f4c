import type { DataSource } from 'typeorm';
import type { Transaction } from '../../../lib/database.ts';
import type { Actor } from '../../../lib/graphql/shared.ts';
import type { CommandOutcome } from '../entity/enums.ts';
import type { ProfileFunction, ProfileKind } from '../entity/profile.ts';

/** A profile as it is stored, without its file, and how its command ended. */
export interface ProfileRow {
  uuid: string;
  agentUuid: string;
  commandUuid: string;
  kind: ProfileKind;
  seconds: number;
  askedAt: Date;
  askedBy: Actor;
  expiresAt: Date;
  finishedAt: Date | null;
  failure: string | null;
  samples: number | null;
  total: number | null;
  top: ProfileFunction[] | null;
  sizeBytes: number | null;
  outcome: CommandOutcome | null;
  result: unknown;
}

export type NewProfile = Pick<
  ProfileRow,
  'uuid' | 'agentUuid' | 'commandUuid' | 'kind' | 'seconds' | 'askedAt' | 'askedBy' | 'expiresAt'
>;

/** What came of a profile: its file with its sums, or why there is none. */
export type ProfileEnd =
  | { content: Buffer; samples: number; total: number; top: ProfileFunction[] }
  | { failure: string };

const SELECT = `select p.id as uuid, p.agent_id as "agentUuid", p.command_id as "commandUuid", p.kind, p.seconds,
  p.asked_at as "askedAt", p.asked_by as "askedBy", p.expires_at as "expiresAt", p.finished_at as "finishedAt",
  p.failure, p.samples, p.total, p.top, octet_length(p.content) as "sizeBytes", c.outcome, c.result
  from profile p left join command c on c.id = p.command_id`;

/** Profiles in PostgreSQL. */
export class ProfileStore {
  constructor(private readonly database: DataSource) {}

  async find(uuid: string, tx?: Transaction): Promise<ProfileRow | undefined> {
    const [row]: ProfileRow[] = await (tx ?? this.database).query(`${SELECT} where p.id = $1`, [uuid]);
    return row;
  }

  /** Those of each agent, newest first. */
  ofAgents(agents: readonly string[], tx?: Transaction): Promise<ProfileRow[]> {
    return (tx ?? this.database).query(`${SELECT} where p.agent_id = any($1) order by p.asked_at desc, p.id desc`, [
      agents,
    ]);
  }

  /** The file, packed by gzip. */
  async content(uuid: string): Promise<Buffer | undefined> {
    const [row]: { content: Buffer | null }[] = await this.database.query('select content from profile where id = $1', [
      uuid,
    ]);
    return row?.content ?? undefined;
  }

  async add(tx: Transaction, profile: NewProfile): Promise<void> {
    const { uuid, agentUuid, commandUuid, kind, seconds, askedAt, askedBy, expiresAt } = profile;
    await tx.query(
      `insert into profile (id, agent_id, command_id, kind, seconds, asked_at, asked_by, expires_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8)`,
      [uuid, agentUuid, commandUuid, kind, seconds, askedAt, askedBy, expiresAt],
    );
  }

  /** @returns whether it had not ended before */
  async end(tx: Transaction, uuid: string, end: ProfileEnd, now: Date): Promise<boolean> {
    const { content, samples, total, top, failure } = {
      ...{ content: null, samples: null, total: null, top: null, failure: null },
      ...end,
    };
    const [, count]: [unknown[], number] = await tx.query(
      `update profile set finished_at = $2, content = $3, samples = $4, total = $5, top = $6, failure = $7
        where id = $1 and finished_at is null`,
      [uuid, now, content, samples, total, top && JSON.stringify(top), failure],
    );
    return count === 1;
  }

  /** Forgets what an agent has beyond its newest. */
  async keepNewest(tx: Transaction, agent: string, kept: number): Promise<void> {
    await tx.query(
      `delete from profile where agent_id = $1
         and id not in (select id from profile where agent_id = $1 order by asked_at desc, id desc limit $2)`,
      [agent, kept],
    );
  }

  /** Forgets what was asked for before a time. */
  async forget(before: Date): Promise<void> {
    await this.database.query('delete from profile where asked_at < $1', [before]);
  }
}
