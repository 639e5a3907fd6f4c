import type { Chance } from './chance.ts';

/** What a simulated beat says of an agent's work. */
export interface Work {
  requests: number;
  errors: number;
  latencyMs: number;
  cpu: number;
  memoryBytes: number;
  queue: number;
  costUsd: number;
  failedChecks: string[];
}

export const FAULTS = [
  'crash',
  'hang',
  'failure',
  'slowness',
  'error burst',
  'leak',
  'busy processor',
  'backlog',
  'flapping',
  'bad configuration',
  'dependency down',
  'failing checks',
  'lost beats',
  'partition',
  'overspend',
] as const;
export type FaultKind = (typeof FAULTS)[number];

/** Ends that a fault can have without a person: overspending is ended by a pause, which a person ends. */
export const TRANSIENT: readonly FaultKind[] = FAULTS.filter((kind) => kind !== 'overspend');
/** What a restart does not mend: it passes by itself, or another step does. */
export const BEYOND_RESTART: readonly FaultKind[] = ['bad configuration', 'lost beats', 'partition', 'overspend'];

export interface Fault {
  kind: FaultKind;
  sinceMs: number;
  /** When it passes by itself; infinity: it does not. */
  untilMs: number;
}

/** How long a fault of a kind lasts when nothing is done, milliseconds. */
export function lastsMs(kind: FaultKind, chance: Chance): number {
  if (kind === 'partition') return chance.between(8_000, 15_000);
  if (kind === 'lost beats') return chance.between(15_000, 30_000);
  if (kind === 'error burst') return chance.between(15_000, 45_000);
  if (kind === 'flapping') return chance.between(40_000, 90_000);
  return Number.POSITIVE_INFINITY;
}

/** Whether its beats do not arrive now. */
export function isUnheard({ kind }: Fault, chance: Chance): boolean {
  if (kind === 'lost beats') return chance.happens(0.6);
  return kind === 'crash' || kind === 'hang' || kind === 'dependency down' || kind === 'partition';
}

const FLAP_MS = 8_000;

/** What a fault does to an agent's work. @param ageMs how long it lasts */
export function afflicted(work: Work, kind: FaultKind, ageMs: number, chance: Chance): Work {
  const failing = (share: number) => Math.max(work.errors, binomial(work.requests, share, chance));
  switch (kind) {
    case 'slowness':
      return { ...work, latencyMs: work.latencyMs * 30 + 1_500 };
    case 'error burst':
    case 'bad configuration':
      return { ...work, errors: failing(0.9) };
    case 'leak':
      return {
        ...work,
        memoryBytes: work.memoryBytes * (1 + ageMs / 30_000),
        latencyMs: work.latencyMs * (1 + ageMs / 4_000),
        errors: ageMs > 40_000 ? failing(0.7) : work.errors,
      };
    case 'busy processor':
      return { ...work, cpu: chance.between(0.97, 1), latencyMs: work.latencyMs * 25 + 1_000, errors: failing(0.4) };
    case 'backlog':
      return { ...work, queue: 1_500, latencyMs: work.latencyMs * 25, errors: failing(0.4), failedChecks: ['backlog'] };
    case 'flapping':
      return Math.floor(ageMs / FLAP_MS) % 2 ? work : { ...work, errors: failing(0.9) };
    case 'failing checks':
      return { ...work, failedChecks: ['tools', 'model', 'disk'], errors: failing(0.3) };
    case 'overspend':
      return { ...work, costUsd: 0.3 };
    default:
      return work;
  }
}

/** Work of an agent that is well: skewed latencies, rare errors, and pauses now and then. */
export function usualWork(usualMs: number, chance: Chance): Work {
  const requests = chance.happens(0.1) ? 0 : chance.whole(1, 16);
  return {
    requests,
    errors: binomial(requests, 0.006, chance),
    latencyMs: usualMs * Math.exp(chance.normal() * 0.3) * (chance.happens(0.01) ? 5 : 1),
    cpu: Math.min(0.9, Math.max(0.02, 0.25 + chance.normal() * 0.1)),
    memoryBytes: 150e6 * (1 + chance.normal() * 0.03),
    queue: Math.max(0, Math.round(4 + chance.normal() * 4)),
    costUsd: 0.0005,
    failedChecks: chance.happens(0.002) ? ['tools'] : [],
  };
}

export function binomial(count: number, share: number, chance: Chance): number {
  let hits = 0;
  for (let at = 0; at < count; at += 1) if (chance.happens(share)) hits += 1;
  return hits;
}
