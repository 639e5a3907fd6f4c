import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { type AccessTable, loadAccessTable } from '../../lib/access.ts';
import { HouseClient } from '../../lib/call/house-client.ts';
import type { Principal } from '../../lib/call/principal.ts';
import { type Call, deriveKey } from '../../lib/call/signing.ts';
import { type Clock, systemClock } from '../../lib/clock.ts';
import type { Flags } from '../../lib/flags/index.ts';
import { type HouseRuntime, type OpenHouseOptions, openHouse } from '../../lib/house.ts';
import { type Log, silentLog } from '../../lib/log.ts';
import { type Served, serveHouse } from '../../lib/serve/house.ts';
import { loadSettings, type Settings } from '../../lib/settings/index.ts';
import type { Subgraph } from '../../lib/subgraph.ts';
import { migrations } from '../../migrations/index.ts';
import { emptyHouseDatabase, TEST_SECRET } from './database.ts';

export const ADMIN: Principal = { id: 'admin', kind: 'SCRIPT', name: 'admin', scopes: ['admin'] };

/** JSON whose shape the test knows. */
export type AnyShape = ReturnType<typeof JSON.parse>;

/** What a GraphQL server answered. */
export interface Answer {
  data?: AnyShape;
  errors?: { message: string; path?: (string | number)[]; extensions: Record<string, unknown> & { code: string } }[];
}

/** One house on an empty database, served on a free port, asked by signed calls. */
export interface TestHouse {
  runtime: HouseRuntime;
  subgraph: Subgraph;
  client: HouseClient;
  url: string;
  ask(query: string, variables?: object, call?: Partial<Call>): Promise<Answer>;
  stop(): Promise<void>;
}

export interface TestHouseOptions {
  name: string;
  entities: OpenHouseOptions['entities'];
  make(runtime: HouseRuntime): Promise<Subgraph>;
  migrations?: OpenHouseOptions['migrations'];
  settings?: Partial<Settings>;
  flags?: Flags;
  clock?: Clock;
  log?: Log;
  access?: AccessTable;
  /** Addresses of other houses that run in the test. */
  addresses?: Record<string, string>;
  telemetry?: OpenHouseOptions['telemetry'];
  databaseUrl?: string;
}

export async function startTestHouse(options: TestHouseOptions): Promise<TestHouse> {
  const { name, clock = systemClock } = options;
  const runtime = await openHouse({
    name,
    secret: TEST_SECRET,
    clock,
    log: options.log ?? silentLog,
    settings: { ...loadSettings({}), ...options.settings },
    ...(options.flags ? { flags: options.flags } : {}),
    access: options.access ?? loadAccessTable(path.resolve(__dirname, '../..')),
    entities: options.entities,
    migrations: options.migrations ?? migrations[name] ?? [],
    databaseUrl: options.databaseUrl ?? (await emptyHouseDatabase(name)),
    addresses: options.addresses ?? {},
    ...(options.telemetry ? { telemetry: options.telemetry } : {}),
  });
  const subgraph = await options.make(runtime);
  await runtime.start();
  await subgraph.start?.();
  const served: Served = await serveHouse(subgraph, { secret: TEST_SECRET, clock, log: options.log ?? silentLog });
  const client = new HouseClient(name, served.url, deriveKey(TEST_SECRET, `call:${name}`), () => clock.nowMs());
  return {
    runtime,
    subgraph,
    client,
    url: served.url,
    async ask(query, variables = {}, call = {}) {
      const answer = await client.send('POST /graphql', {
        call: callOf(call),
        body: JSON.stringify({ query, variables }),
      });
      return JSON.parse(answer.body.toString()) as Answer;
    },
    async stop() {
      client.close();
      await served.stop();
      await subgraph.stop?.();
      await runtime.stop();
    },
  };
}

/** A call as the admin, unless it says otherwise. */
export function callOf(call: Partial<Call> = {}): Call {
  return { principal: ADMIN, requestId: randomUUID(), ...call };
}
