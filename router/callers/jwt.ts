import type { JWTVerifyGetKey } from 'jose';
import type { Principal } from '../../lib/call/principal.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import { principalIn } from './claims.ts';
import { KeyRing, type KeySet, type KeySource, keySource } from './key-ring.ts';

/** Which tokens of others are taken. */
export interface JwtOptions {
  /** Issuer (`iss`) → where its keys are: https://…, http:// on loopback, or the path of a file. */
  issuers: Readonly<Record<string, string>>;
  /** Of which a token must name one in `aud`. */
  audience: readonly string[];
  /** Signatures by a key pair only: whoever can check a shared secret's could make one. */
  algorithms: readonly string[];
  /** How far the issuer's clock may be from ours, milliseconds. */
  skewMs: number;
}

/** Who a token speaks for, as long as its issuer shows these keys. */
export interface Verified {
  principal: Principal;
  keys: KeySet;
}

const SHAPE = /^[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}$/;

/** Checks signed JSON Web Tokens (RFC 7519) by their issuers' published keys. */
export class JwtDesk {
  readonly #rings: ReadonlyMap<string, KeyRing>;

  /** @param sourceOf where keys are read, by their place */
  constructor(
    private readonly options: JwtOptions,
    private readonly clock: Clock,
    log: Log,
    sourceOf: (place: string) => KeySource = keySource,
  ) {
    this.#rings = new Map(
      Object.entries(options.issuers).map(([issuer, place]) => {
        const tell = (error: string) => log.warn('jwks.unread', { issuer, error });
        return [issuer, new KeyRing(sourceOf(place), () => clock.nowMs(), tell)];
      }),
    );
  }

  /** Whether a token has the form of one for this desk. */
  takes(token: string): boolean {
    return SHAPE.test(token);
  }

  /**
   * Who a token speaks for, until its end.
   * @returns undefined when its signature, issuer, audience or time is not as it must be
   * @throws SUBGRAPH_UNAVAILABLE when its issuer's keys cannot be had
   */
  async verify(token: string): Promise<Verified | undefined> {
    const { decodeJwt, errors, jwtVerify } = require('jose') as typeof import('jose');
    const { audience, algorithms, skewMs } = this.options;
    try {
      const issuer = decodeJwt(token).iss;
      const ring = issuer === undefined ? undefined : this.#rings.get(issuer);
      if (issuer === undefined || !ring) return undefined;
      let keys: KeySet | undefined;
      const find: JWTVerifyGetKey = async (...named) => {
        const { key, set } = await ring.keyFor(...named);
        keys = set;
        return key;
      };
      const { payload } = await jwtVerify(token, find, {
        issuer,
        audience: [...audience],
        algorithms: [...algorithms],
        clockTolerance: skewMs / 1_000,
        currentDate: new Date(this.clock.nowMs()),
        requiredClaims: ['exp', 'sub'],
      });
      const principal = principalIn(payload, skewMs);
      return principal && { principal, keys: keys as unknown as KeySet };
    } catch (error) {
      // Whatever is wrong with it, it is no credential; why is nobody's who only guesses.
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  }
}
