import { z } from 'zod';
import { AGENT_SETTINGS } from './agents.ts';
import { AUDIT_SETTINGS } from './audit.ts';
import { GATEWAY_SETTINGS } from './gateway.ts';
import { JWT_ALGORITHMS, readIssuers } from './issuers.ts';
import { LOG_SETTINGS } from './logs.ts';
import { SCHEMA_SETTINGS } from './schema.ts';
import { readSubgraphs } from './subgraphs.ts';
import { TELEMETRY_SETTINGS, telemetryFault } from './telemetry.ts';

const port = z.coerce.number().int().min(0).max(65_535);
const count = (standard: number, min: number, max: number) =>
  z.coerce.number().int().min(min).max(max).default(standard);
const days = (standard: number) => count(standard, 1, 3_650);
const ms = (defaultMs: number, minMs = 1) => z.coerce.number().int().min(minMs).default(defaultMs);
const flag = z.enum(['true', 'false', '1', '0']).transform((text) => text === 'true' || text === '1');
const url = (protocols: RegExp, example: string) =>
  z.string().regex(protocols, `expected an address such as ${example}`);

const DEFAULT_PRICES = {
  'gpt-5': { input: 1.25, output: 10 },
  'gpt-5-mini': { input: 0.25, output: 2 },
  'claude-sonnet-4-5': { input: 3, output: 15 },
  'claude-haiku-4-5': { input: 1, output: 5 },
  'gemini-2.5-pro': { input: 1.25, output: 10 },
};

const prices = z
  .string()
  .transform((text, context) => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      context.addIssue('expected JSON such as {"gpt-5":{"input":1.25,"output":10}}');
      return z.NEVER;
    }
  })
  .pipe(z.record(z.string(), z.object({ input: z.number().nonnegative(), output: z.number().nonnegative() })));

const positive = (standard: number) => z.coerce.number().positive().default(standard);

const rates = z
  .string()
  .default('{}')
  .transform((text, context) => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      context.addIssue('expected JSON such as {"Dashboard":5}');
      return z.NEVER;
    }
  })
  .pipe(z.record(z.string(), z.number().positive()));

/** Every setting: its parsing, its default, its meaning with its unit. Docs and .env.example are made from this. */
export const SETTINGS = z.object({
  PORT: port.default(4_000).describe('Public port of the router; 0 takes a free one.'),
  HOST: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .describe(
      'Address the public port binds. Anything but loopback needs FLEET_ADMIN_TOKEN, or for a router alone FLEET_JWT_ISSUERS.',
    ),
  DATABASE_URL: url(/^postgres(ql)?:\/\//, 'postgres://user:password@host:5432/name')
    .optional()
    .describe('PostgreSQL to use instead of the embedded one. Its user must be able to create roles and schemas.'),
  CLICKHOUSE_URL: url(/^https?:\/\//, 'http://user:password@host:8123/database')
    .optional()
    .describe('ClickHouse to use instead of the embedded one.'),
  REDIS_URL: url(/^rediss?:\/\//, 'redis://host:6379')
    .optional()
    .describe('Redis that routers share their rate limits in and agree about breakers by; without it each is alone.'),
  CORS_ORIGINS: z
    .string()
    .default('')
    .transform((text) => listOf(text))
    .describe('Origins that browsers may call from, separated by commas. Empty: none.'),
  ALLOWED_HOSTS: z
    .string()
    .default('')
    .transform((text) => listOf(text))
    .describe(
      'Host names that the public port answers to beside loopback’s, without port, separated by commas; * is all. Empty: on a loopback HOST loopback’s alone, elsewhere all.',
    ),
  FLEET_OPERATIONS: z
    .string()
    .min(1)
    .optional()
    .describe('Registered operations: a persisted-query manifest (JSON), or a folder of such and of .graphql files.'),
  FLEET_OPERATIONS_ONLY: flag.default(false).describe('Whether only registered operations run.'),
  FLEET_LEARNED_OPERATIONS_BYTES: z.coerce
    .number()
    .int()
    .min(0)
    .default(8_000_000)
    .describe('Memory for operations that clients send once and then name by hash (APQ), bytes; 0 turns it off.'),
  FLEET_BATCH: z.coerce
    .number()
    .int()
    .min(0)
    .max(100)
    .default(0)
    .describe('Requests that one body may have, each counted by itself; 0: batches are not taken.'),
  FLEET_CONNECTIONS: z.coerce
    .number()
    .int()
    .min(1)
    .default(16_384)
    .describe('Connections that the public port holds at once; one more is dropped.'),
  FLEET_JWT_ISSUERS: z
    .string()
    .default('')
    .transform((text, context) => readIssuers(text, context))
    .describe(
      'Issuers whose signed tokens (JWT) are taken, each with the address (https, or http on loopback) or file of its keys: https://issuer=https://issuer/jwks.json, separated by commas. Empty: none.',
    ),
  FLEET_JWT_AUDIENCE: z
    .string()
    .default('fleetgraph')
    .transform((text) => listOf(text))
    .describe('Audiences, separated by commas; a JWT must name one of them.'),
  FLEET_JWT_ALGORITHMS: z
    .string()
    .default('RS256,PS256,ES256,EdDSA,Ed25519')
    .transform((text) => listOf(text))
    .pipe(z.array(z.enum(JWT_ALGORITHMS)).min(1))
    .describe('Signatures a JWT may have, separated by commas; only those by a key pair are known.'),
  FLEET_JWT_SKEW_MS: ms(30_000, 0).describe('How far the clock of a JWT’s issuer may be from ours, milliseconds.'),
  FLEET_DATA: z.string().min(1).default('.data').describe('Folder of everything that is kept: databases, logs, keys.'),
  FLEET_ADMIN_TOKEN: z
    .string()
    .regex(/^[\x21-\x7e]{16,512}$/, 'expected 16 to 512 visible ASCII characters')
    .optional()
    .describe('The admin’s bearer token. Made at first start when absent.'),
  FLEET_SECRET: z
    .string()
    .min(32, 'expected at least 32 characters')
    .optional()
    .describe(
      'Root of all internal keys (calls, cursors, database roles). Made at first start when absent; one for all processes of a fleet.',
    ),
  FLEET_SECRET_ACCEPTED: z
    .string()
    .default('')
    .transform((text) => listOf(text))
    .pipe(z.array(z.string().min(32, 'expected at least 32 characters each')).max(2))
    .describe(
      'Other secrets whose calls and cursors are taken while FLEET_SECRET is changed, separated by commas: first the new one here and everywhere, then both swapped, then the old one away.',
    ),
  FLEET_HOUSES: z
    .string()
    .default('')
    .transform((text, context) => readHouses(text, context))
    .describe('Addresses of the subgraphs: agents=http://host:4101,logs=http://host:4102. The supervisor sets it.'),
  FLEET_BIND: z.string().min(1).default('127.0.0.1').describe('Address that a subgraph run alone binds.'),
  FLEET_LOG_LEVEL: z
    .enum(['debug', 'info', 'warn', 'error'])
    .default('info')
    .describe('Least severe line that our own processes write.'),
  ...AGENT_SETTINGS,
  ...LOG_SETTINGS,
  ...TELEMETRY_SETTINGS,
  FLEET_EVENT_RETENTION_DAYS: days(7).describe(
    'Days that a house keeps its change events: a stream cannot be resumed from further back.',
  ),
  FLEET_EVENT_RETENTION_COUNT: count(10_000_000, 1_000, 1_000_000_000).describe(
    'Change events that a house keeps at most, whatever their age; the oldest go first.',
  ),
  ...AUDIT_SETTINGS,
  ...GATEWAY_SETTINGS,
  FLEET_TRACE_RATIO: z.coerce
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .describe(
      'Share of requests whose own trace is recorded, 0 to 1; a caller’s sampled traceparent is always followed.',
    ),
  FLEET_OTLP_ENDPOINT: url(/^https?:\/\//, 'http://collector:4318/v1/traces')
    .optional()
    .describe('Where our own spans go as well, OTLP over HTTP.'),
  ...SCHEMA_SETTINGS,
  FLEET_SLOW_MS: ms(1_000, 0).describe(
    'From how long on an operation is logged as slow with its plan, milliseconds; 0: none is.',
  ),
  FLEET_PRICES: prices
    .default(DEFAULT_PRICES)
    .describe('Price list of models, US dollars per million tokens, JSON: {"model":{"input":1,"output":2}}.'),
  FLEET_WEBHOOK_PRIVATE: flag.default(false).describe('Whether webhooks may go to private and loopback addresses.'),
  FLEET_OPERATION_TIMEOUT_MS: ms(15_000, 10).describe(
    'How long a query or mutation may take as a whole, milliseconds; a client may ask for less by the header x-timeout-ms.',
  ),
  FLEET_PLANNER: z
    .enum(['native', 'apollo'])
    .default('native')
    .describe(
      'Which planner plans operations first, native (Hive’s, in Rust) or apollo; what it cannot plan goes to the other.',
    ),
  FLEET_SUBGRAPHS: z
    .string()
    .default('')
    .transform((text, context) => readSubgraphs(text, context))
    .describe(
      'What is particular to a subgraph, JSON: {"reviews":{"urls":["http://a:4001/graphql","http://b:4001/graphql"],"need":"optional","staleIfErrorMs":60000,"timeoutMs":2000}}. `urls` are its replicas; a query that needs a `required` one gets no answer without it; `staleIfErrorMs`: for so long an answer may be served again when there is no fresh one; `callsPerSecond`: of all routers with one FLEET_LIMITS_URL together, a call for entities counting once for each.',
    ),
  FLEET_SUBGRAPH_IN_FLIGHT: z.coerce
    .number()
    .int()
    .min(1)
    .max(10_000)
    .default(20)
    .describe(
      'Calls under way to one subgraph to begin with, and while it does not answer; more as long as it answers quickly.',
    ),
  FLEET_SUBGRAPH_MAX_IN_FLIGHT: z.coerce
    .number()
    .int()
    .min(1)
    .max(10_000)
    .default(512)
    .describe('Calls under way to one subgraph at most.'),
  FLEET_SUBGRAPH_WAIT_MS: ms(1_000).describe(
    'How long a call waits for its turn at a subgraph that has as many as it takes, milliseconds.',
  ),
  FLEET_SUBGRAPH_RETRY_PERCENT: z.coerce
    .number()
    .int()
    .min(0)
    .max(100)
    .default(10)
    .describe('Of a hundred calls to a subgraph, how many queries may be tried a second time; 0: none.'),
  FLEET_STALE_BYTES: z.coerce
    .number()
    .int()
    .min(0)
    .default(32_000_000)
    .describe('What is kept at most to be served stale, bytes, where FLEET_SUBGRAPHS allows it.'),
  FLEET_SUBGRAPH_TIMEOUT_MS: ms(5_000, 10).describe('How long the router waits for a subgraph, milliseconds.'),
  FLEET_ADMIN_RPS: z.coerce
    .number()
    .min(1)
    .default(1_000)
    .describe('Requests a second the admin may make; on a router without credentials, everybody together.'),
  FLEET_CLIENT_RPS: z.coerce
    .number()
    .min(1)
    .default(100)
    .describe('Requests a second an API key, an agent or the bearer of a JWT may make unless it was granted others.'),
  FLEET_LIMITS_URL: url(/^(rediss?|postgres(ql)?):\/\//, 'redis://host:6379 or postgres://user:password@host:5432/name')
    .optional()
    .describe(
      'Redis or PostgreSQL that routers share their rate limits in; REDIS_URL when absent, and without either each counts alone.',
    ),
  FLEET_LIMITS_DRY_RUN: z
    .string()
    .default('')
    .transform((text) => listOf(text))
    .describe(
      'Classes whose limits only count and tell what they would have refused, separated by commas: query, mutation, subscription, operation:<name>, subgraph:<name>, a route such as /v1/logs, or all.',
    ),
  FLEET_COST_PER_REQUEST: positive(100).describe(
    'Points of cost a second that each request a second of a client’s rate brings, for each class of operations.',
  ),
  FLEET_COST_BURST_S: positive(10).describe('So many seconds’ points of cost may be spent at once, seconds.'),
  FLEET_COST_SHOWN: flag
    .default(false)
    .describe(
      'Whether every answer has extensions.cost; without it, whoever asks by the header x-cost or by extensions.',
    ),
  FLEET_OPERATION_RPS: rates.describe(
    'Requests a second of one client for operations of these names, JSON: {"Dashboard":5}.',
  ),
  FLEET_INGEST_BYTES_PER_SECOND: positive(64_000_000).describe(
    'Bytes of telemetry a second that one client may send by each route, unpacked.',
  ),
  FLEET_INGEST_RECORDS_PER_SECOND: positive(500_000).describe(
    'Records of telemetry a second that one client may send by each route.',
  ),
  FLEET_STREAMS_PER_SECOND: positive(200).describe(
    'Streams that a router opens a second; others wait for their turn, the most urgent first.',
  ),
  FLEET_STREAMS_PER_CLIENT: z.coerce
    .number()
    .int()
    .min(1)
    .default(4_000)
    .describe('Subscriptions that one client may have running on a router.'),
  FLEET_MAX_IN_FLIGHT: z.coerce
    .number()
    .int()
    .min(1)
    .default(512)
    .describe(
      'Queries and mutations that a router runs at the same time; set it to what the subgraphs can do at once.',
    ),
  FLEET_LIMIT_MODE: z
    .enum(['throttle', 'refuse'])
    .default('throttle')
    .describe(
      'What becomes of operations beyond FLEET_MAX_IN_FLIGHT: throttle lets them wait their fair turn, refuse answers 503 at once.',
    ),
  FLEET_QUEUE_WAIT_MS: ms(2_000).describe('How long an operation waits for its turn at most, milliseconds.'),
  FLEET_QUEUE_ENTRIES: z.coerce
    .number()
    .int()
    .min(1)
    .default(1_000)
    .describe('Operations that may wait at the same time.'),
  FLEET_PAGE_RPS: positive(200).describe(
    'Requests a second of one address for each page that asks for no credential, such as /health.',
  ),
  FLEET_SUBGRAPH_RPS: z.coerce
    .number()
    .min(1)
    .default(5_000)
    .describe('Calls a second the router makes to one subgraph at most.'),
  FLEET_FLAGS_FILE: z
    .string()
    .min(1)
    .optional()
    .describe('File of the feature flags (docs/flags.md), watched. Absent: flags.json in the data folder.'),
  FLEET_FLAGS: z
    .enum(['file', 'all-on', 'all-off'])
    .default('file')
    .describe('Holds every feature flag on or off, whatever the file says: to find a culprit, and for tests.'),
  FLEET_DEMO_SEED: z.coerce.number().int().default(74).describe('Seed of the demo fleet’s work and faults.'),
});

export type Settings = z.infer<typeof SETTINGS>;

function listOf(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean);
}

function readHouses(text: string, context: z.RefinementCtx): Record<string, string> {
  const houses: Record<string, string> = {};
  for (const part of listOf(text)) {
    const [name = '', address = ''] = part.split('=');
    if (!/^[a-z]+$/.test(name) || !/^http:\/\/[^/]+$/.test(address)) {
      context.addIssue('expected name=http://host:port, separated by commas');
      return z.NEVER;
    }
    houses[name] = address;
  }
  return houses;
}

/** A setting that cannot be used: one line with cause and mend. */
export class SettingsError extends Error {}

/** Names that our clients read, not the servers. */
const CLIENT_ONLY = new Set(['FLEET_URL', 'FLEET_TOKEN']);

/**
 * Reads settings from an environment. Empty values count as absent.
 * @throws SettingsError for a wrong value, an unknown FLEET_* name, or settings that do not go together
 */
export function loadSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  const known = Object.keys(SETTINGS.shape);
  const unknown = Object.keys(env).find(
    (name) => name.startsWith('FLEET_') && !known.includes(name) && !CLIENT_ONLY.has(name),
  );
  if (unknown) throw new SettingsError(`${unknown} is not a setting: see docs/settings.md for the names`);
  const given = Object.fromEntries(known.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
  const read = SETTINGS.safeParse(given);
  if (!read.success) {
    const [issue] = read.error.issues;
    throw new SettingsError(`${String(issue?.path[0])} is wrong: ${issue?.message}; see docs/settings.md`);
  }
  const fault = telemetryFault(read.data);
  if (fault) throw new SettingsError(fault);
  return read.data;
}

/** Name, meaning and default of each setting, for docs/settings.md and .env.example. */
export function describeSettings(): { name: string; meaning: string; standard: string }[] {
  const defaults: Record<string, unknown> = SETTINGS.parse({});
  return Object.entries(SETTINGS.shape).map(([name, schema]) => ({
    name,
    meaning: schema.description ?? '',
    standard: textOf(defaults[name]),
  }));
}

function textOf(value: unknown): string {
  if (value === undefined) return '';
  if (Array.isArray(value)) return value.join(',');
  if (typeof value !== 'object') return String(value);
  return Object.keys(value as object).length ? JSON.stringify(value) : '';
}
