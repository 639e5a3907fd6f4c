import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import type { Principal } from '../../lib/call/principal.ts';
import { callOf, type TestHouse } from '../support/house.ts';

/** The public door of a house for tests: bearer tokens become callers, as the router makes them; telemetry is taken and dropped. */
export interface Front {
  url: string;
  stop(): Promise<void>;
}

/** The token of who registers agents here. */
export const OWNER_TOKEN = 'owner';
const OWNER: Principal = { id: 'owner', kind: 'SCRIPT', name: 'owner', scopes: ['operator'] };

export async function startFront(house: TestHouse): Promise<Front> {
  const server = createServer((request, response) => {
    serve(house, request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function serve(house: TestHouse, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const isProfile = request.url?.startsWith('/v1/profiles');
  if (request.url?.startsWith('/v1/') && !isProfile) return void response.end('{}');
  const principal = await principalOf(house, (request.headers.authorization ?? '').replace('Bearer ', ''));
  if (!principal) {
    response.writeHead(401, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ errors: [{ message: 'unknown token', extensions: { code: 'UNAUTHENTICATED' } }] }));
    return;
  }
  if (isProfile) return profile(house, request, response, principal, Buffer.concat(chunks));
  const cut = new AbortController();
  response.on('close', () => cut.abort());
  const answer = await house.client.open('POST /graphql', {
    call: callOf({ principal }),
    headers: { accept: request.headers.accept ?? '*/*' },
    body: Buffer.concat(chunks),
    signal: cut.signal,
  });
  answer.on('error', () => response.destroy());
  response.writeHead(answer.statusCode ?? 500, answer.headers);
  answer.pipe(response);
}

/** As the router hands it on: unpacked. */
async function profile(
  { client }: TestHouse,
  { method, url, headers }: IncomingMessage,
  response: ServerResponse,
  principal: Principal,
  sent: Buffer,
): Promise<void> {
  const body = headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
  const answer = await client.send(`${method} ${url}`, { call: callOf({ principal }), body });
  response.writeHead(answer.status, { 'content-type': 'application/json' });
  response.end(answer.body);
}

const known = new Map<string, Principal>([[OWNER_TOKEN, OWNER]]);

async function principalOf(house: TestHouse, token: string): Promise<Principal | undefined> {
  const cached = known.get(token);
  if (cached) return cached;
  const { status, body } = await house.client.send('POST /internal/credentials', {
    call: callOf({}),
    body: JSON.stringify({ token }),
  });
  if (status !== 200) return undefined;
  const { principal } = JSON.parse(body.toString()) as { principal: Principal };
  known.set(token, principal);
  return principal;
}
