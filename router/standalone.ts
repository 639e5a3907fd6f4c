import nodePath from 'node:path';
import { deriveKey } from '../lib/call/signing.ts';
import { systemClock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import { FileFlags, type Flags, heldFlags, holdOf } from '../lib/flags/index.ts';
import { Log } from '../lib/log.ts';
import { isLoopback, loadSettings, type Settings } from '../lib/settings/index.ts';
import type { Tracing } from '../lib/telemetry/tracing.ts';
import { jwtIn } from './callers/jwt-settings.ts';
import { discoveriesIn } from './discovery/settings.ts';
import { documentsIn } from './documents/document-settings.ts';
import { StartError } from './exit-code.ts';
import { guardLimitsIn, policiesIn, replicasIn } from './guard/guard-settings.ts';
import { limitsIn } from './limits/settings.ts';
import { plannersIn } from './plan/settings.ts';
import { schemaIn } from './schema/settings.ts';
import { readSupergraphFile, SupergraphFile } from './schema/supergraph-file.ts';
import { type ServedRouter, serveRouter } from './server.ts';

export interface StandaloneRouter extends ServedRouter {
  /** Takes the supergraph's file as it is now. Never throws. */
  reload(): Promise<void>;
}

/**
 * Serves the supergraph file that SUPERGRAPH_PATH names; every setting is read from the environment given.
 * @throws StartError, SettingsError, or why the supergraph cannot be served
 */
export async function startStandalone(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<StandaloneRouter> {
  const settings = loadSettings(environment);
  const { HOST: host, PORT: port, FLEET_ADMIN_TOKEN: adminToken } = settings;
  const jwt = jwtIn(settings);
  const isOpen = adminToken === undefined && jwt === undefined;
  if (!isLoopback(host) && isOpen) {
    throw new StartError(`HOST ${host} is not loopback: set FLEET_ADMIN_TOKEN, or bind 127.0.0.1`);
  }
  const isMeasured = readMode(environment['ROUTER_MODE'], host, isOpen);
  const sink = { write: (line: string) => void process.stderr.write(`${line}\n`) };
  const log = new Log('router', [sink], () => systemClock.nowMs(), settings.FLEET_LOG_LEVEL);
  const tracing = await openTracing(settings);
  const flags = openFlags(settings, log);
  const path = environment['SUPERGRAPH_PATH'];
  const router = await serveRouter({
    supergraphSdl: readSupergraph(path),
    replicas: replicasIn(settings),
    policies: policiesIn(settings),
    clock: systemClock,
    log,
    flags,
    host,
    port,
    ...(isOpen ? {} : { callers: { ...(adminToken === undefined ? {} : { adminToken }), ...(jwt ? { jwt } : {}) } }),
    // A supergraph of anybody's has no access rules: whoever has the token may read all of it.
    enforceAccess: false,
    corsOrigins: settings.CORS_ORIGINS,
    allowedHosts: settings.ALLOWED_HOSTS,
    schema: schemaIn(settings),
    discovery: {
      sources: discoveriesIn(settings, log),
      registrationKeys: settings.FLEET_SECRET === undefined ? [] : [deriveKey(settings.FLEET_SECRET, 'call:router')],
    },
    documents: { ...documentsIn(settings), ...(isMeasured ? { registeredOnly: false } : {}) },
    limits: {
      ...limitsIn(settings, isMeasured),
      batch: settings.FLEET_BATCH,
      port: { connections: settings.FLEET_CONNECTIONS },
      stale: { bytes: settings.FLEET_STALE_BYTES },
      operationMs: settings.FLEET_OPERATION_TIMEOUT_MS,
      guard: {
        ...guardLimitsIn(settings),
        ...(isMeasured ? { limitPerSecond: Number.POSITIVE_INFINITY } : {}),
      },
    },
    ...(settings.REDIS_URL === undefined ? {} : { redisUrl: settings.REDIS_URL }),
    ...(settings.FLEET_LIMITS_URL === undefined ? {} : { limitStoreUrl: settings.FLEET_LIMITS_URL }),
    core: plannersIn(settings),
    traceRatio: isMeasured ? 0 : settings.FLEET_TRACE_RATIO,
    ...(settings.FLEET_SLOW_MS ? { slowOperationMs: settings.FLEET_SLOW_MS } : {}),
  });
  const file = new SupergraphFile({ path: path as string, schema: router.schema, log });
  file.start();
  return {
    ...router,
    reload: () => file.reload(),
    async stop() {
      file.stop();
      await router.stop();
      await tracing?.stop();
      if (flags instanceof FileFlags) flags.close();
    },
  };
}

/** Loaded only when spans go somewhere: it would be half of the start. */
async function openTracing({ FLEET_OTLP_ENDPOINT: endpoint }: Settings): Promise<Tracing | undefined> {
  if (endpoint === undefined) return undefined;
  const { startTracing } = await import('../lib/telemetry/tracing.ts');
  return startTracing({ service: 'fleetgraph.router', ratio: 0, endpoint, hooks: false });
}

/** A router of anybody's supergraph has flags of a file only when it is told one. */
function openFlags(settings: Settings, log: Log): Flags {
  const hold = holdOf(settings);
  if (settings.FLEET_FLAGS_FILE === undefined) return heldFlags(hold);
  return new FileFlags({ file: nodePath.resolve(settings.FLEET_FLAGS_FILE), hold, log });
}

/** @returns whether it runs to be measured: rates are off, and nothing else */
function readMode(mode: string | undefined, host: string, isOpen: boolean): boolean {
  if (!mode) return false;
  if (mode !== 'audit' && mode !== 'bench') throw new StartError(`ROUTER_MODE ${mode} is neither audit nor bench`);
  if (!isLoopback(host) || !isOpen) {
    throw new StartError(`ROUTER_MODE ${mode} is for a loopback HOST without credentials`);
  }
  return true;
}

function readSupergraph(file: string | undefined): string {
  if (!file) throw new StartError('set SUPERGRAPH_PATH to the file of a Federation 2 supergraph');
  try {
    return readSupergraphFile(file);
  } catch (error) {
    throw new StartError(`SUPERGRAPH_PATH cannot be read: ${messageOf(error)}`);
  }
}
