import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import type { CallVerifier } from '../../lib/call/signing.ts';
import { FleetError } from '../../lib/errors.ts';
import { isLoopback } from '../../lib/settings/index.ts';
import { HttpRefusal, readBody } from '../http/body.ts';
import { addressOf } from '../http/call.ts';
import type { Reply } from '../http/reply.ts';
import { sendJson } from '../http/send.ts';
import { ADDRESS } from './address.ts';
import { DISCOVERY_LIMITS } from './discovery.ts';
import type { Registrations } from './registrations.ts';

/** Where replicas register themselves. */
export const REPLICAS_ROUTE = 'POST /internal/replicas';

/** Longest lease, seconds. */
const MAX_LEASE_S = 600;

/** Bodies that are read at once: only what is read whole can be told from a stranger's. */
const READ_AT_ONCE = { all: 16, ofOneAddress: 4 };

const REGISTRATION = z.strictObject({
  subgraph: z.string().regex(/^[A-Za-z][\w-]{0,62}$/),
  url: ADDRESS,
  sdl: z.string().min(1).max(DISCOVERY_LIMITS.sdlBytes).optional(),
  leaseSeconds: z.number().int().min(0).max(MAX_LEASE_S),
});

/** Takes registrations that are signed with the platform's secret, and nobody else's. */
export class Registrar {
  /** Addresses whose bodies are being read. */
  readonly #reading: string[] = [];

  constructor(
    private readonly registrations: Registrations,
    private readonly verifier: CallVerifier,
  ) {}

  /** @throws HttpRefusal 401 for a call that is not signed, FleetError BAD_INPUT, OVERLOADED */
  async answer(request: IncomingMessage, response: Reply): Promise<void> {
    if (!this.verifier.isClaimed(request.headers)) throw stranger({ connection: 'close' });
    const body = await this.#read(request);
    if (!this.verifier.verify(REPLICAS_ROUTE, request.headers, body)) throw stranger();
    const registration = registrationIn(body.toString());
    if (isOwnMachine(registration.url) && !isLoopback(addressOf(request))) {
      throw new FleetError(
        'BAD_INPUT',
        'url: a replica on another machine is not at loopback: set FLEET_ADVERTISED_URL',
      );
    }
    this.registrations.register(registration);
    sendJson(response, 200, {});
  }

  async #read(request: IncomingMessage): Promise<Buffer> {
    const address = addressOf(request);
    const ofAddress = this.#reading.filter((each) => each === address).length;
    if (this.#reading.length >= READ_AT_ONCE.all || ofAddress >= READ_AT_ONCE.ofOneAddress) {
      throw new FleetError('OVERLOADED', 'too many register at once: try again', { retryAfterMs: 1_000 });
    }
    this.#reading.push(address);
    return await readBody(request, DISCOVERY_LIMITS.sdlBytes + 10_000).finally(() => {
      this.#reading.splice(this.#reading.indexOf(address), 1);
    });
  }
}

/** An address that each machine has, and that means its own. */
function isOwnMachine(url: string): boolean {
  return isLoopback(new URL(url).hostname.replace(/^\[|\]$/g, ''));
}

function stranger(headers: Readonly<Record<string, string>> = {}): HttpRefusal {
  return new HttpRefusal(401, new FleetError('UNAUTHENTICATED', 'only the platform’s own calls may register'), headers);
}

function registrationIn(text: string) {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new FleetError('BAD_INPUT', 'the body is no JSON');
  }
  const read = REGISTRATION.safeParse(json);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new FleetError('BAD_INPUT', `${issue?.path.join('.')}: ${issue?.message}`);
}
