import { type Principal, SCOPES, type Scope } from '../../../lib/call/principal.ts';
import type { Call } from '../../../lib/call/signing.ts';
import type { Clock } from '../../../lib/clock.ts';
import { FleetError } from '../../../lib/errors.ts';
import { nodeId } from '../../../lib/node-id.ts';
import type { WriteOutcome, Writes } from '../../../lib/write/writes.ts';
import { ApiKey } from '../entity/credential.ts';
import type { CredentialStore, TokenRow } from '../store/credentials.ts';
import { actorOf } from './record.ts';
import { isSameHash, makeSecret, readSecret, type SecretKind } from './secrets.ts';

export interface NewKey {
  name: string;
  scopes: readonly string[];
  expiresAt?: Date | null | undefined;
  requestsPerSecond?: number | null | undefined;
  clientMutationId?: string | null | undefined;
}

export interface KeyRevocation {
  id: string;
  reason?: string | null | undefined;
  clientMutationId?: string | null | undefined;
}

export interface KeyResult {
  key: string;
}

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;

/** Keys and tokens: made, checked, revoked. */
export class Credentials {
  #used = new Map<string, number>();

  constructor(
    private readonly store: CredentialStore,
    private readonly writes: Writes,
    private readonly clock: Clock,
  ) {}

  /** Who a bearer token is; undefined when it is nobody's now. */
  async principalOf(token: string): Promise<Principal | undefined> {
    const read = readSecret(token);
    if (!read) return undefined;
    const { kind, id, hash } = read;
    if (kind === 'fk') return this.#script((await this.store.findKeysWithHash([id]))[0], hash);
    return await this.#agent((await this.store.findTokens([id]))[0], hash);
  }

  /** The same of many at once, in their order; null for nobody. */
  async principalsOf(tokens: readonly string[]): Promise<(Principal | null)[]> {
    const read = tokens.map(readSecret);
    const idsOf = (kind: SecretKind) => [...new Set(read.flatMap((each) => (each?.kind === kind ? [each.id] : [])))];
    const [scripts, agents] = [idsOf('fk'), idsOf('fa')];
    const keys = byId(scripts.length ? await this.store.findKeysWithHash(scripts) : []);
    const found = byId(agents.length ? await this.store.findTokens(agents) : []);
    return await Promise.all(
      read.map(async (each) => {
        if (!each) return null;
        const { kind, id, hash } = each;
        return (kind === 'fk' ? this.#script(keys.get(id), hash) : await this.#agent(found.get(id), hash)) ?? null;
      }),
    );
  }

  /** All keys, newest first. */
  keys(): Promise<ApiKey[]> {
    return this.store.keys();
  }

  find(id: string): Promise<ApiKey | null> {
    return this.store.findKey(id);
  }

  createKey(call: Call, input: NewKey): Promise<WriteOutcome<KeyResult>> {
    return this.writes.run<KeyResult>({
      call,
      action: 'createApiKey',
      args: input as never,
      target: { type: 'ApiKey', id: input.name },
      run: async (tx) => {
        const scopes = this.#assertKey(input);
        const id = this.clock.uuid();
        const { secret, hash } = makeSecret('fk', id);
        const shown = {
          name: input.name,
          scopes,
          expiresAt: input.expiresAt ?? null,
          requestsPerSecond: input.requestsPerSecond ?? null,
        };
        await this.store.insertKey(
          tx,
          Object.assign(new ApiKey(), shown, {
            id,
            hash,
            createdAt: new Date(this.clock.nowMs()),
            lastUsedAt: null,
            revokedAt: null,
            createdBy: actorOf(call.principal),
          }),
        );
        return { result: { key: id }, secret, target: { type: 'ApiKey', id }, after: shown };
      },
    });
  }

  /** Ends a key at once. Revoking it again changes nothing. */
  revokeKey(call: Call, input: KeyRevocation): Promise<WriteOutcome<KeyResult>> {
    return this.writes.run<KeyResult>({
      call,
      action: 'revokeApiKey',
      args: input,
      target: { type: 'ApiKey', id: input.id },
      run: async (tx) => {
        const key = UUID.test(input.id) ? await this.store.lockKey(tx, input.id) : null;
        if (!key) throw new FleetError('NOT_FOUND', 'there is no such key', { field: ['id'] });
        const revokedAt = key.revokedAt ?? new Date(this.clock.nowMs());
        await this.store.revokeKey(tx, key.id, revokedAt);
        return {
          result: { key: key.id },
          before: { name: key.name, revokedAt: key.revokedAt },
          after: { name: key.name, revokedAt },
        };
      },
    });
  }

  /** Writes down which credentials were used since the last time. */
  async flush(): Promise<void> {
    if (!this.#used.size) return;
    const used = this.#used;
    this.#used = new Map();
    await this.store.touch(used);
  }

  #script(key: ApiKey | undefined, hash: Buffer): Principal | undefined {
    const nowMs = this.clock.nowMs();
    if (!key || key.revokedAt || (key.expiresAt && key.expiresAt.getTime() <= nowMs)) return undefined;
    if (!isSameHash(key.hash, hash)) return undefined;
    this.#used.set(key.id, nowMs);
    return {
      id: key.id,
      kind: 'SCRIPT',
      name: key.name,
      scopes: key.scopes,
      ...(key.expiresAt ? { expiresAtMs: key.expiresAt.getTime() } : {}),
      ...(key.requestsPerSecond ? { requestsPerSecond: key.requestsPerSecond } : {}),
    };
  }

  async #agent(token: TokenRow | undefined, hash: Buffer): Promise<Principal | undefined> {
    if (!token || !isSameHash(token.hash, hash)) return undefined;
    const nowMs = this.clock.nowMs();
    if (token.used) this.#used.set(token.id, nowMs);
    // Its first use proves that it arrived: the tokens before it are void from now on.
    else await this.store.supersede(token.id, new Date(nowMs));
    const agentId = nodeId('Agent', token.agentUuid);
    return {
      id: agentId,
      kind: 'AGENT',
      name: token.agentName,
      scopes: ['agent'],
      agentId,
      incarnation: token.incarnation,
    };
  }

  #assertKey({ name, scopes, expiresAt, requestsPerSecond }: NewKey): Scope[] {
    const refuse = (sentence: string, field: string): never => {
      throw new FleetError('BAD_INPUT', sentence, { field: [field] });
    };
    if (!name.trim() || name.length > 128) refuse('a name has 1 to 128 characters', 'name');
    const known = scopes.filter((scope): scope is Scope => SCOPES.includes(scope as Scope));
    if (!scopes.length || known.length < scopes.length) refuse(`scopes are some of ${SCOPES.join(', ')}`, 'scopes');
    if (expiresAt && expiresAt.getTime() <= this.clock.nowMs())
      refuse('this key would have ended already', 'expiresAt');
    if (requestsPerSecond != null && !(requestsPerSecond > 0 && requestsPerSecond <= 100_000)) {
      refuse('a rate is over 0 and at most 100,000 requests a second', 'requestsPerSecond');
    }
    return [...new Set(known)];
  }
}

function byId<T extends { id: string }>(rows: readonly T[]): ReadonlyMap<string, T> {
  return new Map(rows.map((row) => [row.id, row]));
}
