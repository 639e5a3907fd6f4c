import type { Clock } from '../../../lib/clock.ts';
import { AgentPresence } from '../../../lib/graphql/agent-presence.ts';
import { AgentState } from '../entity/enums.ts';
import { HealthFactor } from '../entity/health-model.ts';
import { LEAST_SCORE } from './health.ts';
import type { Cause, LiveAgent, LiveFleet } from './live.ts';
import { type Ailing, type DependencyGraph, rootCauses } from './root-cause.ts';

/** Scores look back on five beats, and grades rise late. Milliseconds. */
const AFTERMATH_MS = 20_000;

/** Finds, for agents that are unwell together, where their trouble comes from, by what they say they depend on. */
export class Causes {
  /** Since when agents are unwell. */
  readonly #since = new Map<string, number>();
  /** The causes that were found last, and when. */
  readonly #named = new Map<string, { cause: Cause; atMs: number }>();

  constructor(
    private readonly fleet: LiveFleet,
    private readonly clock: Clock,
  ) {}

  /** Looks at all that are unwell now; a cause is told by the next score of its effects. */
  find(): void {
    // Who is calm has lost nothing.
    const ailing = this.#ailing(this.fleet.calm.due(this.clock.nowMs()));
    const all = ailing.length > 1 ? [...this.fleet.all()] : [];
    const isSought = all.some(({ dependencies }) => dependencies.length);
    const found = isSought ? rootCauses(ailing, graphOf(all, ailing)) : undefined;
    // Those that are well and were so before have no cause, and are not looked at.
    for (const uuid of new Set([...ailing.map(({ id }) => id), ...this.#named.keys()])) {
      const live = this.fleet.known(uuid);
      if (!live) {
        this.#named.delete(uuid);
        continue;
      }
      const first = found?.get(live.uuid)?.[0]?.id;
      const cause = first === undefined || first === live.uuid ? undefined : this.fleet.known(first);
      live.cause = this.#remembered(live, cause && { uuid: cause.uuid, name: cause.name });
    }
  }

  /** Once the cause is healed, its effects get a while to get well by themselves. */
  #remembered({ uuid }: LiveAgent, found: Cause | undefined): Cause | undefined {
    const nowMs = this.clock.nowMs();
    const known = this.#named.get(uuid);
    if (found) this.#named.set(uuid, { cause: found, atMs: nowMs });
    else if (!this.#since.has(uuid) || (known && nowMs - known.atMs > AFTERMATH_MS)) this.#named.delete(uuid);
    return this.#named.get(uuid)?.cause;
  }

  #ailing(some: readonly LiveAgent[]): Ailing[] {
    const nowMs = this.clock.nowMs();
    const ailing: Ailing[] = [];
    const gone = new Set(this.#since.keys());
    for (const live of some) {
      const missing = missingOf(live);
      // One whose beat is missing is counted too: others feel its silence before its lease has ended.
      const isUnwell = missing > 100 - LEAST_SCORE.HEALTHY || live.presence === AgentPresence.SUSPECT;
      if (live.heardMs === undefined || live.desired !== AgentState.RUNNING || !isUnwell) continue;
      gone.delete(live.uuid);
      // One that fell silent was well no longer than until its last beat.
      const isSilent = live.presence !== AgentPresence.ONLINE;
      const sinceMs = this.#since.get(live.uuid) ?? (isSilent ? live.beatMs : nowMs);
      this.#since.set(live.uuid, sinceMs);
      ailing.push({ id: live.uuid, sinceMs, severity: missing / 100 });
    }
    for (const uuid of gone) this.#since.delete(uuid);
    return ailing;
  }
}

/** What an agent's own trouble takes from its score: what others' takes must not prove itself. */
function missingOf({ health }: LiveAgent): number {
  if (!health.penalties.length) return 0;
  const own = health.penalties.filter(({ factor }) => factor !== HealthFactor.DEPENDENCY);
  return own.reduce((sum, { points }) => sum + points, 0);
}

/** Dependencies by name; one on a kind leads to its unwell agents once half of the kind is unwell: one of many is not missed. */
function graphOf(all: readonly LiveAgent[], ailing: readonly Ailing[]): DependencyGraph {
  const unwell = new Set(ailing.map(({ id }) => id));
  const named = new Map<string, string>();
  const kinds = new Map<string, { size: number; unwell: string[] }>();
  for (const { uuid, name, kind } of all) {
    named.set(name, uuid);
    const counted = kinds.get(kind) ?? { size: 0, unwell: [] };
    counted.size += 1;
    if (unwell.has(uuid)) counted.unwell.push(uuid);
    kinds.set(kind, counted);
  }
  const [dependsOn, dependants] = [new Map<string, string[]>(), new Map<string, string[]>()];
  for (const { uuid, dependencies } of all) {
    const needed = dependencies.flatMap((dependency) => {
      const agent = named.get(dependency);
      const kind = kinds.get(dependency);
      if (agent !== undefined) return [agent];
      return kind && kind.unwell.length * 2 >= kind.size ? kind.unwell : [];
    });
    dependsOn.set(uuid, needed);
    for (const other of needed) dependants.set(other, [...(dependants.get(other) ?? []), uuid]);
  }
  return { dependsOn: (id) => dependsOn.get(id) ?? [], dependants: (id) => dependants.get(id) ?? [] };
}
