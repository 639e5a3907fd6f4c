import type { Clock } from '../../../lib/clock.ts';
import { AgentPresence } from '../../../lib/graphql/agent-presence.ts';
import { AgentState } from '../entity/enums.ts';
import type { AgentStore } from '../store/agents.ts';
import type { Healer } from './healer.ts';
import { type Listening, presenceAt } from './lease.ts';
import { observedState } from './lifecycle.ts';
import type { LiveAgent, LiveFleet } from './live.ts';
import type { Observer } from './observer.ts';
import { overdueReason, type Patience } from './overdue.ts';

/** Looks at all leases now and then: tells who fell silent, and has helped who needs it. */
export class Watch {
  constructor(
    private readonly agents: AgentStore,
    private readonly fleet: LiveFleet,
    private readonly observer: Observer,
    private readonly healer: Healer,
    private readonly listening: Listening,
    private readonly clock: Clock,
    private readonly patience: Patience,
  ) {}

  /** Takes over who was heard before we started: each gets a whole lease, for we could not hear it meanwhile. */
  async begin(): Promise<void> {
    const nowMs = this.clock.nowMs();
    for (const agent of await this.agents.heard()) {
      const isOffline = agent.presence === AgentPresence.OFFLINE;
      this.fleet.add(agent, isOffline ? (agent.lastSeenAt?.getTime() ?? 0) : nowMs);
    }
  }

  /** @param everyMs how far two looks are apart, milliseconds */
  async look(everyMs: number): Promise<void> {
    const nowMs = this.clock.nowMs();
    const shiftMs = this.listening.look(nowMs, everyMs);
    const held: LiveAgent[] = [];
    for (const live of this.fleet.all()) {
      if (live.heardMs === undefined) continue;
      if (live.presence !== AgentPresence.OFFLINE) {
        live.heardMs += shiftMs;
        held.push(live);
      }
    }
    if (this.listening.trusts(held.length, nowMs)) {
      await this.#silences(held, nowMs);
      await this.#overdue(nowMs);
    }
    await this.#troubles();
  }

  async #silences(held: readonly LiveAgent[], nowMs: number): Promise<void> {
    const changes = held.flatMap((live) => {
      const heardMs = live.heardMs as number;
      const presence = presenceAt(this.fleet.terms, heardMs, nowMs);
      if (presence === live.headed.presence) return [];
      const silent = `no beat for ${((nowMs - heardMs) / 1_000).toFixed(1)} s`;
      // Only a beat brings an agent back: what is heard again is told by its own change.
      if (presence === AgentPresence.ONLINE) return [];
      return [this.observer.change(live, { ...live.headed, presence }, silent)];
    });
    await Promise.all(changes);
  }

  /** Those who fell silent on their way: nobody will say any more that they arrived. */
  async #overdue(nowMs: number): Promise<void> {
    const changes = [...this.fleet.all()].flatMap((live) => {
      const reason = live.presence === AgentPresence.OFFLINE && overdueReason(live, nowMs, this.patience);
      if (!reason || live.headed.reported !== live.said) return [];
      return [this.observer.change(live, { ...live.headed, reported: AgentState.FAILED }, reason)];
    });
    await Promise.all(changes);
  }

  async #troubles(): Promise<void> {
    for (const live of this.fleet.all()) {
      if (!this.healer.mayNeed(live)) continue;
      await this.healer.heal(live, observedState(live.desired, live.reported));
    }
  }
}
