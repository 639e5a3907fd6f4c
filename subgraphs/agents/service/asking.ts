import type { Agent } from '../entity/agent.ts';
import { commandOf, type Life, type LifeAction, move, observedState } from './lifecycle.ts';

/** The command that tells an agent of a move. */
export interface MoveLetter {
  name: string;
  arguments: { desiredState: string; reason: string | null };
}

export function lifeOf(agent: Agent): Life {
  return { desired: agent.desiredState, reported: agent.reportedState, held: agent.heldState };
}

/**
 * Sets what is asked of an agent whose row is locked.
 * @returns the command that tells it
 * @throws CONFLICT when its life has no such move
 */
export function ask(agent: Agent, action: LifeAction, reason: string | null, now: Date): MoveLetter {
  const next = move(agent.name, lifeOf(agent), action);
  agent.desiredState = next.desired;
  agent.heldState = next.held;
  agent.state = observedState(next.desired, next.reported);
  // Whatever it is on its way to, it has its whole time for it from now on.
  agent.saidSince = now;
  return { name: commandOf(action, next.desired), arguments: { desiredState: next.desired, reason } };
}
