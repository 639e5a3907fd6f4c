import { hasAnyScope } from '../../../lib/call/principal.ts';
import { asFleetError, FleetError } from '../../../lib/errors.ts';
import type { HouseRoute, HouseRouteAnswer } from '../../../lib/subgraph.ts';
import type { Exports } from '../service/export.ts';
import { exportRequest } from '../service/export-request.ts';

const SCOPES = ['viewer'];

/** `GET /v1/logs/export`: matching entries as a file, newest first. A refusal is told before its first byte. */
export function exportRoute(exports: Exports): HouseRoute {
  return async ({ call, query }) => {
    try {
      if (!hasAnyScope(call.principal, SCOPES)) {
        throw new FleetError('FORBIDDEN', 'your scopes do not open /v1/logs/export: it takes viewer');
      }
      const { filter, format, limit } = exportRequest(query);
      const { contentType, total, limit: most, chunks } = await exports.open(filter, format, limit);
      return {
        status: 200,
        headers: {
          'content-type': contentType,
          'content-disposition': `attachment; filename="logs.${format}"`,
          'fleet-export-limit': String(most),
          ...(total === null ? {} : { 'fleet-export-total': String(total) }),
        },
        body: chunks,
      };
    } catch (error) {
      return refused(error);
    }
  };
}

function refused(error: unknown): HouseRouteAnswer {
  const known = asFleetError(error);
  if (!known) throw error;
  const status = known.code === 'FORBIDDEN' ? 403 : known.extensions['retryable'] === true ? 429 : 400;
  return { status, body: JSON.stringify({ errors: [{ message: known.message, extensions: known.extensions }] }) };
}
