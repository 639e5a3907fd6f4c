import { hasAnyScope } from '../../../lib/call/principal.ts';
import type { Call } from '../../../lib/call/signing.ts';
import { FleetError } from '../../../lib/errors.ts';
import { exportAnswer, failureAnswer, unpacked, unpackOtlp } from '../../../lib/otlp/index.ts';
import type { HouseRoute } from '../../../lib/subgraph.ts';
import type { Ingest } from '../service/ingest.ts';

/** The service of lines that name none. */
const SERVICE_HEADER = 'x-fleet-service';
const INGEST_SCOPES = ['agent', 'operator'];

/** What takes logs in beside the graph. */
export function ingestRoutes(ingest: Ingest): Record<string, HouseRoute> {
  return { 'POST /v1/logs': otlpRoute(ingest), 'POST /v1/logs/lines': linesRoute(ingest) };
}

/** OTLP/HTTP: 200 once the records are durable; each that is refused is told with its reason. */
function otlpRoute(ingest: Ingest): HouseRoute {
  return async (request) => {
    try {
      checkScopes(request.call);
      const body = await unpackOtlp(request);
      const { principal, idempotencyKey } = request.call;
      const { records, rejected } = await ingest.otlp(body, idempotencyKey, principal);
      return exportAnswer('logs', body.encoding, rejected, records);
    } catch (error) {
      return failureAnswer(error, request.headers['content-type']);
    }
  };
}

/** Lines of files as they are, one record each; answered as OTLP/JSON is. */
function linesRoute(ingest: Ingest): HouseRoute {
  return async (request) => {
    try {
      const { principal, idempotencyKey } = request.call;
      checkScopes(request.call);
      const service = String(request.headers[SERVICE_HEADER] ?? '');
      if (!/^[\x20-\x7e]{0,256}$/.test(service)) {
        throw new FleetError('BAD_INPUT', `${SERVICE_HEADER} has at most 256 ASCII characters`);
      }
      const { records, rejected } = await ingest.lines(await unpacked(request), service, idempotencyKey, principal);
      return exportAnswer('logs', 'json', rejected, records);
    } catch (error) {
      return failureAnswer(error, 'application/json');
    }
  };
}

function checkScopes({ principal }: Call): void {
  if (hasAnyScope(principal, INGEST_SCOPES)) return;
  throw new FleetError('FORBIDDEN', 'your scopes do not open this: it takes agent or operator');
}
