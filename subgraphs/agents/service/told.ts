import { createHash } from 'node:crypto';
import { FleetError } from '../../../lib/errors.ts';
import { ActorKind } from '../../../lib/graphql/shared.ts';
import type { AgentEvent } from '../entity/agent-event.ts';
import type { LiveAgent } from './live.ts';
import { withoutSecrets } from './record.ts';

/** A line of its story that an agent tells with a beat. */
export interface ToldEvent {
  id: string;
  occurredAt: Date;
  name: string;
  detail?: unknown;
}

const MAX_EVENTS = 64;
const MAX_ID = 64;
const MAX_DETAIL_BYTES = 2_048;
/** What the platform itself writes into stories has other names: an agent cannot tell that it was registered. */
const NAME = /^(hook|own)\.[\w.-]{1,64}$/;
/** Ids of an agent that are known in memory; those before them the table knows. */
const REMEMBERED = 4 * MAX_EVENTS;

/** @throws BAD_INPUT when one of them cannot be stored */
export function assertTellable(events: readonly ToldEvent[]): void {
  const refuse = (sentence: string, ...field: string[]) => {
    throw new FleetError('BAD_INPUT', sentence, { field: ['events', ...field] });
  };
  if (events.length > MAX_EVENTS) refuse(`at most ${MAX_EVENTS} events a beat`);
  events.forEach(({ id, name, detail }, at) => {
    if (!id || id.length > MAX_ID) refuse(`an event’s id has 1 to ${MAX_ID} characters`, `${at}`, 'id');
    if (!NAME.test(name)) refuse('an event’s name begins with hook. or own.', `${at}`, 'name');
    if (detail == null) return;
    if (typeof detail !== 'object' || Array.isArray(detail)) refuse('a detail is an object', `${at}`, 'detail');
    if (Buffer.byteLength(JSON.stringify(detail)) > MAX_DETAIL_BYTES) {
      refuse(`a detail has at most ${MAX_DETAIL_BYTES} bytes`, `${at}`, 'detail');
    }
  });
}

/** What of the told is new, as lines of the agent’s story; not later than now, whatever its clock says. */
export function storyTold(live: LiveAgent, events: readonly ToldEvent[], nowMs: number): AgentEvent[] {
  const fresh = new Map(events.filter(({ id }) => !live.toldIds?.has(id)).map((event) => [event.id, event]));
  return [...fresh.values()].map(({ id, occurredAt, name, detail }) => ({
    id: uuidOfTold(live.uuid, id),
    agentUuid: live.uuid,
    occurredAt: new Date(Math.min(occurredAt.getTime(), nowMs)),
    name,
    detail: withoutSecrets(detail ?? {}) as Record<string, unknown>,
    actor: { id: live.id, kind: ActorKind.AGENT, name: live.name },
  }));
}

/** These are stored: told again, they are not new. */
export function rememberTold(live: LiveAgent, events: readonly ToldEvent[]): void {
  if (!events.length) return;
  live.toldIds ??= new Set();
  const { toldIds } = live;
  for (const { id } of events) toldIds.add(id);
  for (const id of toldIds) {
    if (toldIds.size <= REMEMBERED) return;
    toldIds.delete(id);
  }
}

/** The same event of the same agent has the same uuid, and nobody can take another’s. Source: RFC 9562, 5.8 (version 8). */
function uuidOfTold(agentUuid: string, id: string): string {
  const hex = createHash('sha256').update(`${agentUuid} ${id}`).digest('hex');
  const variant = ((Number.parseInt(hex[16] as string, 16) & 3) | 8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
