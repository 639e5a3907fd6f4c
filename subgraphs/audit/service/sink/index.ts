import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Counter, Gauge } from 'prom-client';
import { FleetError } from '../../../../lib/errors.ts';
import type { HouseRuntime } from '../../../../lib/house.ts';
import type { Vault } from '../../../../lib/vault.ts';
import type { AuditSink as Applied } from '../../entity/index.ts';
import type { LeafStore, ProgressStore } from '../../store/index.ts';
import type { MerkleLog } from '../merkle-log.ts';
import type { SinkFormat } from './batch.ts';
import { senderOf } from './senders.ts';
import { AuditSink } from './sink.ts';

export { positionOf, SinkDesk } from './desk.ts';
export { AuditSink } from './sink.ts';

/** Makes what gives the trail to a sink. */
export interface SinkMaker {
  /** Those that the settings name. */
  named: AuditSink[];
  /** One that was applied. */
  of(sink: Applied, position: string): AuditSink;
}

/** @throws BAD_INPUT for a sink of the settings that is not encrypted and may not be so */
export function sinkMaker(
  { settings, clock, log: notes, registry }: HouseRuntime,
  rooms: { leaves: LeafStore; progress: ProgressStore; log: MerkleLog; vault: Vault },
): SinkMaker {
  const common = { labelNames: ['sink'] as const, registers: [registry] };
  const metrics = {
    waiting: new Gauge({ name: 'fleet_audit_sink_waiting', help: 'Entries that a sink has not taken yet.', ...common }),
    sent: new Counter({ name: 'fleet_audit_sink_sent_total', help: 'Entries that a sink has taken.', ...common }),
    failed: new Counter({ name: 'fleet_audit_sink_failed_total', help: 'Tries that a sink did not take.', ...common }),
  };
  const options = {
    allowPrivate: settings.FLEET_WEBHOOK_PRIVATE,
    ca: settings.FLEET_AUDIT_SINK_CA && readFileSync(settings.FLEET_AUDIT_SINK_CA, 'utf8'),
    nowMs: () => clock.nowMs(),
  };
  const shared = { ...rooms, clock, notes, metrics, holder: clock.uuid() };
  return {
    named: settings.FLEET_AUDIT_SINKS.map((target) => {
      const url = new URL(target);
      if (isPlain(url) && !options.allowPrivate) {
        throw new FleetError(
          'BAD_INPUT',
          `the sink ${url.protocol}//${url.host} is not encrypted: it needs FLEET_WEBHOOK_PRIVATE`,
        );
      }
      // Its position's name: without what an address may hide.
      const position = `sink:${createHash('sha256').update(url.href).digest('hex').slice(0, 16)}`;
      const facts = { position, label: url.host, format: settings.FLEET_AUDIT_SINK_FORMAT };
      const secret = settings.FLEET_AUDIT_SINK_SECRET ?? null;
      return new AuditSink(
        { ...facts, origin: `${url.protocol}//${url.host}` },
        senderOf(url, { ...options, secret }),
        shared,
      );
    }),
    of({ name, version, target, format, sealedSecret }, position) {
      const secret = sealedSecret && rooms.vault.open(name, sealedSecret);
      const facts = { position, label: name, origin: target, applied: { name, version } };
      return new AuditSink(
        { ...facts, format: format.toLowerCase() as SinkFormat },
        senderOf(new URL(target), { ...options, secret }),
        shared,
      );
    },
  };
}

/** Whether what goes there can be read on its way. */
export function isPlain({ protocol }: URL): boolean {
  return /^(http|syslog):$/.test(protocol);
}
