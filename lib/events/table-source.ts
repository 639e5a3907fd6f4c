import type { DataSource } from 'typeorm';
import type { EventSource, StreamedEvent } from './stream.ts';

interface Row {
  position: string;
  occurred_at: Date;
  type: string;
  entity_id: string;
  kind: StreamedEvent['kind'];
  node: Record<string, unknown>;
  previous: Record<string, unknown> | null;
}

/** Reads a house's `event` table. */
export function eventTable(database: DataSource): EventSource {
  return {
    async state() {
      const [row] = await database.query(
        `select epoch, last_position as last,
                coalesce((select min(position) from event where position is not null), last_position + 1) as oldest
           from stream`,
      );
      return { epoch: row.epoch, last: Number(row.last), oldest: Number(row.oldest) };
    },
    async readAfter(position, limit) {
      const rows: Row[] = await database.query(
        `select position, occurred_at, type, entity_id, kind, node, previous
           from event where position > $1 order by position limit $2`,
        [position, limit],
      );
      return rows.map((row) => ({
        position: Number(row.position),
        occurredAt: row.occurred_at,
        type: row.type,
        entityId: row.entity_id,
        kind: row.kind,
        node: row.node,
        previous: row.previous,
      }));
    },
  };
}
