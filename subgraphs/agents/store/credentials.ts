import type { DataSource } from 'typeorm';
import type { Transaction } from '../../../lib/database.ts';
import type { Agent } from '../entity/agent.ts';
import { AgentToken, ApiKey } from '../entity/credential.ts';

/** A token with what it is checked by. */
export interface TokenRow {
  id: string;
  hash: Buffer;
  used: boolean;
  agentUuid: string;
  agentName: string;
  incarnation: number;
}

/** API keys and agents' tokens in PostgreSQL: hashes, never secrets. */
export class CredentialStore {
  constructor(private readonly database: DataSource) {}

  /** All keys, newest first. */
  keys(): Promise<ApiKey[]> {
    return this.database.getRepository(ApiKey).find({ order: { createdAt: 'DESC', id: 'DESC' } });
  }

  findKey(id: string): Promise<ApiKey | null> {
    return this.database.getRepository(ApiKey).findOneBy({ id });
  }

  /** Keys with their hashes, of those that are there. */
  findKeysWithHash(ids: readonly string[]): Promise<ApiKey[]> {
    return this.database
      .getRepository(ApiKey)
      .createQueryBuilder('key')
      .addSelect('key.hash')
      .where('key.id = any(:ids)', { ids })
      .getMany();
  }

  lockKey(tx: Transaction, id: string): Promise<ApiKey | null> {
    return tx.getRepository(ApiKey).findOne({ where: { id }, lock: { mode: 'pessimistic_write' } });
  }

  async insertKey(tx: Transaction, key: ApiKey): Promise<void> {
    await tx.getRepository(ApiKey).insert(key as never);
  }

  async revokeKey(tx: Transaction, id: string, now: Date): Promise<void> {
    await tx.query('update api_key set revoked_at = $2 where id = $1', [id, now]);
  }

  /** Tokens that are not void, of agents that are not gone. */
  findTokens(ids: readonly string[]): Promise<TokenRow[]> {
    return this.database.query(
      `select t.id, t.hash, t.last_used_at is not null as used, t.incarnation, a.id as "agentUuid", a.name as "agentName"
         from agent_token t join agent a on a.id = t.agent_id
        where t.id = any($1) and t.revoked_at is null and a.deregistered_at is null`,
      [ids],
    );
  }

  async insertToken(tx: Transaction, token: AgentToken): Promise<void> {
    await tx.getRepository(AgentToken).insert(token);
  }

  /** Voids an agent's tokens. */
  async voidTokens(tx: Transaction, agent: Agent, now: Date): Promise<void> {
    await tx.query('update agent_token set revoked_at = $2 where agent_id = $1 and revoked_at is null', [
      agent.uuid,
      now,
    ]);
  }

  /** Marks the first use of a token, and voids those before it: their holder has the new one now. */
  async supersede(id: string, now: Date): Promise<void> {
    await this.database.query(
      `with mine as (update agent_token set last_used_at = $2 where id = $1 returning agent_id, created_at, id)
       update agent_token t set revoked_at = $2 from mine
        where t.agent_id = mine.agent_id and t.id <> mine.id and t.created_at <= mine.created_at and t.revoked_at is null`,
      [id, now],
    );
  }

  /** Notes when credentials were used last. */
  async touch(used: ReadonlyMap<string, number>): Promise<void> {
    const rows = JSON.stringify([...used].map(([id, atMs]) => ({ id, atMs })));
    for (const table of ['api_key', 'agent_token']) {
      await this.database.query(
        `update ${table} c set last_used_at = to_timestamp(u."atMs" / 1000)
           from jsonb_to_recordset($1::jsonb) as u(id uuid, "atMs" double precision) where c.id = u.id`,
        [rows],
      );
    }
  }
}
