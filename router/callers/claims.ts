import type { JWTPayload } from 'jose';
import { type ActorKind, type Principal, SCOPES, type Scope } from '../../lib/call/principal.ts';

const MAX_SUBJECT = 255;
const MAX_NAME = 128;

/**
 * Who a verified token speaks for. Its id is the issuer's and the subject's, so that no issuer can name another's people,
 * nor the platform's own; scopes that are none of ours are dropped.
 * @param skewMs how long after its end a token still counts
 * @returns undefined when it names nobody, or has no end
 */
export function principalIn(claims: JWTPayload, skewMs: number): Principal | undefined {
  const { iss, sub, exp } = claims;
  if (typeof iss !== 'string' || typeof sub !== 'string' || typeof exp !== 'number') return undefined;
  if (sub === '' || sub.length > MAX_SUBJECT) return undefined;
  return {
    id: `jwt:${iss}|${sub}`,
    kind: kindIn(claims),
    name: nameIn(claims) ?? sub.slice(0, MAX_NAME),
    scopes: scopesIn(claims),
    expiresAtMs: exp * 1_000 + skewMs,
  };
}

/** `scope` (RFC 8693: one text) or `scp` (a list, or one text). */
function scopesIn({ scope, scp }: JWTPayload): Scope[] {
  const words = [scope, scp].flatMap((claim) => {
    if (typeof claim === 'string') return claim.split(' ');
    return Array.isArray(claim) ? claim : [];
  });
  return SCOPES.filter((known) => words.includes(known));
}

/** A client that speaks for itself is its own subject (RFC 9068, 2.2); agents and the platform have tokens of their own. */
function kindIn({ sub, client_id, azp }: JWTPayload): ActorKind {
  return sub === client_id || (client_id === undefined && sub === azp) ? 'SCRIPT' : 'PERSON';
}

function nameIn({ name, preferred_username, email }: JWTPayload): string | undefined {
  const found = [name, preferred_username, email].find((claim) => typeof claim === 'string' && claim !== '');
  return (found as string | undefined)?.slice(0, MAX_NAME);
}
