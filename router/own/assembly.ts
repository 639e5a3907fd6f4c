import { CursorSealer } from '../../lib/cursor.ts';
import { standardFlags } from '../../lib/flags/index.ts';
import type { AuditTrail } from '../audit/trail.ts';
import type { UsageBook } from '../callers/usage.ts';
import type { DocumentGate } from '../guard/document-limits.ts';
import type { Guard } from '../guard/guard.ts';
import type { LiveStreams } from '../http/live-streams.ts';
import type { Limits } from '../limits/limits.ts';
import type { OwnOptions, RouterOptions } from '../options.ts';
import { type LiveEngine, perGeneration } from '../schema/live-engine.ts';
import { BreakerControl } from './breaker-control.ts';
import { BreakerFeed } from './breaker-feed.ts';
import { FlagDesk } from './flag-desk.ts';
import { nodeOwners } from './node-owners.ts';
import { PlanDesk } from './plan-desk.ts';
import { routerFacts } from './status.ts';
import { OwnSubgraph } from './subgraph.ts';

/** What the router's own fields are read from. */
interface OwnRooms {
  engine: LiveEngine;
  limits: Limits;
  guard: Guard;
  trail: AuditTrail;
  usage: UsageBook;
  streams: LiveStreams;
  gate: DocumentGate;
}

/** The router's own subgraph. */
export function assembleOwn(options: RouterOptions, own: OwnOptions, rooms: OwnRooms): OwnSubgraph {
  const { engine, guard, trail, limits, usage, streams, gate } = rooms;
  const { clock } = options;
  const feed = new BreakerFeed(new CursorSealer([own.cursorKey]), clock.uuid());
  guard.onMove((move) => feed.record(move));
  return new OwnSubgraph({
    guard,
    owners: perGeneration(
      engine,
      ({ supergraphSdl }) => new Map([...nodeOwners(supergraphSdl), ...Object.entries(own.owners ?? {})]),
    ),
    control: new BreakerControl(guard, trail, clock),
    feed,
    flags: new FlagDesk(options.flags ?? standardFlags(), trail, clock),
    plans: new PlanDesk({ engine, gate, limits, clock }),
    usage,
    clock,
    facts: perGeneration(engine, ({ supergraphSdl, loadedAtMs }) =>
      routerFacts(options.version ?? 'unknown', supergraphSdl, loadedAtMs),
    ),
    subscriptions: () => streams.operations,
  });
}
