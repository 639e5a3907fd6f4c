import { asFleetError, messageOf } from '../../lib/errors.ts';
import { Sequencer } from '../../lib/events/sequencer.ts';
import { EventStream } from '../../lib/events/stream.ts';
import { buildSubgraph, type ReferenceResolver } from '../../lib/federation.ts';
import type { HouseRuntime } from '../../lib/house.ts';
import { readNodeId } from '../../lib/node-id.ts';
import type { HouseRoute, Subgraph } from '../../lib/subgraph.ts';
import { ENTRIES_ROUTE } from '../../lib/write/relay.ts';
import { Agent, Alert, AlertRule, AuditEntry, LogEntry } from './entity/index.ts';
import { auditLoaders } from './loaders.ts';
import {
  AgentAuditResolver,
  AlertAuditResolver,
  type AuditContext,
  AuditEntryResolver,
  AuditResolver,
} from './resolver/index.ts';
import { Arrivals } from './service/arrivals.ts';
import { AuditService } from './service/index.ts';
import { readBatch } from './service/leaf.ts';
import { MerkleLog } from './service/merkle-log.ts';
import { ARRIVED, EntryStore, PLACED, TreeStore } from './store/index.ts';

export const entities = [AuditEntry];

/** Audit: who changed what and when, provable by one Merkle tree over all of it. */
export async function auditSubgraph(runtime: HouseRuntime): Promise<Subgraph> {
  const { database, notifications, cursors, clock, log: notes } = runtime;
  const entries = new EntryStore(database);
  const trees = new TreeStore(database);
  const log = new MerkleLog(trees, clock);
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
  // Entries are kept for good, so that every cursor of this epoch can be resumed.
  const state = async () => {
    const { epoch, size } = (await trees.state()) ?? { epoch: '', size: 0 };
    return { epoch, last: size, oldest: 1 };
  };
  const stream = new EventStream(
    {
      state,
      // The state last: a tree that was set back meanwhile is found out.
      readAfter: async (position, limit) => {
        const events = await entries.readAfter(position, limit);
        return { ...(await state()), events };
      },
    },
    cursors,
    notifications,
    PLACED,
    notes,
  );
  const arrivals = new Arrivals(entries, notifications, (error) =>
    notes.warn('audit.arrivals.wait', { error: messageOf(error) }),
  );
  const redactionKey = runtime.key('redaction:audit');
  const service = new AuditService({ entries, trees, log, arrivals, stream, cursors, clock, notes, redactionKey });
  return {
    name: 'audit',
    schema: await buildSubgraph({
      resolvers: [AuditResolver, AuditEntryResolver, AgentAuditResolver, AlertAuditResolver],
      orphanedTypes: [Agent, Alert, AlertRule, LogEntry],
      access: runtime.access,
      references,
    }),
    context: (call): AuditContext => ({ call, service, log, loaders: auditLoaders(service) }),
    routes: { [ENTRIES_ROUTE]: entriesRoute(service) },
    async start() {
      await log.open();
      sequencer.start();
      stream.start();
      arrivals.start();
    },
    async stop() {
      await arrivals.stop();
      await stream.stop();
      await sequencer.stop();
    },
    async ready() {
      await database.query('select 1');
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

/** Takes entries from the other houses' relays and the router: 200 once they are durable. */
function entriesRoute(service: AuditService): HouseRoute {
  return async ({ body }) => {
    try {
      await service.append(readBatch(body));
      return { status: 200, body: '{}' };
    } catch (error) {
      const refused = asFleetError(error);
      if (!refused) throw error;
      return {
        status: 400,
        body: JSON.stringify({ errors: [{ message: refused.message, extensions: refused.extensions }] }),
      };
    }
  };
}
