import type { Settings } from '../../lib/settings/index.ts';
import type { RouterLimits } from '../options.ts';

/** The limits that the settings give. @param isMeasured every rate and cost limit of clients is off */
export function limitsIn(settings: Settings, isMeasured = false): Partial<RouterLimits> {
  const unless = (perSecond: number) => (isMeasured ? Number.POSITIVE_INFINITY : perSecond);
  return {
    adminPerSecond: unless(settings.FLEET_ADMIN_RPS),
    clientPerSecond: unless(settings.FLEET_CLIENT_RPS),
    rates: {
      costPerRequest: settings.FLEET_COST_PER_REQUEST,
      costBurstS: settings.FLEET_COST_BURST_S,
      ingestBytesPerSecond: settings.FLEET_INGEST_BYTES_PER_SECOND,
      ingestRecordsPerSecond: settings.FLEET_INGEST_RECORDS_PER_SECOND,
      pagesPerSecond: unless(settings.FLEET_PAGE_RPS),
      operations: settings.FLEET_OPERATION_RPS,
    },
    queue: {
      inFlight: settings.FLEET_MAX_IN_FLIGHT,
      waiting: settings.FLEET_QUEUE_ENTRIES,
      waitMs: settings.FLEET_LIMIT_MODE === 'refuse' ? 0 : settings.FLEET_QUEUE_WAIT_MS,
    },
    streams: { perSecond: settings.FLEET_STREAMS_PER_SECOND, burst: settings.FLEET_STREAMS_PER_SECOND },
    streamsPerClient: settings.FLEET_STREAMS_PER_CLIENT,
    dryRun: settings.FLEET_LIMITS_DRY_RUN,
    showsCost: settings.FLEET_COST_SHOWN,
  };
}
