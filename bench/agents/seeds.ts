import type { Seed } from './seeded-agent.ts';

/** A number of this range, by a generator that gives the same for the same seed (mulberry32). */
type Draw = (from: number, to: number) => number;

function drawOf(seed: number): Draw {
  let state = seed >>> 0;
  return (from, to) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.round(from + (((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * (to - from));
  };
}

type Work = Omit<Seed, 'name' | 'fault'>;

/** What every agent does beside what is wrong with it. */
const ordinary = (draw: Draw): Work => ({
  ...{ concurrency: draw(2, 4), restMs: draw(60, 140), burnMs: draw(1, 3), objects: draw(100, 2_000), kept: 0 },
  calls: [{ count: draw(1, 3), ms: draw(5, 30) }],
});

/** Faults, by the kind that is right. */
const FAULTS: Record<string, (draw: Draw) => Work> = {
  CPU: (draw) => ({ ...ordinary(draw), concurrency: draw(2, 5), restMs: draw(5, 25), burnMs: draw(30, 260) }),
  GC: (draw) => ({
    ...ordinary(draw),
    ...{ restMs: draw(5, 20), objects: draw(60_000, 160_000), kept: draw(500_000, 1_200_000) },
  }),
  LOCK: (draw) => ({ ...ordinary(draw), concurrency: draw(6, 14), restMs: draw(5, 30), heldMs: draw(20, 90) }),
  N_PLUS_ONE: (draw) => ({ ...ordinary(draw), calls: [{ count: draw(12, 60), ms: draw(2, 14) }] }),
  SLOW_DEPENDENCY: (draw) => ({
    ...ordinary(draw),
    concurrency: draw(2, 8),
    calls: [{ count: 1, ms: draw(220, 1_400) }],
  }),
};

/** Healthy ones, each of another kind, some of them near to a fault. */
const HEALTHY: ((draw: Draw) => Work)[] = [
  ordinary,
  (draw) => ({ ...ordinary(draw), calls: [{ count: draw(3, 5), ms: draw(5, 25) }] }),
  (draw) => ({ ...ordinary(draw), calls: [{ count: draw(8, 20), ms: draw(10, 60), abreast: true }] }),
  (draw) => ({ ...ordinary(draw), calls: [{ count: 1, ms: draw(400, 1_500), model: true }] }),
  (draw) => ({ ...ordinary(draw), concurrency: 2, restMs: draw(160, 240), heldMs: draw(5, 15) }),
  (draw) => ({ ...ordinary(draw), concurrency: 1, burnMs: draw(10, 25), restMs: draw(80, 140) }),
  (draw) => ({ ...ordinary(draw), objects: draw(5_000, 15_000), kept: draw(1_000, 20_000), restMs: draw(100, 200) }),
  (draw) => ({
    ...ordinary(draw),
    calls: [
      { count: 1, ms: draw(40, 100) },
      { count: 2, ms: draw(5, 20) },
    ],
  }),
  (draw) => ({ ...ordinary(draw), concurrency: draw(6, 10), calls: [{ count: 2, ms: draw(20, 60) }] }),
  (draw) => ({
    ...ordinary(draw),
    calls: [
      { count: draw(4, 6), ms: draw(3, 8) },
      { count: 1, ms: draw(20, 60) },
    ],
  }),
];

/** Twenty agents with a fault, four of each kind, and twenty healthy ones. The same set for the same number. */
export function seedsOf(set: number): Seed[] {
  const draw = drawOf(set);
  const faulty = Object.entries(FAULTS).flatMap(([fault, make]) =>
    Array.from({ length: 4 }, (_, at): Seed => ({ name: `${fault.toLowerCase()}-${at}`, fault, ...make(draw) })),
  );
  const healthy = Array.from({ length: 20 }, (_, at): Seed => {
    const make = HEALTHY[at % HEALTHY.length] as (typeof HEALTHY)[number];
    return { name: `healthy-${at}`, fault: null, ...make(draw) };
  });
  return [...faulty, ...healthy];
}
