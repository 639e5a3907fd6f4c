import type { Clock } from '../../../lib/clock.ts';
import { AgentPresence } from '../../../lib/graphql/agent-presence.ts';
import { AgentState } from '../entity/enums.ts';
import type { AgentStore } from '../store/agents.ts';
import type { Connections } from './connections.ts';
import type { Healer } from './healer.ts';
import { isCrowdLate, type Listening } from './lease.ts';
import { observedState } from './lifecycle.ts';
import { type LiveAgent, type LiveFleet, presenceOf } from './live.ts';
import type { Observer } from './observer.ts';
import { overdueReason, type Patience } from './overdue.ts';
import { reasonOf } from './suspicion.ts';

/** Looks at all leases now and then: tells who fell silent, and has helped who needs it. */
export class Watch {
  constructor(
    private readonly agents: AgentStore,
    private readonly fleet: LiveFleet,
    private readonly observer: Observer,
    private readonly healer: Healer,
    private readonly listening: Listening,
    private readonly connections: Connections,
    private readonly clock: Clock,
    private readonly patience: Patience,
  ) {}

  /** Takes over who was heard before we started: each gets a whole lease, for we could not hear it meanwhile. */
  async begin(): Promise<void> {
    const nowMs = this.clock.nowMs();
    for await (const some of this.agents.heard()) {
      for (const agent of some) {
        const isOffline = agent.presence === AgentPresence.OFFLINE;
        this.fleet.add(agent, isOffline ? (agent.lastSeenAt?.getTime() ?? 0) : nowMs);
      }
    }
  }

  /** @param everyMs how far two looks are apart, milliseconds */
  async look(everyMs: number): Promise<void> {
    const nowMs = this.clock.nowMs();
    const shiftMs = this.listening.look(nowMs, everyMs);
    if (shiftMs) this.#shift(shiftMs, nowMs);
    const due = this.fleet.calm.due(nowMs);
    const quiet: LiveAgent[] = [];
    let held = this.fleet.size - due.length;
    for (const live of due) {
      if (live.heardMs === undefined || live.presence === AgentPresence.OFFLINE) continue;
      held += 1;
      if (presenceOf(live, this.fleet.terms, nowMs) !== AgentPresence.ONLINE) quiet.push(live);
    }
    if (this.listening.trusts(held, nowMs)) {
      await this.#silences(quiet, held, nowMs);
      await this.#overdue(due, nowMs);
    } else doubt(quiet);
    await this.#troubles(due);
  }

  /** Moves all leases: what was no silence of theirs is not held against them. */
  #shift(shiftMs: number, nowMs: number): void {
    this.fleet.calm.wake();
    for (const live of this.fleet.all()) {
      if (live.heardMs === undefined || live.presence === AgentPresence.OFFLINE) continue;
      live.heardMs = Math.min(nowMs, live.heardMs + shiftMs);
      if (live.closedMs !== undefined) live.closedMs += shiftMs;
    }
  }

  /** Tells whose connections closed: at once, not when the next beat is missing. */
  async closings(): Promise<void> {
    const nowMs = this.clock.nowMs();
    const closings = this.connections.judge();
    if (closings.some(({ verdict }) => verdict === 'ours')) doubt(this.fleet.all());
    const changes = closings.flatMap(({ uuid, atMs, verdict }) => {
      const live = this.fleet.known(uuid);
      // Of one that was not heard since, or is gone already, it says nothing new.
      if (verdict === 'ours' || live?.heardMs === undefined || live.heardMs > atMs) return [];
      if (live.headed.presence === AgentPresence.OFFLINE) return [];
      live.closedMs = atMs;
      this.fleet.calm.note(live, 0);
      live.isSure = verdict === 'theirs';
      return live.headed.presence === AgentPresence.ONLINE ? [this.#tell(live, AgentPresence.SUSPECT, nowMs)] : [];
    });
    await Promise.all(changes);
  }

  async #silences(quiet: readonly LiveAgent[], held: number, nowMs: number): Promise<void> {
    const late = quiet.filter(({ closedMs }) => closedMs === undefined).length;
    const mayEnd = !isCrowdLate(late, held);
    const changes = quiet.flatMap((live) => {
      if (this.connections.isOpen(live.uuid)) live.closedMs = undefined;
      const presence = presenceOf(live, this.fleet.terms, nowMs, mayEnd);
      // Only a beat brings an agent back: what is heard again is told by its own change.
      if (presence === AgentPresence.ONLINE || presence === live.headed.presence) return [];
      if (live.headed.presence === AgentPresence.OFFLINE) return [];
      return [this.#tell(live, presence, nowMs)];
    });
    await Promise.all(changes);
  }

  /** Those who fell silent on their way: nobody will say any more that they arrived. */
  async #overdue(due: readonly LiveAgent[], nowMs: number): Promise<void> {
    const changes: Promise<void>[] = [];
    for (const live of due) {
      if (live.presence !== AgentPresence.OFFLINE || live.headed.reported !== live.said) continue;
      const reason = overdueReason(live, nowMs, this.patience);
      if (reason) changes.push(this.observer.change(live, { ...live.headed, reported: AgentState.FAILED }, reason));
    }
    await Promise.all(changes);
  }

  #tell(live: LiveAgent, presence: AgentPresence, nowMs: number): Promise<void> {
    const { heardMs = nowMs, closedMs, isSure } = live;
    const evidence = reasonOf({ heardMs, closedMs, isSure }, live.rhythm, live.everyMs, nowMs);
    live.suspicion = { closed: closedMs !== undefined, evidence };
    return this.observer.change(live, { ...live.headed, presence }, evidence);
  }

  async #troubles(due: readonly LiveAgent[]): Promise<void> {
    let failure: unknown;
    for (const live of due) {
      if (!this.healer.mayNeed(live)) continue;
      // What goes wrong for one is told once the others were helped.
      await this.healer.heal(live, observedState(live.desired, live.reported)).catch((error: unknown) => {
        failure ??= error;
      });
    }
    if (failure) throw failure;
  }
}

/** What closed shortly before the road was found to be bad may have been the road's doing too. */
function doubt(all: Iterable<LiveAgent>): void {
  for (const live of all) live.isSure = false;
}
