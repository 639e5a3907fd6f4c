import { hasAnyScope } from '../../../lib/call/principal.ts';
import { asFleetError, type ErrorCode, FleetError } from '../../../lib/errors.ts';
import type { HouseRoute, HouseRouteAnswer } from '../../../lib/subgraph.ts';
import { CONFIGURATION_ROUTE } from '../../../lib/write/configuration.ts';
import { ENTRIES_ROUTE } from '../../../lib/write/relay.ts';
import { type ConfigurationTrail, readReport } from '../service/configuration.ts';
import type { WitnessDesk } from '../service/cosigning/index.ts';
import type { AuditService } from '../service/index.ts';
import { readBatch } from '../service/leaf.ts';
import type { LogExport } from '../service/log-export.ts';
import type { Readings } from '../service/readings.ts';

/** Who may take the whole log with him. */
const EXPORTERS = ['auditor'];
const INDEX = /^(0|[1-9]\d{0,14})$/;
const STATUS: Partial<Record<ErrorCode, number>> = { FORBIDDEN: 403, NOT_FOUND: 404, CONFLICT: 409, OVERLOADED: 503 };

/** The house's routes beside the graph. */
export function auditRoutes(
  service: AuditService,
  log: LogExport,
  readings: Readings,
  configuration: ConfigurationTrail,
  desk: WitnessDesk,
): Record<string, HouseRoute> {
  return {
    [ENTRIES_ROUTE]: entriesRoute(service),
    [CONFIGURATION_ROUTE]: configurationRoute(configuration),
    'GET /v1/audit/export': exportRoute(log, readings),
    'POST /v1/audit/witness/add-checkpoint': coded(({ body }) => desk.add(body.toString())),
  };
}

/** Takes entries from the other houses' relays and the router: 200 once they are durable. */
function entriesRoute(service: AuditService): HouseRoute {
  return coded(async ({ body }) => {
    await service.append(readBatch(body));
    return { status: 200, body: '{}' };
  });
}

/** Takes what a process runs with: 200 once what changed is in the trail. */
function configurationRoute(configuration: ConfigurationTrail): HouseRoute {
  return coded(async ({ body }) => {
    await configuration.compare(readReport(body));
    return { status: 200, body: '{}' };
  });
}

/** Streams the log from `?from=` on, 0 unless given. */
function exportRoute(log: LogExport, readings: Readings): HouseRoute {
  return coded(async ({ call, query }) => {
    if (!hasAnyScope(call.principal, EXPORTERS))
      throw new FleetError('FORBIDDEN', `this needs one of the scopes ${EXPORTERS.join(', ')}`);
    const from = query.get('from') ?? '0';
    if (!INDEX.test(from)) throw new FleetError('BAD_INPUT', '`from` is the index of an entry', { field: ['from'] });
    const body = await log.open(Number(from));
    readings.note(call, 'export');
    return { status: 200, headers: { 'content-type': 'application/x-ndjson' }, body };
  });
}

/** A route whose expected failures are answered with their code. */
function coded(route: HouseRoute): HouseRoute {
  return async (request): Promise<HouseRouteAnswer> => {
    try {
      return await route(request);
    } catch (error) {
      const refused = asFleetError(error);
      if (!refused) throw error;
      const { message, extensions } = refused;
      const waitMs = extensions['retryAfterMs'];
      return {
        status: STATUS[refused.code] ?? 400,
        ...(typeof waitMs === 'number' ? { headers: { 'retry-after': String(Math.ceil(waitMs / 1_000)) } } : {}),
        body: JSON.stringify({ errors: [{ message, extensions }] }),
      };
    }
  };
}
