import { readFileSync } from 'node:fs';
import path from 'node:path';
import { HouseClient } from '../../lib/call/house-client.ts';
import { deriveKey } from '../../lib/call/signing.ts';
import { systemClock } from '../../lib/clock.ts';
import { assert } from '../../lib/errors.ts';
import type { FileFlags } from '../../lib/flags/index.ts';
import type { Log } from '../../lib/log.ts';
import type { Settings } from '../../lib/settings/index.ts';
import { AuditSpool } from '../../router/audit/spool.ts';
import { AuditTrail } from '../../router/audit/trail.ts';
import { jwtIn } from '../../router/callers/jwt-settings.ts';
import { discoveriesIn } from '../../router/discovery/settings.ts';
import { documentsIn } from '../../router/documents/document-settings.ts';
import { guardLimitsIn, policiesIn, replicasIn } from '../../router/guard/guard-settings.ts';
import { limitsIn } from '../../router/limits/settings.ts';
import { plannersIn } from '../../router/plan/settings.ts';
import { AddressPolicy } from '../../router/proxy/address-policy.ts';
import { ProxyDoor } from '../../router/proxy/proxy-door.ts';
import { schemaIn } from '../../router/schema/settings.ts';
import { SupergraphFile } from '../../router/schema/supergraph-file.ts';
import { type RouterOptions, type ServedRouter, serveRouter } from '../../router/server.ts';
import { AgentEndpoints } from './agent-endpoints.ts';
import { packageRoot } from './surroundings.ts';

/** One query over all five subgraphs: the platform is ready when it answers whole. */
const READY_QUERY = `{
  fleet { total }
  logs(first: 1) { nodes { id } }
  auditEntries(first: 1) { nodes { id } }
  alertRules(first: 1) { nodes { id } }
  metrics(first: 1) { nodes { name } }
}`;

/** What the platform takes beside GraphQL, and whose it is. */
export const ROUTES: NonNullable<RouterOptions['routes']> = {
  'POST /v1/logs': { subgraph: 'logs' },
  'POST /v1/logs/lines': { subgraph: 'logs' },
  'GET /v1/logs/export': { subgraph: 'logs', scopes: ['viewer'], isDownload: true },
  'GET /discovery/endpoints': { subgraph: 'agents', scopes: ['viewer', 'agent'], isDownload: true },
  'GET /discovery/http_sd': { subgraph: 'agents', scopes: ['viewer', 'agent'], isDownload: true },
  'GET /discovery/dns-sd': { subgraph: 'agents', scopes: ['viewer', 'agent'], isDownload: true },
  'POST /v1/profiles': { subgraph: 'agents', scopes: ['agent'], maxBytes: 8 << 20 },
  'GET /v1/profiles': { subgraph: 'agents', scopes: ['operator'], isDownload: true },
  'POST /v1/metrics': { subgraph: 'metrics' },
  'POST /v1/traces': { subgraph: 'metrics' },
  'GET /v1/audit/export': { subgraph: 'audit', scopes: ['auditor'], isDownload: true },
  'POST /v1/audit/witness/add-checkpoint': { subgraph: 'audit', scopes: ['auditor'], maxBytes: 65_536 },
};

export interface RunRouterOptions {
  settings: Settings;
  secret: string;
  log: Log;
  flags: FileFlags;
  /** This process's own metrics, in Prometheus' format. */
  metrics: () => Promise<string>;
}

/** The router of the platform: the general one with its supergraph, houses, callers and routes. */
export async function runRouter({
  settings,
  secret,
  log,
  flags,
  metrics,
}: RunRouterOptions): Promise<ServedRouter & { reload(): Promise<void> }> {
  const root = packageRoot();
  const houses = Object.fromEntries(
    Object.entries(settings.FLEET_HOUSES).map(([name, url]) => [
      name,
      new HouseClient(name, url, deriveKey(secret, `call:${name}`), () => systemClock.nowMs()),
    ]),
  );
  const { agents, audit } = houses;
  assert(agents && audit && settings.FLEET_ADMIN_TOKEN, 'the router is told its houses and the admin token');
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string };
  const jwt = jwtIn(settings);
  const schemaFile = path.join(root, 'schema', 'supergraph.graphql');
  const gateway = agentGateway(agents, audit, settings, log);
  const router = await serveRouter({
    supergraphSdl: readFileSync(schemaFile, 'utf8'),
    clock: systemClock,
    log,
    flags,
    core: plannersIn(settings),
    host: settings.HOST,
    port: settings.PORT,
    version,
    houses,
    replicas: replicasIn(settings),
    policies: policiesIn(settings),
    callers: { adminToken: settings.FLEET_ADMIN_TOKEN, house: agents, ...(jwt ? { jwt } : {}) },
    audit,
    own: { cursorKey: deriveKey(secret, 'cursor:router') },
    routes: ROUTES,
    proxies: [gateway.door],
    readyQuery: READY_QUERY,
    explorer: { examples: path.join(root, 'schema', 'operations') },
    corsOrigins: settings.CORS_ORIGINS,
    allowedHosts: settings.ALLOWED_HOSTS,
    discovery: {
      sources: discoveriesIn(settings, log),
      registrationKeys: [secret, ...settings.FLEET_SECRET_ACCEPTED].map((each) => deriveKey(each, 'call:router')),
    },
    schema: schemaIn(settings, path.resolve(settings.FLEET_DATA, 'operations.json')),
    documents: documentsIn(settings),
    limits: {
      ...limitsIn(settings),
      batch: settings.FLEET_BATCH,
      port: { connections: settings.FLEET_CONNECTIONS },
      stale: { bytes: settings.FLEET_STALE_BYTES },
      operationMs: settings.FLEET_OPERATION_TIMEOUT_MS,
      guard: guardLimitsIn(settings),
    },
    ...(settings.REDIS_URL === undefined ? {} : { redisUrl: settings.REDIS_URL }),
    ...(settings.FLEET_LIMITS_URL === undefined ? {} : { limitStoreUrl: settings.FLEET_LIMITS_URL }),
    traceRatio: settings.FLEET_TRACE_RATIO,
    ...(settings.FLEET_SLOW_MS ? { slowOperationMs: settings.FLEET_SLOW_MS } : {}),
    metrics,
  });
  log.info('router.serving', { url: router.url });
  const file = new SupergraphFile({ path: schemaFile, schema: router.schema, log });
  file.start();
  return {
    ...router,
    reload: () => file.reload(),
    async stop() {
      file.stop();
      await router.stop();
      await gateway.stop();
      for (const client of Object.values(houses)) client.close();
    },
  };
}

/** Agents' own HTTP endpoints behind the public port: `/agents/<name or kind>/…`. */
export function agentGateway(
  agents: HouseClient,
  audit: HouseClient,
  settings: Settings,
  log: Log,
): { door: ProxyDoor; stop(): Promise<void> } {
  const source = new AgentEndpoints(agents, systemClock, log);
  const spool = new AuditSpool(new AuditTrail(audit, systemClock), log);
  const door = new ProxyDoor({
    prefix: '/agents/',
    source,
    policy: new AddressPolicy(settings.FLEET_AGENT_NETWORKS, () => systemClock.nowMs()),
    scopes: ['operator', 'agent'],
    spool,
    audit: { action: 'agent.proxied', targetType: 'Agent' },
    clock: systemClock,
  });
  spool.start();
  return {
    door,
    async stop() {
      source.stop();
      door.close();
      await spool.stop();
    },
  };
}
