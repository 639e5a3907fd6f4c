import path from 'node:path';
import { loadAccessTable } from '../../lib/access.ts';
import { systemClock } from '../../lib/clock.ts';
import { assert } from '../../lib/errors.ts';
import type { Flags } from '../../lib/flags/index.ts';
import { openHouse } from '../../lib/house.ts';
import type { Log } from '../../lib/log.ts';
import { houseDatabaseUrl, prepareDatabase } from '../../lib/postgres/roles.ts';
import { serveHouse } from '../../lib/serve/house.ts';
import type { Settings } from '../../lib/settings/index.ts';
import { openTelemetryStore, type TelemetryStore } from '../../lib/telemetry-store/index.ts';
import { migrations } from '../../migrations/index.ts';
import { HOUSES } from './registry.ts';
import { packageRoot } from './surroundings.ts';

export interface Running {
  stop(): Promise<void>;
}

export interface RunHousesOptions {
  names: readonly string[];
  settings: Settings;
  secret: string;
  log: Log;
  flags: Flags;
  metrics: () => Promise<string>;
}

/** Opens and serves these houses in this process, each on its own port, at the addresses of FLEET_HOUSES. */
export async function runHouses(options: RunHousesOptions): Promise<Running> {
  const { names, settings, secret } = options;
  assert(settings.DATABASE_URL, 'a house is told its database');
  // An address with a user is an owner's: roles and schemas are made at first.
  if (new URL(settings.DATABASE_URL).username) await prepareDatabase(settings.DATABASE_URL, names, secret);
  const telemetry = names.some((name) => HOUSES[name]?.telemetry) ? await openTelemetry(settings) : undefined;
  const running = await Promise.all(names.map((name) => runHouse(name, telemetry, options)));
  return {
    async stop() {
      await Promise.all(running.map((house) => house.stop()));
      await telemetry?.close();
    },
  };
}

function openTelemetry(settings: Settings): Promise<TelemetryStore> {
  const place = settings.CLICKHOUSE_URL
    ? { url: settings.CLICKHOUSE_URL }
    : { path: path.resolve(settings.FLEET_DATA, 'clickhouse') };
  return Promise.resolve(openTelemetryStore(place));
}

async function runHouse(
  name: string,
  telemetry: TelemetryStore | undefined,
  options: RunHousesOptions,
): Promise<Running> {
  const { settings, secret, flags, metrics } = options;
  const entry = HOUSES[name];
  const address = settings.FLEET_HOUSES[name];
  assert(entry && address && settings.DATABASE_URL, `FLEET_HOUSES names ${name}`);
  const log = options.log.child({ house: name });
  const runtime = await openHouse({
    name,
    secret,
    clock: systemClock,
    log,
    settings,
    flags,
    access: loadAccessTable(packageRoot()),
    entities: entry.entities,
    migrations: migrations[name] ?? [],
    databaseUrl: houseDatabaseUrl(settings.DATABASE_URL, name, secret),
    addresses: settings.FLEET_HOUSES,
    ...(entry.telemetry && telemetry ? { telemetry } : {}),
  });
  const subgraph = await entry.make(runtime);
  await runtime.start();
  await subgraph.start?.();
  const port = Number(new URL(address).port);
  const served = await serveHouse(subgraph, {
    secret,
    acceptedSecrets: settings.FLEET_SECRET_ACCEPTED,
    clock: systemClock,
    log,
    host: settings.FLEET_BIND,
    port,
    metrics,
  });
  log.info('house.serving', { port });
  return {
    async stop() {
      await served.stop();
      await subgraph.stop?.();
      await runtime.stop();
    },
  };
}
