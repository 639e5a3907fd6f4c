import path from 'node:path';
import { messageOf } from '../../lib/errors.ts';
import { Sequencer } from '../../lib/events/sequencer.ts';
import { type EventSource, EventStream } from '../../lib/events/stream.ts';
import { buildSubgraph, type ReferenceResolver } from '../../lib/federation.ts';
import type { HouseRuntime } from '../../lib/house.ts';
import { readNodeId } from '../../lib/node-id.ts';
import type { Subgraph } from '../../lib/subgraph.ts';
import { Vault } from '../../lib/vault.ts';
import { Agent, Alert, AlertRule, AuditEntry, AuditSink, LogEntry } from './entity/index.ts';
import { auditLoaders } from './loaders.ts';
import {
  AgentAuditResolver,
  AlertAuditResolver,
  type AuditContext,
  AuditCosignedResolver,
  AuditDeletedResolver,
  AuditEntryResolver,
  AuditResolver,
  AuditRetentionPayloadResolver,
  AuditSinkPayloadResolver,
  AuditSinkResolver,
  AuditWitnessResolver,
  auditRoutes,
} from './resolver/index.ts';
import { Arrivals } from './service/arrivals.ts';
import { ConfigurationTrail } from './service/configuration.ts';
import { cosignersOf, witnessDeskOf } from './service/cosigning/index.ts';
import { AuditService } from './service/index.ts';
import { LogExport } from './service/log-export.ts';
import { MerkleLog } from './service/merkle-log.ts';
import { Readings } from './service/readings.ts';
import { renewIfRefused } from './service/renewal.ts';
import { BodyRetention, type RetentionRooms } from './service/retention.ts';
import { SinkDesk, sinkMaker } from './service/sink/index.ts';
import { TrailConfiguration } from './service/trail-configuration.ts';
import {
  ARRIVED,
  CosignatureStore,
  EntryStore,
  LeafStore,
  PLACED,
  ProgressStore,
  SinkStore,
  TreeStore,
  Witness,
  WitnessedLogStore,
} from './store/index.ts';

export const entities = [AuditEntry, AuditSink];

const DAY_MS = 86_400_000;

/** Audit: who changed what and when, provable by one Merkle tree over all of it. */
export async function auditSubgraph(runtime: HouseRuntime): Promise<Subgraph> {
  const { service, log, readings, desk, cosignatures, leaves, configuration, sinks, trail, progress, ...parts } =
    partsOf(runtime);
  return {
    name: 'audit',
    schema: await schemaOf(runtime),
    context: (call): AuditContext => {
      const loaders = auditLoaders(service);
      return { call, service, log, readings, desk, cosignatures, sinks, trail, progress, loaders };
    },
    routes: auditRoutes(service, new LogExport(leaves, log), readings, configuration, desk),
    async start() {
      const { clock, log: notes, notifications, settings } = runtime;
      await log.open();
      await desk.open();
      if (settings.FLEET_AUDIT_RENEW) await renewIfRefused(log, service, clock, notes);
      for (const worker of [parts.sequencer, parts.stream, parts.arrivals, readings]) worker.start();
      notifications.on(PLACED, () => sinks.wake());
      for (const worker of [sinks, ...parts.cosigners, parts.retention]) worker.start();
    },
    async stop() {
      for (const worker of [parts.retention, ...parts.cosigners, sinks]) await worker.stop();
      for (const worker of [readings, parts.arrivals, parts.stream, parts.sequencer]) await worker.stop();
    },
    async ready() {
      await runtime.database.query('select 1');
    },
  };
}

function schemaOf({ access }: HouseRuntime) {
  return buildSubgraph({
    resolvers: [
      AuditResolver,
      AuditEntryResolver,
      AuditCosignedResolver,
      AuditWitnessResolver,
      AuditSinkResolver,
      AuditSinkPayloadResolver,
      AuditRetentionPayloadResolver,
      AuditDeletedResolver,
      AgentAuditResolver,
      AlertAuditResolver,
    ],
    orphanedTypes: [Agent, Alert, AlertRule, LogEntry],
    access,
    references,
  });
}

/** What the house is made of. */
function partsOf(runtime: HouseRuntime) {
  const { database, notifications, cursors, clock, log: notes } = runtime;
  const entries = new EntryStore(database);
  const trees = new TreeStore(database);
  const witness = new Witness(path.resolve(runtime.settings.FLEET_DATA, 'audit'));
  const log = new MerkleLog(trees, witness, clock);
  const sequencer = new Sequencer(
    database,
    {
      table: 'entry',
      counter: 'tree',
      wake: ARRIVED,
      tell: PLACED,
      extend: (tx, first, count) => log.extend(tx, first, count),
    },
    notifications,
    notes,
  );
  const stream = new EventStream(placedEntries(entries, trees), cursors, notifications, PLACED, notes);
  const arrivals = new Arrivals(entries, notifications, (error) =>
    notes.warn('audit.arrivals.wait', { error: messageOf(error) }),
  );
  const redactionKey = runtime.key('redaction:audit');
  const service = new AuditService({ entries, trees, log, arrivals, stream, cursors, clock, notes, redactionKey });
  const [leaves, progress] = [new LeafStore(database), new ProgressStore(database)];
  const { sinks, trail, retention } = givenAway(runtime, { entries, leaves, progress, log, redactionKey });
  const cosignatures = new CosignatureStore(database);
  const cosigners = cosignersOf(runtime, { log, cosignatures });
  const desk = witnessDeskOf(runtime, new WitnessedLogStore(database));
  const windowMs = runtime.settings.FLEET_AUDIT_READ_WINDOW_MS;
  const readings = new Readings((drafts) => service.append(drafts), clock, windowMs, notes);
  const configuration = new ConfigurationTrail(entries, clock, redactionKey);
  return {
    ...{ service, log, readings, desk, cosignatures, leaves, configuration, sinks, trail, progress },
    ...{ sequencer, stream, arrivals, cosigners, retention },
  };
}

/** Where the trail goes and how long its bytes are kept, with what may change both. */
function givenAway(
  runtime: HouseRuntime,
  rooms: Omit<RetentionRooms, 'sinks' | 'inForce' | 'clock' | 'notes'> & { log: MerkleLog },
) {
  const { database, settings, writes, clock, log: notes } = runtime;
  const vault = new Vault(runtime.key('sink-secret'));
  const store = new SinkStore(database);
  const sinks = new SinkDesk(sinkMaker(runtime, { ...rooms, vault }), store, notes);
  const days = settings.FLEET_AUDIT_RETENTION_DAYS;
  const initial = { allowPrivate: settings.FLEET_WEBHOOK_PRIVATE, keepForMs: days ? days * DAY_MS : null };
  const trail: TrailConfiguration = new TrailConfiguration(store, writes, vault, initial, () => {
    sinks.changed();
    retention.wake();
  });
  const retention = new BodyRetention({
    ...rooms,
    clock,
    notes,
    sinks: async () => (await sinks.sinks()).map(({ position }) => position),
    inForce: () => trail.retention(),
  });
  return { sinks, trail, retention };
}

/** The entries as events, in their order. They are kept for good, so that every cursor of this epoch can be resumed. */
function placedEntries(entries: EntryStore, trees: TreeStore): EventSource {
  const state = async () => {
    const { epoch, size } = (await trees.state()) ?? { epoch: '', size: 0 };
    return { epoch, last: size, oldest: 1 };
  };
  return {
    state,
    // The state last: a tree that was set back meanwhile is found out.
    readAfter: async (position, limit) => {
      const events = await entries.readAfter(position, limit);
      return { ...(await state()), events };
    },
  };
}

const references: Record<string, ReferenceResolver> = {
  AuditEntry: ({ id }, { loaders }: AuditContext) => {
    const read = readNodeId(String(id));
    return read?.type === 'AuditEntry' ? loaders.entry.load(read.uuid) : null;
  },
  Agent: ({ id }) => Object.assign(new Agent(), { id }),
  Alert: ({ id, startedAt, agent }) =>
    Object.assign(new Alert(), { id, agent, ...(startedAt ? { startedAt: new Date(String(startedAt)) } : {}) }),
};
