import type { Transaction } from '../database.ts';
import type { EntryDraft } from './entry.ts';

/** One change of one entity, as streams will show it. */
export interface EventDraft {
  /** The node type, e.g. `Agent`: the stream it belongs to. */
  type: string;
  /** The entity's bare uuid. Its row must be locked by this transaction already. */
  entityId: string;
  kind: 'CREATED' | 'UPDATED' | 'DELETED';
  /** The entity's own fields as of this change. */
  node: object;
  /** The same before it. */
  previous?: object | null;
}

/** How long an idempotency key stands for its first outcome, as PostgreSQL says it. */
export const KEY_LIFE = '24 hours';
/** Wakes the sequencer when the transaction commits. */
export const UNPLACED = 'fleet_unplaced';
/** Wakes the relay of audit entries when the transaction commits. */
export const UNDELIVERED = 'fleet_undelivered';

/** Rows and wake are one statement: every mutation waits for it. They are delivered in this order. */
export async function insertEntries(tx: Transaction, entries: readonly EntryDraft[]): Promise<void> {
  if (!entries.length) return;
  await tx.query(
    `with written as (
       insert into audit_outbox (id, entry)
       select (e.entry ->> 'id')::uuid, e.entry from jsonb_array_elements($1::jsonb) with ordinality as e(entry, at) order by e.at)
     select pg_notify($2::text || '_' || current_schema(), '')`,
    [JSON.stringify(entries), UNDELIVERED],
  );
}

export async function insertEvents(tx: Transaction, events: readonly EventDraft[], nowMs: number): Promise<void> {
  if (!events.length) return;
  await tx.query(
    `with written as (
       insert into event (occurred_at, kind, type, entity_id, node, previous)
       select to_timestamp($1::double precision / 1000), e.kind, e.type, e."entityId", e.node, e.previous
         from jsonb_to_recordset($2::jsonb) as e(kind text, type text, "entityId" text, node jsonb, previous jsonb))
     select pg_notify($3::text || '_' || current_schema(), '')`,
    [nowMs, JSON.stringify(events), UNPLACED],
  );
}
