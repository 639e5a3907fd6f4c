import { Registry } from 'prom-client';
import { DataSource, type EntitySchema, type MigrationInterface } from 'typeorm';
import type { AccessTable } from './access.ts';
import { HouseClient } from './call/house-client.ts';
import { deriveKey } from './call/signing.ts';
import type { Clock } from './clock.ts';
import { CursorSealer } from './cursor.ts';
import { openDatabase } from './database.ts';
import { Moments } from './events/moments.ts';
import { Notifications } from './events/notifications.ts';
import { Retention, retentionLimits } from './events/retention.ts';
import { Sequencer } from './events/sequencer.ts';
import { EventStream } from './events/stream.ts';
import { eventTable } from './events/table-source.ts';
import { type Flags, standardFlags } from './flags/index.ts';
import type { Log } from './log.ts';
import type { Settings } from './settings/index.ts';
import type { TelemetryStore } from './telemetry-store/index.ts';
import { KeySweep } from './write/key-sweep.ts';
import { AuditRelay } from './write/relay.ts';
import { UNPLACED } from './write/rows.ts';
import { Writes } from './write/writes.ts';

/** Notification that events got positions. */
const PLACED = 'fleet_placed';

/** Everything a house is assembled from; nothing in a house opens a connection or reads a setting by itself. */
export interface HouseRuntime {
  /** The house's name. */
  name: string;
  clock: Clock;
  log: Log;
  settings: Settings;
  /** Which features are on. */
  flags: Flags;
  /** What the process counts; the house's own go in here. */
  registry: Registry;
  access: AccessTable;
  /** A key for this purpose, derived from the fleet's secret. */
  key(purpose: string): Buffer;
  /** Its own schema in PostgreSQL. */
  database: DataSource;
  notifications: Notifications;
  cursors: CursorSealer;
  writes: Writes;
  events: EventStream;
  /** Pages as of a moment of `events`. */
  moments: Moments;
  /** Signed clients of the other houses, by name. */
  houses: Record<string, HouseClient>;
  /** Logs, samples and spans; only in houses that asked for it. */
  telemetry?: TelemetryStore;
  /** Starts sequencer, streams, relay and the sweep of keys; the house's own `start` follows. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface OpenHouseOptions {
  name: string;
  /** Root of the internal keys. */
  secret: string;
  clock: Clock;
  log: Log;
  settings: Settings;
  /** The catalogue's defaults unless given. */
  flags?: Flags;
  /** One that nobody reads, unless given. */
  registry?: Registry;
  access: AccessTable;
  entities: (abstract new (...args: never[]) => unknown)[] | EntitySchema[];
  migrations: (abstract new (...args: never[]) => MigrationInterface)[];
  /** postgres:// of the house's role. */
  databaseUrl: string;
  /** http:// addresses of all houses, by name. */
  addresses: Record<string, string>;
  telemetry?: TelemetryStore;
}

/** Opens a house's database, streams and clients. */
export async function openHouse(options: OpenHouseOptions): Promise<HouseRuntime> {
  const { name, log } = options;
  const database = await openDatabase({
    url: options.databaseUrl,
    house: name,
    entities: options.entities as never,
    migrations: options.migrations,
    onError: (error) => log.warn('database.connection.lost', { error: String(error) }),
  });
  return assemble(options, database);
}

/** A house without a live database: enough to build its schema. */
export function houseForSchema(
  name: string,
  settings: Settings,
  access: AccessTable,
  clock: Clock,
  log: Log,
): HouseRuntime {
  const options = {
    name,
    secret: '',
    clock,
    log,
    settings,
    access,
    entities: [],
    migrations: [],
    databaseUrl: '',
    addresses: {},
  };
  return assemble(options, new DataSource({ type: 'postgres' }));
}

function assemble(options: OpenHouseOptions, database: DataSource): HouseRuntime {
  const { name, clock, log, settings, access, databaseUrl } = options;
  const { secret } = options;
  const nowMs = () => clock.nowMs();
  const houses = Object.fromEntries(
    Object.entries(options.addresses).map(([house, url]) => [
      house,
      new HouseClient(house, url, deriveKey(secret, `call:${house}`), nowMs),
    ]),
  );
  const notifications = new Notifications(databaseUrl, name, log);
  const secrets = [secret, ...settings.FLEET_SECRET_ACCEPTED];
  const cursors = new CursorSealer(secrets.map((each) => deriveKey(each, `cursor:${name}`)));
  const events = new EventStream(eventTable(database), cursors, notifications, PLACED, log);
  const sequencer = new Sequencer(database, { table: 'event', wake: UNPLACED, tell: PLACED }, notifications, log);
  const retention = new Retention(database, retentionLimits(settings), nowMs, log);
  const relay = houses['audit'] && new AuditRelay(name, database, houses['audit'], notifications, clock, log);
  const sweep = new KeySweep(database, log);
  return {
    name,
    clock,
    log,
    settings,
    flags: options.flags ?? standardFlags(),
    registry: options.registry ?? new Registry(),
    access,
    key: (purpose) => deriveKey(secret, purpose),
    database,
    notifications,
    cursors,
    writes: new Writes(database, clock),
    events,
    moments: new Moments(database, cursors),
    houses,
    ...(options.telemetry ? { telemetry: options.telemetry } : {}),
    async start() {
      // A house without tables of its own has nothing to place or to deliver.
      if (!options.migrations.length) return;
      sequencer.start();
      events.start();
      retention.start();
      relay?.start();
      sweep.start();
      notifications.start();
    },
    async stop() {
      await sweep.stop();
      await relay?.stop();
      await retention.stop();
      await sequencer.stop();
      await events.stop();
      await notifications.stop();
      for (const client of Object.values(houses)) client.close();
      await database.destroy();
    },
  };
}
