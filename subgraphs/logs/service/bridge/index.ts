import { createHash } from 'node:crypto';
import { Counter, Gauge } from 'prom-client';
import { eventTable } from '../../../../lib/events/table-source.ts';
import type { HouseRuntime } from '../../../../lib/house.ts';
import { ErrorBridgeStore } from '../../store/index.ts';
import { ErrorBridge } from './bridge.ts';
import { NatsTarget } from './nats-target.ts';
import { RedisTarget } from './redis-target.ts';

/** The bridges that the settings name. */
export function bridgesOf({ settings, database, clock, log, registry }: HouseRuntime): ErrorBridge[] {
  const targets = settings.FLEET_ERROR_BRIDGES;
  if (!targets.length) return [];
  const common = { labelNames: ['bridge'] as const, registers: [registry] };
  const metrics = {
    waiting: new Gauge({
      name: 'fleet_error_bridge_waiting',
      help: 'Changes a bridge has not given out yet.',
      ...common,
    }),
    sent: new Counter({ name: 'fleet_error_bridge_sent_total', help: 'Messages that were taken.', ...common }),
    failed: new Counter({ name: 'fleet_error_bridge_failed_total', help: 'Tries that failed.', ...common }),
    gaps: new Counter({ name: 'fleet_error_bridge_gaps_total', help: 'Times that changes were gone.', ...common }),
  };
  const rooms = { source: eventTable(database), places: new ErrorBridgeStore(database), clock, log, metrics };
  return targets.map((target) => {
    const url = new URL(target);
    const label = `${url.protocol}//${url.host}`;
    const isRedis = url.protocol.startsWith('redis');
    const sender = isRedis
      ? new RedisTarget(url, (reason) => log.debug('errors.bridge.away', { bridge: label, reason }))
      : new NatsTarget(url);
    return new ErrorBridge(nameOf(url), label, sender, rooms);
  });
}

/** Its place is known by where it goes, whatever credential it goes with. */
function nameOf({ protocol, host, pathname, search }: URL): string {
  return createHash('sha256').update(`${protocol}//${host}${pathname}${search}`).digest('hex').slice(0, 16);
}
