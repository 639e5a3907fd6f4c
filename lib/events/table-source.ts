import type { DataSource } from 'typeorm';
import { EPOCH } from './epoch.ts';
import type { EventSource, StreamedEvent, StreamState } from './stream.ts';

interface Row {
  epoch: string;
  last: string;
  oldest: string;
  position: string | null;
  seq: string;
  occurred_at: Date;
  type: string;
  entity_id: string;
  kind: StreamedEvent['kind'];
  node: Record<string, unknown>;
  previous: Record<string, unknown> | null;
}

/** SQL of how far a house's stream has come. */
export const STATE = `select ${EPOCH} as epoch, last_position as last, oldest_position as oldest from stream`;

/** Reads a house's `event` table. */
export function eventTable(database: DataSource): EventSource {
  return {
    async state() {
      const [row]: [Row] = await database.query(STATE);
      return stateOf(row);
    },
    async readAfter(position, limit) {
      const rows: [Row, ...Row[]] = await database.query(
        `select s.*, e.* from (${STATE}) s
           left join lateral (
             select position, seq, occurred_at, type, entity_id, kind, node, previous
               from event where position > $1 order by position limit $2
           ) e on true order by e.position`,
        [position, limit],
      );
      return { ...stateOf(rows[0]), events: rows.flatMap(eventOf) };
    },
  };
}

function stateOf({ epoch, last, oldest }: Row): StreamState {
  return { epoch, last: Number(last), oldest: Number(oldest) };
}

function eventOf(row: Row): StreamedEvent[] {
  if (row.position === null) return [];
  const { seq, occurred_at: occurredAt, type, entity_id: entityId, kind, node, previous } = row;
  return [{ position: Number(row.position), seq: Number(seq), occurredAt, type, entityId, kind, node, previous }];
}
