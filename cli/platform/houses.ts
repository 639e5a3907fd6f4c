import type { Registry } from 'prom-client';
import { loadAccessTable } from '../../lib/access.ts';
import { HouseClient } from '../../lib/call/house-client.ts';
import { deriveKey } from '../../lib/call/signing.ts';
import { systemClock } from '../../lib/clock.ts';
import { assert } from '../../lib/errors.ts';
import type { Flags } from '../../lib/flags/index.ts';
import { openHouse } from '../../lib/house.ts';
import type { Log } from '../../lib/log.ts';
import { houseDatabaseUrl, prepareDatabase } from '../../lib/postgres/roles.ts';
import { serveHouse } from '../../lib/serve/house.ts';
import type { Settings } from '../../lib/settings/index.ts';
import type { TelemetryStore } from '../../lib/telemetry-store/index.ts';
import { migrations } from '../../migrations/index.ts';
import { Registrant } from '../../router/discovery/registrant.ts';
import { HOUSES } from './registry.ts';
import { packageRoot } from './surroundings.ts';
import { openTelemetry } from './telemetry.ts';

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
  /** Where the houses' own counters go. */
  registry?: Registry;
}

/** Opens and serves these houses in this process, each on its own port, at the addresses of FLEET_HOUSES. */
export async function runHouses(options: RunHousesOptions): Promise<Running> {
  const { names, settings, secret } = options;
  assert(settings.DATABASE_URL, 'a house is told its database');
  // An address with a user is an owner's: roles and schemas are made at first.
  if (new URL(settings.DATABASE_URL).username) await prepareDatabase(settings.DATABASE_URL, names, secret);
  const telemetry = names.some((name) => HOUSES[name]?.telemetry) ? await openTelemetry(options) : undefined;
  const running = await Promise.all(names.map((name) => runHouse(name, telemetry?.store, options)));
  return {
    async stop() {
      await Promise.all(running.map((house) => house.stop()));
      await telemetry?.close();
    },
  };
}

async function runHouse(
  name: string,
  telemetry: TelemetryStore | undefined,
  options: RunHousesOptions,
): Promise<Running> {
  const { settings, secret, flags, metrics, registry } = options;
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
    ...(registry ? { registry } : {}),
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
  const registrant = registrantOf(name, address, options);
  registrant?.start();
  return {
    async stop() {
      // First of all: calls go elsewhere before the port closes.
      await registrant?.stop();
      await served.stop();
      await subgraph.stop?.();
      await runtime.stop();
    },
  };
}

/** How long the router calls a house that is gone without a word, seconds. */
const LEASE_S = 10;

/** A house that is told a router registers itself there; the others are found by FLEET_HOUSES. */
function registrantOf(
  name: string,
  address: string,
  { settings, secret, log }: RunHousesOptions,
): Registrant | undefined {
  const { FLEET_ROUTER_URL: routerUrl, FLEET_ADVERTISED_URL: advertised = address } = settings;
  if (routerUrl === undefined) return undefined;
  return new Registrant({
    router: new HouseClient('router', routerUrl, deriveKey(secret, 'call:router'), () => systemClock.nowMs()),
    registration: { subgraph: name, url: new URL('/graphql', advertised).href, leaseSeconds: LEASE_S },
    clock: systemClock,
    log,
  });
}
