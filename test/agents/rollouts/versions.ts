import { Deviates, GOOD, type Version } from './world.ts';

type Fault = (chance: Deviates) => Partial<Version>;
const between = (chance: Deviates, from: number, to: number) => from + (to - from) * chance.next();

/** Ways in which a version is bad, from gross to subtle. */
export const FAULTS: Readonly<Record<string, Fault>> = {
  'fails much': (chance) => ({ errorShare: between(chance, 0.1, 0.9) }),
  'fails a little more': (chance) => ({ errorShare: between(chance, 0.015, 0.05) }),
  'fails later': (chance) => ({ errorShare: between(chance, 0.05, 0.3), delayMs: between(chance, 20_000, 60_000) }),
  'fails in half of them': (chance) => ({ errorShare: between(chance, 0.15, 0.5), share: 0.6 }),
  'is much slower': (chance) => ({ latencyFactor: between(chance, 2, 6) }),
  'is a little slower': (chance) => ({ latencyFactor: between(chance, 1.3, 1.8) }),
  stalls: (chance) => ({ requestFactor: between(chance, 0.1, 0.4) }),
  leaks: (chance) => ({ leak: between(chance, 0.02, 0.2) }),
  crashes: (chance) => ({ crashes: between(chance, 0.5, 4) }),
  'does not come up': () => ({ startMs: 3_600_000 }),
  'comes up too slowly': (chance) => ({ startMs: between(chance, 60_000, 180_000) }),
};

/** Bad versions, the faults in turn. */
export function badVersion(number: number, seed: number): Version {
  const names = Object.keys(FAULTS);
  const fault = names[number % names.length] as string;
  const chance = new Deviates(seed);
  return { ...GOOD, name: 'new', fault, ...(FAULTS[fault] as Fault)(chance) };
}

/** A good version is as the old one, and may take a little longer to start. */
export function goodVersion(seed: number): Version {
  return { ...GOOD, name: 'new', fault: 'none', startMs: between(new Deviates(seed), 1_000, 9_000) };
}
