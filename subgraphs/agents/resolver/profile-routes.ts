import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { hasScope } from '../../../lib/call/principal.ts';
import { asFleetError, FleetError } from '../../../lib/errors.ts';
import type { HouseRoute, HouseRouteAnswer, HouseRouteRequest } from '../../../lib/subgraph.ts';
import type { Profiles } from '../service/profiles.ts';

/** A profile, unpacked, bytes. */
const MAX_BYTES = 8 << 20;
const STATUS: Record<string, number> = { FORBIDDEN: 403, NOT_FOUND: 404, CONFLICT: 409 };
const unpacked = promisify(gunzip);

/** Roads of profiles: `POST` an agent’s own, `GET` its file by `id`. */
export function profileRoutes(profiles: Profiles): Record<string, HouseRoute> {
  return {
    'POST /v1/profiles': open(async ({ call, body }) => {
      await profiles.take(call, toldIn(body));
      return { status: 200, body: '{}' };
    }),
    'GET /v1/profiles': open(async ({ call, query }) => {
      if (!hasScope(call.principal, 'operator')) throw new FleetError('FORBIDDEN', 'this needs the scope operator');
      const { kind, content } = await profiles.file(query.get('id') ?? '');
      const headers = {
        'content-type': 'application/json',
        'content-disposition': `attachment; filename="agent.${kind === 'CPU' ? 'cpuprofile' : 'heapprofile'}"`,
      };
      return { status: 200, headers, body: await unpacked(content, { maxOutputLength: MAX_BYTES * 2 }) };
    }),
  };
}

function toldIn(body: Buffer): { profile?: unknown; content?: unknown; error?: unknown } {
  if (body.length > MAX_BYTES) throw new FleetError('BAD_INPUT', `a profile has at most ${MAX_BYTES} bytes`);
  try {
    const told: unknown = JSON.parse(body.toString());
    if (told && typeof told === 'object') return told;
  } catch {
    // Said below.
  }
  throw new FleetError('BAD_INPUT', 'a profile comes as a JSON object');
}

/** An expected failure is a route’s answer. */
function open(answer: (request: HouseRouteRequest) => Promise<HouseRouteAnswer>): HouseRoute {
  return async (request) => {
    try {
      return await answer(request);
    } catch (error) {
      const known = asFleetError(error);
      if (!known) throw error;
      const { message, extensions } = known;
      return { status: STATUS[known.code] ?? 400, body: JSON.stringify({ errors: [{ message, extensions }] }) };
    }
  };
}
