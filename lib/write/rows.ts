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

/** What one change leaves behind, beside its own row. */
export interface Leavings {
  /** For the trail; they are delivered in this order. */
  entries?: readonly EntryDraft[];
  /** For the streams. */
  events?: readonly EventDraft[];
  /** What a repeat under the same key is answered with; the key is claimed already. */
  outcome?: { principal: string; key: string; action: string; outcome: object } | undefined;
}

/** All of it and the wakes are one statement, one way to the database and back: every mutation waits for it. */
export async function insertLeavings(
  tx: Transaction,
  { entries = [], events = [], outcome }: Leavings,
  nowMs: number,
): Promise<void> {
  const values: unknown[] = [];
  const bind = (value: unknown) => `$${values.push(value)}`;
  const [written, wakes]: [string[], string[]] = [[], []];
  if (outcome) {
    const [principal, key, action, json] = [
      outcome.principal,
      outcome.key,
      outcome.action,
      JSON.stringify(outcome.outcome),
    ];
    written.push(
      `kept as (update idempotency set outcome = ${bind(json)}::jsonb
         where principal = ${bind(principal)} and key = ${bind(key)} and action = ${bind(action)})`,
    );
  }
  if (entries.length) {
    written.push(
      `outbox as (insert into audit_outbox (id, entry)
         select (e.entry ->> 'id')::uuid, e.entry
           from jsonb_array_elements(${bind(JSON.stringify(entries))}::jsonb) with ordinality as e(entry, at) order by e.at)`,
    );
    wakes.push(UNDELIVERED);
  }
  if (events.length) {
    written.push(
      `told as (insert into event (occurred_at, kind, type, entity_id, node, previous)
         select to_timestamp(${bind(nowMs)}::double precision / 1000), e.kind, e.type, e."entityId", e.node, e.previous
           from jsonb_to_recordset(${bind(JSON.stringify(events))}::jsonb)
             as e(kind text, type text, "entityId" text, node jsonb, previous jsonb))`,
    );
    wakes.push(UNPLACED);
  }
  if (!written.length) return;
  await tx.query(
    `with ${written.join(', ')}
     select pg_notify(wake || '_' || current_schema(), '') from unnest(${bind(wakes)}::text[]) as wake`,
    values,
  );
}

export const insertEvents = (tx: Transaction, events: readonly EventDraft[], nowMs: number): Promise<void> =>
  insertLeavings(tx, { events }, nowMs);
