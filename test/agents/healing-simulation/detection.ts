import { RecoveryMode, RecoveryPolicy } from '../../../subgraphs/agents/entity/recovery.ts';
import { DEFAULT_POLICY } from '../../../subgraphs/agents/service/policy.ts';
import { Chance } from './chance.ts';
import { FAULTS, type FaultKind } from './faults.ts';
import { areaUnderCurve } from './figures.ts';
import { World } from './world.ts';

const BEATS_FOR_A_HABIT_MS = 90_000;
/** From when on a fault is expected to show: a lease is three beats. Milliseconds. */
const SHOWS_MS = 6_000;
const WATCHED_MS = 60_000;

export interface Detection {
  /** Over all kinds, and of each. */
  area: number;
  byKind: Record<FaultKind, number>;
  samples: number;
}

/**
 * How well a score tells faults: nobody heals; of each fault the scores from 6 s to 60 s after it began, against the scores of
 * agents that have none and depend on none that has, in the same time.
 */
export async function detect(seed: number, rounds: number): Promise<Detection> {
  const well: number[] = [];
  const faulty = Object.fromEntries(FAULTS.map((kind) => [kind, []])) as unknown as Record<FaultKind, number[]>;
  for (let round = 0; round < rounds; round += 1) {
    const chance = new Chance(seed * 1_000 + round);
    const off = Object.assign(new RecoveryPolicy(), DEFAULT_POLICY, { mode: RecoveryMode.OFF });
    const world = new World(off, chance);
    const startMs = world.nowMs;
    while (world.nowMs < startMs + BEATS_FOR_A_HABIT_MS) await world.look();
    const afflictedOnes = new Map<FaultKind, (typeof world.programs)[number]>();
    const free = world.programs.filter(({ live }) => ['tester', 'writer', 'researcher'].includes(live.kind));
    for (const kind of FAULTS) {
      const program = free.splice(chance.whole(0, free.length), 1)[0] as (typeof free)[number];
      program.afflict({ kind, sinceMs: world.nowMs, untilMs: Number.POSITIVE_INFINITY });
      afflictedOnes.set(kind, program);
    }
    const beganMs = world.nowMs;
    while (world.nowMs < beganMs + WATCHED_MS) {
      await world.look();
      const ageMs = world.nowMs - beganMs;
      if (ageMs < SHOWS_MS || ageMs % 1_000) continue;
      for (const [kind, { live }] of afflictedOnes) faulty[kind].push(live.health.score);
      for (const program of world.programs)
        if (!program.fault && !world.isStarved(program)) well.push(program.live.health.score);
    }
  }
  const all = Object.values(faulty).flat();
  return {
    area: areaUnderCurve(all, well),
    byKind: Object.fromEntries(FAULTS.map((kind) => [kind, areaUnderCurve(faulty[kind], well)])) as Record<
      FaultKind,
      number
    >,
    samples: all.length + well.length,
  };
}
