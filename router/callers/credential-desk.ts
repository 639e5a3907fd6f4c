import type { HouseClient } from '../../lib/call/house-client.ts';
import { type Principal, systemPrincipal } from '../../lib/call/principal.ts';
import type { Clock } from '../../lib/clock.ts';
import { FleetError } from '../../lib/errors.ts';

/** Asks whoever keeps credentials what a token is worth. */
export interface CredentialDesk {
  /**
   * @returns undefined when the token is worth nothing
   * @throws SUBGRAPH_UNAVAILABLE when there is no answer
   */
  ask(token: string): Promise<Principal | undefined>;
  /** The same of up to MOST_TOKENS at once, in their order. */
  askAll(tokens: readonly string[]): Promise<(Principal | undefined)[]>;
}

/** Tokens that one question may be about. */
export const MOST_TOKENS = 500;
const TIMEOUT_MS = 2_000;

/** The desk of a house. @param path e.g. `/internal/credentials` */
export function houseDesk(house: HouseClient, path: string, clock: Clock): CredentialDesk {
  const send = async (question: object) => {
    const answer = await house.send(`POST ${path}`, {
      call: { principal: systemPrincipal('router'), requestId: clock.uuid() },
      body: JSON.stringify(question),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (answer.status !== 200 && answer.status !== 404) {
      throw new FleetError('SUBGRAPH_UNAVAILABLE', 'credentials cannot be checked now');
    }
    return answer;
  };
  return {
    async ask(token) {
      const { status, body } = await send({ token });
      return status === 404 ? undefined : (JSON.parse(body.toString()) as { principal: Principal }).principal;
    },
    async askAll(tokens) {
      const { body } = await send({ tokens });
      const { principals } = JSON.parse(body.toString()) as { principals: (Principal | null)[] };
      return principals.map((principal) => principal ?? undefined);
    },
  };
}
