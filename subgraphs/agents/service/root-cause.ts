/** An agent that is unwell. */
export interface Ailing {
  id: string;
  /** When that began, epoch milliseconds, as far as it was noticed. */
  sinceMs: number;
  /** How unwell it is, 0 to 1. */
  severity: number;
}

/** Who needs whom. */
export interface DependencyGraph {
  dependsOn(id: string): readonly string[];
  dependants(id: string): readonly string[];
}

/** An agent that may be where another's trouble comes from, or that other itself. */
export interface Candidate {
  id: string;
  /** How well it explains the trouble: compares with the other candidates' only. */
  likelihood: number;
}

/** What needs something is often noticed before that is: silence takes longer to tell than errors. Milliseconds. */
const NOTICED_LATER_MS = 8_000;
/** How sharply a candidate that began later is ruled out, milliseconds. */
const DOUBT_MS = 2_000;
/** What has been unwell for so long before is half as likely the cause, milliseconds. */
const OLD_MS = 20 * 60_000;
/** A well agent between two that are not passes on only so much. */
const THROUGH_WELL = 0.4;
const MAX_DEPTH = 8;
const MAX_AILING = 500;

/**
 * Where the trouble of each agent comes from, of those that are unwell together. A candidate is one that can be reached over
 * dependencies; it explains more the earlier it fell ill, the more of those that need it are ill too, and the less another
 * explains its own trouble. After MonitorRank and CloudRanger, which walk such graphs at random: here the walks are summed up.
 * @returns for each, its candidates, the likeliest first; the agent itself is always one
 */
export function rootCauses(ailing: readonly Ailing[], graph: DependencyGraph): Map<string, Candidate[]> {
  const known = new Map(firstOf(ailing).map((each) => [each.id, each]));
  const blames = new Map([...known.values()].map((one) => [one.id, blamesOf(one, known, graph)]));
  const innocence = new Map(
    [...blames].map(([id, blamed]) => [id, 1 - Math.max(0, ...[...blamed].map(([, blame]) => blame))]),
  );
  return new Map(
    [...blames].map(([id, blamed]) => {
      const candidates = [...blamed, [id, 1] as const].map(([other, blame]) => ({
        id: other,
        likelihood: blame * (innocence.get(other) as number) * spreadOf(other, known, graph),
      }));
      return [id, candidates.sort((a, b) => b.likelihood - a.likelihood || (a.id < b.id ? -1 : 1))];
    }),
  );
}

/** So many that it stays cheap: those that fell ill first. */
function firstOf(ailing: readonly Ailing[]): readonly Ailing[] {
  return ailing.length <= MAX_AILING ? ailing : [...ailing].sort((a, b) => a.sinceMs - b.sinceMs).slice(0, MAX_AILING);
}

/** How much each other ailing agent that can be reached explains this one's trouble, 0 to 1. */
function blamesOf(one: Ailing, known: ReadonlyMap<string, Ailing>, graph: DependencyGraph): Map<string, number> {
  const passed = new Map<string, number>([[one.id, 1]]);
  const blames = new Map<string, number>();
  let edge = [one.id];
  for (let depth = 0; depth < MAX_DEPTH && edge.length; depth += 1) {
    const next: string[] = [];
    for (const id of edge) {
      const through = (passed.get(id) as number) * (known.has(id) ? 1 : THROUGH_WELL);
      for (const other of graph.dependsOn(id)) {
        if (other === one.id || (passed.get(other) ?? 0) >= through) continue;
        passed.set(other, through);
        next.push(other);
        const found = known.get(other);
        if (found) blames.set(other, through * timing(one, found) * (0.5 + found.severity / 2));
      }
    }
    edge = next;
  }
  return blames;
}

/** Whether the other's trouble began when a cause of this one's would have, 0 to 1. */
function timing(one: Ailing, other: Ailing): number {
  const laterMs = other.sinceMs - one.sinceMs;
  const isEarly = 1 / (1 + Math.exp((laterMs - NOTICED_LATER_MS) / DOUBT_MS));
  return isEarly / (1 + Math.max(0, -laterMs) / OLD_MS);
}

/** How many of those that need it directly are unwell too: what breaks is felt by most who need it. */
function spreadOf(id: string, known: ReadonlyMap<string, Ailing>, graph: DependencyGraph): number {
  const needing = graph.dependants(id);
  const unwell = needing.filter((other) => known.has(other)).length;
  return (unwell + 1) / (needing.length + 2);
}
