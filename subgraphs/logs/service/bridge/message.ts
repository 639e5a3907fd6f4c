import { createHash } from 'node:crypto';
import type { StreamedEvent } from '../../../../lib/events/stream.ts';
import type { ErrorSnapshot } from '../error-snapshot.ts';

/** A change of a group of errors as other systems get it. */
export interface BridgeMessage {
  /** The same each time that it is sent: whoever knows ids takes it once. */
  id: string;
  /** Which stream its position counts in; another after the database was put back. */
  epoch: string;
  position: number;
  /** JSON. */
  body: string;
}

/** Where messages go. */
export interface BridgeTarget {
  /** Resolves once the other side has them for good, in this order. */
  send(messages: readonly BridgeMessage[]): Promise<void>;
  close(): Promise<void>;
}

export function messageOf(event: StreamedEvent, epoch: string): BridgeMessage {
  const node = event.node as unknown as ErrorSnapshot;
  const previous = event.previous as unknown as ErrorSnapshot | null;
  const short = createHash('sha256').update(epoch).digest('hex').slice(0, 12);
  return {
    id: `${short}:${event.entityId}:${event.position}`,
    epoch: short,
    position: event.position,
    body: JSON.stringify({
      kind: event.kind,
      occurredAt: event.occurredAt.toISOString(),
      previous: previous?.state ?? null,
      node,
    }),
  };
}
