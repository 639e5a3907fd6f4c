import { createHash, timingSafeEqual } from 'node:crypto';
import type { Principal } from '../../lib/call/principal.ts';
import type { Clock } from '../../lib/clock.ts';
import { FleetError } from '../../lib/errors.ts';
import { BoundedMap } from './bounded-map.ts';
import type { CredentialDesk } from './credential-desk.ts';

/** An answer is good for so long, and a revocation unseen at most for so long, milliseconds. */
const FRESH_MS = 1_000;
/** With the desk away, what it confirmed so lately still counts, milliseconds. */
const STALE_MS = 60_000;
const KNOWN = 10_000;
const UNKNOWN = 10_000;

const ADMIN: Principal = { id: 'admin', kind: 'SCRIPT', name: 'admin', scopes: ['admin'] };

interface Known {
  principal: Principal;
  confirmedAtMs: number;
}

export interface AuthenticatorOptions {
  adminToken?: string | undefined;
  desk?: CredentialDesk | undefined;
  clock: Clock;
  /** The admin's rate, requests a second. */
  adminPerSecond?: number;
}

/** Tells who a bearer token belongs to. Remembers answers by the token's hash, never the token. */
export class Authenticator {
  readonly #known = new BoundedMap<string, Known>(KNOWN);
  readonly #unknown = new BoundedMap<string, number>(UNKNOWN);
  readonly #asking = new Map<string, Promise<Principal | undefined>>();
  readonly #adminHash: Buffer | undefined;
  readonly #admin: Principal;

  constructor(private readonly options: AuthenticatorOptions) {
    this.#adminHash = options.adminToken === undefined ? undefined : sha256(options.adminToken);
    const { adminPerSecond } = options;
    this.#admin = adminPerSecond === undefined ? ADMIN : { ...ADMIN, requestsPerSecond: adminPerSecond };
  }

  /**
   * @returns undefined when the token is unknown, revoked or over
   * @throws SUBGRAPH_UNAVAILABLE when nobody can tell now
   */
  async principalOf(token: string): Promise<Principal | undefined> {
    const hash = sha256(token);
    if (this.#adminHash && timingSafeEqual(hash, this.#adminHash)) return this.#admin;
    const { desk, clock } = this.options;
    if (!desk) return undefined;
    const key = hash.toString('base64');
    const nowMs = clock.nowMs();
    const known = this.#known.get(key);
    if (known && nowMs - known.confirmedAtMs < FRESH_MS) return this.#valid(known.principal);
    const refusedAtMs = this.#unknown.get(key);
    if (refusedAtMs !== undefined && nowMs - refusedAtMs < FRESH_MS) return undefined;
    return this.#valid(await this.#ask(key, token, desk, known));
  }

  /** Whether asking about this token would bother the desk. */
  isRemembered(token: string): boolean {
    const hash = sha256(token);
    const key = hash.toString('base64');
    const refusedAtMs = this.#unknown.get(key);
    return (
      (this.#adminHash !== undefined && timingSafeEqual(hash, this.#adminHash)) ||
      this.#known.get(key) !== undefined ||
      (refusedAtMs !== undefined && this.options.clock.nowMs() - refusedAtMs < FRESH_MS)
    );
  }

  #ask(key: string, token: string, desk: CredentialDesk, known: Known | undefined): Promise<Principal | undefined> {
    const under = this.#asking.get(key);
    if (under) return under;
    const asking = this.#settle(key, desk(token), known).finally(() => this.#asking.delete(key));
    this.#asking.set(key, asking);
    return asking;
  }

  async #settle(
    key: string,
    answer: Promise<Principal | undefined>,
    known: Known | undefined,
  ): Promise<Principal | undefined> {
    const { clock } = this.options;
    // A revocation that falls between the question and its answer must not be remembered as good for longer.
    const askedAtMs = clock.nowMs();
    try {
      const principal = await answer;
      if (principal) {
        this.#known.set(key, { principal, confirmedAtMs: askedAtMs });
        this.#unknown.delete(key);
      } else {
        this.#known.delete(key);
        this.#unknown.set(key, askedAtMs);
      }
      return principal;
    } catch {
      if (known && askedAtMs - known.confirmedAtMs < STALE_MS) return known.principal;
      throw new FleetError('SUBGRAPH_UNAVAILABLE', 'credentials cannot be checked now, try again', {
        retryAfterMs: 1_000,
      });
    }
  }

  #valid(principal: Principal | undefined): Principal | undefined {
    const untilMs = principal?.expiresAtMs;
    return untilMs !== undefined && untilMs <= this.options.clock.nowMs() ? undefined : principal;
  }
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** The token of an `Authorization: Bearer` header's value. */
export function bearerIn(header: string | undefined): string | undefined {
  return /^Bearer +([\x21-\x7e]{1,4096})$/i.exec(header ?? '')?.[1];
}
