import { readFileSync } from 'node:fs';
import { Counter, Gauge } from 'prom-client';
import { FleetError } from '../../../../lib/errors.ts';
import type { HouseRuntime } from '../../../../lib/house.ts';
import type { LeafStore, ProgressStore } from '../../store/index.ts';
import type { MerkleLog } from '../merkle-log.ts';
import { senderOf } from './senders.ts';
import { AuditSink } from './sink.ts';

export { AuditSink } from './sink.ts';

/** The sinks that the settings name. */
export function sinksOf(
  { settings, clock, log: notes, registry }: HouseRuntime,
  rooms: { leaves: LeafStore; progress: ProgressStore; log: MerkleLog },
): AuditSink[] {
  const targets = settings.FLEET_AUDIT_SINKS;
  if (!targets.length) return [];
  const common = { labelNames: ['sink'] as const, registers: [registry] };
  const metrics = {
    waiting: new Gauge({ name: 'fleet_audit_sink_waiting', help: 'Entries that a sink has not taken yet.', ...common }),
    sent: new Counter({ name: 'fleet_audit_sink_sent_total', help: 'Entries that a sink has taken.', ...common }),
    failed: new Counter({ name: 'fleet_audit_sink_failed_total', help: 'Tries that a sink did not take.', ...common }),
  };
  const options = {
    allowPrivate: settings.FLEET_WEBHOOK_PRIVATE,
    secret: settings.FLEET_AUDIT_SINK_SECRET ?? null,
    ca: settings.FLEET_AUDIT_SINK_CA && readFileSync(settings.FLEET_AUDIT_SINK_CA, 'utf8'),
    nowMs: () => clock.nowMs(),
  };
  return targets.map((target) => {
    const url = new URL(target);
    if (/^(http|syslog):$/.test(url.protocol) && !options.allowPrivate) {
      throw new FleetError(
        'BAD_INPUT',
        `the sink ${url.protocol}//${url.host} is not encrypted: it needs FLEET_WEBHOOK_PRIVATE`,
      );
    }
    return new AuditSink(url, settings.FLEET_AUDIT_SINK_FORMAT, senderOf(url, options), {
      ...rooms,
      clock,
      notes,
      metrics,
    });
  });
}
