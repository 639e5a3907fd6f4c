import { readFileSync } from 'node:fs';
import path from 'node:path';
import { FleetClient, FleetFailure, type UserError } from '../sdk/index.ts';

/** The folder the platform keeps its data in: FLEET_DATA, else `.data` beside package.json, wherever the command is run. */
export function dataFolder(root: string): string {
  const { FLEET_DATA } = process.env;
  return FLEET_DATA ? path.resolve(FLEET_DATA) : path.join(root, '.data');
}

/** The caller's token: FLEET_TOKEN, else the admin's, which the first start wrote into the data folder; undefined: neither. */
export function tokenIfAny(root: string): string | undefined {
  const { FLEET_TOKEN } = process.env;
  if (FLEET_TOKEN) return FLEET_TOKEN;
  try {
    return readFileSync(tokenFile(root), 'utf8').trim();
  } catch {
    return undefined;
  }
}

const tokenFile = (root: string) => path.join(dataFolder(root), 'admin-token');

function token(root: string): string {
  const found = tokenIfAny(root);
  if (found) return found;
  throw new FleetFailure(
    'UNAUTHENTICATED',
    `no token: set FLEET_TOKEN, or start the platform once, which writes ${tokenFile(root)}`,
  );
}

/** Where a platform is that nobody said otherwise of. */
export const STANDARD_URL = 'http://127.0.0.1:4000';

/** The platform's address: given by --url, else FLEET_URL, else this machine's. */
export function platformUrl(url: string | undefined): string {
  return givenUrl(url) ?? STANDARD_URL;
}

/** The address that somebody named: by --url or FLEET_URL. */
export function givenUrl(url: string | undefined): string | undefined {
  return url ?? process.env['FLEET_URL'];
}

/** Where the platform is and who asks. */
export function addressOf(url: string | undefined, root: string): { url: string; token: string } {
  return { url: platformUrl(url), token: token(root) };
}

/**
 * A client for the address given by --url, else FLEET_URL, else this machine's.
 * @param timeoutMs of one request, milliseconds; the client's own unless given
 */
export function clientFor(url: string | undefined, root: string, timeoutMs?: number): FleetClient {
  return new FleetClient({ ...addressOf(url, root), ...(timeoutMs === undefined ? {} : { timeoutMs }) });
}

/** Whether lines may be coloured where they go: a terminal, and nobody said no (no-color.org). */
export function isColourWelcome({ isTTY }: { isTTY?: boolean }): boolean {
  return isTTY === true && !process.env['NO_COLOR'];
}

/** All that the environment says, for who looks whether it is right. */
export const wholeEnvironment = (): NodeJS.ProcessEnv => process.env;

/** The environment of what `fleet start` starts: what only clients read stays out. */
export function environment(root: string): NodeJS.ProcessEnv {
  const { FLEET_URL: _, FLEET_TOKEN: __, ...rest } = process.env;
  return rest['FLEET_DATA'] ? { ...rest, FLEET_DATA: dataFolder(root) } : rest;
}

/**
 * The environment of what `fleet dev` starts: of the platform, which records every request; of an agent's program where it is told whom to join.
 * @param port the platform's; PORT or 4000 unless given
 */
export function devEnvironment(
  root: string,
  port: string | undefined,
  join?: { url: string; token: string },
): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...environment(root), FLEET_DATA: dataFolder(root) };
  if (join) return { ...env, FLEET_URL: join.url, FLEET_TOKEN: join.token };
  return { ...env, FLEET_TRACE_RATIO: env['FLEET_TRACE_RATIO'] ?? '1', ...(port === undefined ? {} : { PORT: port }) };
}

/** What a mutation's payload says, or the failure its first user error states. */
export function settled<Payload extends { userErrors: UserError[] }>(payload: Payload | null | undefined): Payload {
  const first = payload?.userErrors[0];
  if (!payload || first)
    throw new FleetFailure(first?.code ?? 'INTERNAL', first?.message ?? 'the platform gave no answer');
  return payload;
}
