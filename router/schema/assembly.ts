import type { Registry } from 'prom-client';
import { CallVerifier } from '../../lib/call/signing.ts';
import { standardFlags } from '../../lib/flags/index.ts';
import { swapEntry } from '../audit/entries.ts';
import type { AuditSpool } from '../audit/spool.ts';
import type { AuditTrail } from '../audit/trail.ts';
import { createEngine } from '../core.ts';
import { DiscoveryDesk } from '../discovery/discovery-desk.ts';
import { Registrar } from '../discovery/registrar.ts';
import { Registrations } from '../discovery/registrations.ts';
import type { SubgraphCaller } from '../engine.ts';
import type { Guard } from '../guard/guard.ts';
import type { RouterOptions } from '../options.ts';
import { supergraphHash } from '../own/status.ts';
import { Composition } from './composition.ts';
import { LiveEngine } from './live-engine.ts';
import { registerSchemaMetrics } from './metrics.ts';
import { OperationBook } from './operation-book.ts';
import { Reach } from './reach.ts';
import { SchemaDesk } from './schema-desk.ts';
import { CANARY_RULE } from './swap-rules.ts';

/** What the schema's changes are made with. */
export interface SchemaRooms {
  engine: LiveEngine;
  guard: Guard;
  trail: AuditTrail | undefined;
  spool: AuditSpool | undefined;
}

export interface AssembledSchema {
  desk: SchemaDesk;
  /** Takes registrations; absent: nobody may register. */
  registrar: Registrar | undefined;
  start(registry: Registry): void;
  stop(): Promise<void>;
}

/** How a new schema comes into service. @param own the subgraph in this process, which is not called over the wire */
export function assembleSchema(options: RouterOptions, own: string, rooms: SchemaRooms): AssembledSchema {
  const { clock, log, houses, replicas, schema = {}, flags = standardFlags() } = options;
  const { engine, guard, trail, spool } = rooms;
  const book = new OperationBook({ file: schema.operationsFile, nowMs: () => clock.nowMs(), log });
  engine.onTaken((document) => book.note(document));
  const reach = new Reach({
    guard,
    addressesOf: (subgraph, given) =>
      options.own && subgraph === own ? undefined : (replicas?.[subgraph] ?? [houses?.[subgraph]?.url ?? given]),
  });
  const entry = (state: Parameters<typeof swapEntry>[0]) =>
    swapEntry(state, supergraphHash(engine.current.supergraphSdl), clock);
  const desk = new SchemaDesk({
    engine,
    composition: new Composition(),
    book,
    reach,
    rule: () => (flags.isOn('router.canary') ? { ...CANARY_RULE, ...schema.canary } : { ...CANARY_RULE, share: 0 }),
    clock,
    log,
    audit: async (state) => await trail?.write([entry(state)]),
    auditLater: (state) => spool?.add(entry(state)),
  });
  const { discovery, registrar } = assembleDiscovery(options, engine, desk, reach);
  return {
    desk,
    registrar,
    start(registry) {
      registerSchemaMetrics(registry, { engine, desk, book });
      book.start();
      discovery.start();
    },
    async stop() {
      discovery.stop();
      await desk.stop();
      await book.stop();
    },
  };
}

function assembleDiscovery(options: RouterOptions, engine: LiveEngine, schema: SchemaDesk, reach: Reach) {
  const { clock, log } = options;
  const { sources = [], registrationKeys = [] } = options.discovery ?? {};
  const nowMs = () => clock.nowMs();
  const registrations = registrationKeys.length > 0 ? new Registrations(nowMs) : undefined;
  const discoveries = registrations ? [...sources, registrations] : sources;
  return {
    discovery: new DiscoveryDesk({ discoveries, engine, schema, reach, log }),
    registrar: registrations && new Registrar(registrations, new CallVerifier(registrationKeys, 'router', nowMs)),
  };
}

/** The router's engine, whose schema can be changed. @throws Error when the supergraph is none */
export function assembleEngine(options: RouterOptions, caller: SubgraphCaller): LiveEngine {
  const { clock, log, callers, supergraphSdl } = options;
  const isOpen = callers === undefined;
  return new LiveEngine({
    supergraphSdl,
    make: (sdl, supergraph) =>
      createEngine({
        ...options.core,
        supergraphSdl: sdl,
        ...(supergraph ? { supergraph } : {}),
        caller,
        clock,
        ...(options.flags ? { flags: options.flags } : {}),
        enforceAccess: options.enforceAccess ?? !isOpen,
        gateIntrospection: !isOpen,
        reportFault: (fault) => log.warn('subgraph.fault', { ...fault }),
      }),
    nowMs: () => clock.nowMs(),
    random: () => clock.random(),
  });
}
