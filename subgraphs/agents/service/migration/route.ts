import { FleetError } from '../../../../lib/errors.ts';
import { migrateDown, migrateUp } from './migrate.ts';
import type { Operation } from './operations.ts';
import type { Config } from './pointer.ts';

/** How a version’s configuration comes from that of an older one. */
export interface Edge {
  version: string;
  migratesFrom: string;
  operations: readonly Operation[];
}

interface Leg {
  edge: Edge;
  up: boolean;
}

/** The shortest way from one version to another, up and down; undefined when there is none. */
export function routeOf(edges: readonly Edge[], from: string, to: string): Leg[] | undefined {
  const ways = new Map<string, Leg[]>([[from, []]]);
  for (const [here, way] of ways) {
    if (here === to) return way;
    for (const edge of edges) {
      const up = edge.migratesFrom === here;
      const next = up ? edge.version : edge.version === here ? edge.migratesFrom : undefined;
      if (next !== undefined && !ways.has(next)) ways.set(next, [...way, { edge, up }]);
    }
  }
  return undefined;
}

/**
 * A configuration carried from one version to another, over every version between. A version that does not say where it comes
 * from takes any as it is.
 * @throws CONFLICT with the path of what would be lost, or when no migrations lead there
 */
export function carry(config: Config, edges: readonly Edge[], from: string, to: string): Config {
  const route = routeOf(edges, from, to);
  if (!route && edges.some(({ version }) => version === to)) {
    throw new FleetError('CONFLICT', `no migrations lead from ${from} to ${to}`, { field: ['version'] });
  }
  return (route ?? []).reduce(
    (carried, { edge, up }) => (up ? migrateUp : migrateDown)(carried, edge.operations),
    config,
  );
}
