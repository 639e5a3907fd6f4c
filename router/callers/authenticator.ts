import { hash, timingSafeEqual } from 'node:crypto';
import type { Principal } from '../../lib/call/principal.ts';
import type { Clock } from '../../lib/clock.ts';
import { FleetError } from '../../lib/errors.ts';
import { BoundedMap } from './bounded-map.ts';
import { type CredentialDesk, MOST_TOKENS } from './credential-desk.ts';
import type { JwtDesk } from './jwt.ts';
import type { KeySet } from './key-ring.ts';

/** An answer of the desk is good for so long, and a revocation unseen at most for so long, milliseconds. */
const FRESH_MS = 1_000;
/** With the desk away, what it confirmed so lately still counts, milliseconds. */
const STALE_MS = 60_000;
const KNOWN = 10_000;
const UNKNOWN = 10_000;

const ADMIN: Principal = { id: 'admin', kind: 'SCRIPT', name: 'admin', scopes: ['admin'] };

interface Known {
  principal: Principal;
  confirmedAtMs: number;
  /** Until then nobody needs to be asked. */
  freshUntilMs: number;
  /** By which it was verified; undefined for the desk's own tokens. */
  keys: KeySet | undefined;
}

export interface AuthenticatorOptions {
  adminToken?: string | undefined;
  desk?: CredentialDesk | undefined;
  /** Tokens of other issuers. */
  jwt?: JwtDesk | undefined;
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
    this.#adminHash = options.adminToken === undefined ? undefined : Buffer.from(keyOf(options.adminToken));
    const { adminPerSecond } = options;
    this.#admin = adminPerSecond === undefined ? ADMIN : { ...ADMIN, requestsPerSecond: adminPerSecond };
  }

  /** Who a token is, if that is known without asking anybody: a hash and a look into a map. */
  recall(token: string): Principal | undefined {
    return this.#recall(keyOf(token));
  }

  /**
   * @returns undefined when the token is unknown, revoked or over
   * @throws SUBGRAPH_UNAVAILABLE when nobody can tell now
   */
  async principalOf(token: string): Promise<Principal | undefined> {
    const key = keyOf(token);
    const recalled = this.#recall(key);
    if (recalled) return recalled;
    const refusedAtMs = this.#unknown.get(key);
    if (refusedAtMs !== undefined && this.options.clock.nowMs() - refusedAtMs < FRESH_MS) return undefined;
    return this.#valid(await this.#ask(key, token));
  }

  /** Whether asking about this token would bother the desk. */
  isRemembered(token: string): boolean {
    const key = keyOf(token);
    const refusedAtMs = this.#unknown.get(key);
    return (
      this.#isAdmin(key) ||
      this.#known.get(key) !== undefined ||
      (refusedAtMs !== undefined && this.options.clock.nowMs() - refusedAtMs < FRESH_MS)
    );
  }

  /**
   * Asks anew about tokens that were good, many in one question, whatever is remembered of them.
   * @returns those that no longer are; with nobody to tell a token stays good until its own end
   */
  async ended(tokens: readonly string[]): Promise<Set<string>> {
    const { desk, jwt } = this.options;
    const ended = new Set<string>();
    for (const token of tokens) {
      if (!jwt?.takes(token)) continue;
      const isOver = await this.principalOf(token).then(
        (principal) => principal === undefined,
        () => false,
      );
      if (isOver) ended.add(token);
    }
    const kept = tokens.filter((token) => desk && !this.#isAdmin(keyOf(token)) && !jwt?.takes(token));
    for (let from = 0; desk && from < kept.length; from += MOST_TOKENS) {
      const asked = kept.slice(from, from + MOST_TOKENS);
      const askedAtMs = this.options.clock.nowMs();
      const principals = await desk.askAll(asked).catch(() => undefined);
      principals?.forEach((principal, place) => {
        const token = asked[place] as string;
        this.#remember(keyOf(token), principal, askedAtMs);
        if (!principal) ended.add(token);
      });
    }
    return ended;
  }

  #recall(key: string): Principal | undefined {
    if (this.#isAdmin(key)) return this.#admin;
    const known = this.#known.get(key);
    if (!known || this.options.clock.nowMs() >= known.freshUntilMs) return undefined;
    // A key that its issuer took back may have signed it.
    if (known.keys && !known.keys.isCurrent) return undefined;
    return this.#valid(known.principal);
  }

  #isAdmin(key: string): boolean {
    return this.#adminHash !== undefined && timingSafeEqual(Buffer.from(key), this.#adminHash);
  }

  #ask(key: string, token: string): Promise<Principal | undefined> {
    const under = this.#asking.get(key);
    if (under) return under;
    const asking = this.#settle(key, token).finally(() => this.#asking.delete(key));
    this.#asking.set(key, asking);
    return asking;
  }

  async #settle(key: string, token: string): Promise<Principal | undefined> {
    const { clock, desk, jwt } = this.options;
    const known = this.#known.get(key);
    // A revocation that falls between the question and its answer must not be remembered as good for longer.
    const askedAtMs = clock.nowMs();
    try {
      if (jwt?.takes(token)) {
        const verified = await jwt.verify(token);
        this.#remember(key, verified?.principal, askedAtMs, verified?.keys);
        return verified?.principal;
      }
      const principal = await desk?.ask(token);
      this.#remember(key, principal, askedAtMs);
      return principal;
    } catch {
      if (known && askedAtMs - known.confirmedAtMs < STALE_MS) return known.principal;
      throw new FleetError('SUBGRAPH_UNAVAILABLE', 'credentials cannot be checked now, try again', {
        retryAfterMs: 1_000,
      });
    }
  }

  #remember(key: string, principal: Principal | undefined, atMs: number, keys?: KeySet): void {
    if (!principal) {
      this.#known.delete(key);
      this.#unknown.set(key, atMs);
      return;
    }
    const freshUntilMs = keys ? (principal.expiresAtMs ?? atMs) : atMs + FRESH_MS;
    this.#known.set(key, { principal, confirmedAtMs: atMs, freshUntilMs, keys });
    this.#unknown.delete(key);
  }

  #valid(principal: Principal | undefined): Principal | undefined {
    const untilMs = principal?.expiresAtMs;
    return untilMs !== undefined && untilMs <= this.options.clock.nowMs() ? undefined : principal;
  }
}

/** SHA-256, base64. */
function keyOf(token: string): string {
  return hash('sha256', token, 'base64');
}

/** The token of an `Authorization: Bearer` header's value. */
export function bearerIn(header: string | undefined): string | undefined {
  return /^Bearer +([\x21-\x7e]{1,4096})$/i.exec(header ?? '')?.[1];
}
