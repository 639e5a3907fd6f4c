import { z } from 'zod';
import { isLoopback } from './loopback.ts';

/** Signatures by a key pair. A shared secret is none: whoever can check such a token could make one. */
export const JWT_ALGORITHMS = [
  ...(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const),
  ...(['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'] as const),
] as const;

/** `issuer=place, …` → issuer → where its keys are: an address nobody between can change, or a file. */
export function readIssuers(text: string, context: z.RefinementCtx): Record<string, string> {
  const issuers: Record<string, string> = {};
  for (const part of text.split(',').map((each) => each.trim())) {
    if (part === '') continue;
    const [issuer = '', ...rest] = part.split('=');
    const place = rest.join('=');
    if (issuer === '' || !isSafe(place)) {
      context.addIssue(
        'expected issuer=place, where place is https://…, http:// on loopback, or the absolute path of a file',
      );
      return z.NEVER;
    }
    issuers[issuer] = place;
  }
  return issuers;
}

function isSafe(place: string): boolean {
  if (place.startsWith('/')) return true;
  if (!URL.canParse(place)) return false;
  const { protocol, hostname } = new URL(place);
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname.replace(/^\[|\]$/g, '')));
}
