import { AgentPresence } from '../../../lib/graphql/agent-presence.ts';
import { AgentState } from '../entity/enums.ts';
import type { LiveAgent } from './live.ts';
import { LOOP_RESTARTS } from './recovery.ts';

/** Whether a recovery may have to do with it: asked of every agent that is looked at, so it must cost next to nothing. */
export function isOfNote(live: LiveAgent): boolean {
  return (
    live.degradedBeats > 0 ||
    live.acuteBeats > 0 ||
    live.presence === AgentPresence.OFFLINE ||
    live.reported === AgentState.FAILED ||
    live.spentShare >= 1 ||
    live.restartsAtMs.length >= LOOP_RESTARTS
  );
}

/** Until when there is nothing to look at in an agent that was just heard: until its next beat is missing; 0 when there is now. */
export function calmUntilMs(live: LiveAgent): number {
  const { heardMs, headed, presence, health, patience } = live;
  const isHeard = presence === AgentPresence.ONLINE && headed.presence === AgentPresence.ONLINE;
  if (!isHeard || heardMs === undefined || health.penalties.length || isOfNote(live)) return 0;
  return heardMs + patience.suspectMs;
}
