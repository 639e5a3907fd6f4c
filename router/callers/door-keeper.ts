import type { RateLimiterMemory } from 'rate-limiter-flexible';
import type { Principal } from '../../lib/call/principal.ts';
import { FleetError } from '../../lib/errors.ts';
import type { Authenticator } from './authenticator.ts';

/** Unknown tokens that one address may try in a second before it is turned away unasked. */
const TRIES_PER_SECOND = 50;

/** Everybody, on a router without credentials. */
const ANYBODY: Principal = { id: 'anonymous', kind: 'PERSON', name: 'anonymous', scopes: ['admin'] };

/** Lets callers in by their credential, and slows down those who guess. */
export class DoorKeeper {
  readonly #anybody: Principal;
  #counted: RateLimiterMemory | undefined;

  /**
   * @param authenticator absent: the router is open to everybody
   * @param openPerSecond requests a second of everybody together on an open router
   */
  constructor(
    private readonly authenticator: Authenticator | undefined,
    openPerSecond = Number.POSITIVE_INFINITY,
  ) {
    this.#anybody = { ...ANYBODY, requestsPerSecond: openPerSecond };
  }

  get isOpen(): boolean {
    return this.authenticator === undefined;
  }

  /** Whoever needs no asking: everybody on an open router, and who was asked about a moment ago. */
  admitNow(token: string | undefined): Principal | undefined {
    if (!this.authenticator) return this.#anybody;
    return token === undefined ? undefined : this.authenticator.recall(token);
  }

  /**
   * @throws UNAUTHENTICATED without a valid token, RATE_LIMITED for an address that guesses, SUBGRAPH_UNAVAILABLE when nobody can tell
   */
  async admit(token: string | undefined, address: string): Promise<Principal> {
    const { authenticator } = this;
    if (!authenticator) return this.#anybody;
    if (token === undefined) throw new FleetError('UNAUTHENTICATED', 'send a token: Authorization: Bearer …');
    const known = authenticator.recall(token);
    if (known) return known;
    const isGuess = !authenticator.isRemembered(token);
    if (isGuess) await this.#countTry(address);
    const principal = await authenticator.principalOf(token);
    if (!principal) throw new FleetError('UNAUTHENTICATED', 'this token is unknown, revoked or over');
    // A good token costs its address nothing: a whole fleet may live behind one.
    if (isGuess) await this.#tries().reward(address);
    return principal;
  }

  /**
   * Which of these tokens, that were good, no longer are; asked anew, all in one question. With nobody to tell a token
   * stays good until its own end.
   */
  async ended(bearers: ReadonlyMap<string, Principal>, nowMs: number): Promise<Set<string>> {
    const { authenticator } = this;
    const over = [...bearers].filter(([, { expiresAtMs }]) => expiresAtMs !== undefined && expiresAtMs <= nowMs);
    const ended = (await authenticator?.ended([...bearers.keys()])) ?? new Set<string>();
    for (const [token] of over) ended.add(token);
    return ended;
  }

  /** Made for the first token that is not known: an open router has no use for it. */
  #tries(): RateLimiterMemory {
    if (this.#counted) return this.#counted;
    const { RateLimiterMemory } = require('rate-limiter-flexible') as typeof import('rate-limiter-flexible');
    this.#counted = new RateLimiterMemory({ points: TRIES_PER_SECOND, duration: 1 });
    return this.#counted;
  }

  async #countTry(address: string): Promise<void> {
    try {
      await this.#tries().consume(address);
    } catch {
      throw new FleetError('RATE_LIMITED', 'too many unknown tokens from your address', { retryAfterMs: 1_000 });
    }
  }
}
