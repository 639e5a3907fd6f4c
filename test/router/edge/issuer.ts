import type { IncomingMessage, ServerResponse } from 'node:http';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';
import { plainServer } from './support.ts';

/** An issuer of signed tokens, with keys of its own at a real address. */
export interface Issuer {
  name: string;
  place: string;
  /** What its key set shows now. */
  keys: JWK[];
  /** How often the key set was read. */
  read: number;
  isAway: boolean;
  /** Makes a key; shown unless told otherwise. */
  addKey(kid: string, isShown?: boolean): Promise<void>;
  /** A token signed by a key of that name. */
  token(claims?: JWTPayload, kid?: string, header?: object): Promise<string>;
  stop(): Promise<void>;
}

export async function openIssuer(nowMs: () => number, name = 'https://issuer.example'): Promise<Issuer> {
  const privateKeys = new Map<string, CryptoKey>();
  const server = await plainServer((_request: IncomingMessage, response: ServerResponse) => {
    issuer.read += 1;
    response.statusCode = issuer.isAway ? 503 : 200;
    response.end(JSON.stringify({ keys: issuer.keys }));
  });
  const issuer: Issuer = {
    name,
    place: `${server.url}/jwks.json`,
    keys: [],
    read: 0,
    isAway: false,
    async addKey(kid, isShown = true) {
      const { privateKey, publicKey } = await generateKeyPair('ES256');
      privateKeys.set(kid, privateKey);
      if (isShown) issuer.keys.push({ ...(await exportJWK(publicKey)), kid, use: 'sig' });
    },
    token(claims = {}, kid = 'first', header = {}) {
      const seconds = Math.floor(nowMs() / 1_000);
      return new SignJWT({
        iss: name,
        sub: 'robin',
        aud: 'fleetgraph',
        exp: seconds + 600,
        scope: 'viewer openid schema:read',
        ...claims,
      })
        .setProtectedHeader({ alg: 'ES256', kid, ...header })
        .sign(privateKeys.get(kid) as CryptoKey);
    },
    stop: () => server.stop(),
  };
  await issuer.addKey('first');
  return issuer;
}
