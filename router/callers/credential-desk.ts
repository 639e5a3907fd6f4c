import type { HouseClient } from '../../lib/call/house-client.ts';
import { type Principal, systemPrincipal } from '../../lib/call/principal.ts';
import type { Clock } from '../../lib/clock.ts';
import { FleetError } from '../../lib/errors.ts';

/**
 * Asks whoever keeps credentials what a token is worth.
 * @returns undefined when the token is worth nothing
 * @throws SUBGRAPH_UNAVAILABLE when there is no answer
 */
export type CredentialDesk = (token: string) => Promise<Principal | undefined>;

const TIMEOUT_MS = 2_000;

/** The desk of a house. @param path e.g. `/internal/credentials` */
export function houseDesk(house: HouseClient, path: string, clock: Clock): CredentialDesk {
  return async (token) => {
    const answer = await house.send(`POST ${path}`, {
      call: { principal: systemPrincipal('router'), requestId: clock.uuid() },
      body: JSON.stringify({ token }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (answer.status === 404) return undefined;
    if (answer.status === 200) return (JSON.parse(answer.body.toString()) as { principal: Principal }).principal;
    throw new FleetError('SUBGRAPH_UNAVAILABLE', 'credentials cannot be checked now');
  };
}
