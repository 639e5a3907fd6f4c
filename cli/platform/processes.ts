/** Which houses live in which process; names only, so that the supervisor loads no server code. */
export const HOUSE_NAMES = ['agents', 'logs', 'audit', 'alerts', 'metrics'] as const;

/** Environment variable that names the settings which the supervisor made for its children; absent where a part runs alone. */
export const MADE_BY_SUPERVISOR = 'FLEETGRAPH_MADE_SETTINGS';

const TOGETHER: Record<string, readonly string[]> = {
  state: ['agents', 'audit', 'alerts'],
  telemetry: ['logs', 'metrics'],
};

/** The houses of a process: a group, or one house alone. Undefined for a word that names neither. */
export function housesOf(name: string): readonly string[] | undefined {
  if (TOGETHER[name]) return TOGETHER[name];
  return (HOUSE_NAMES as readonly string[]).includes(name) ? [name] : undefined;
}

/**
 * The processes of one machine beside the router.
 * @param split a process for each house; logs and metrics stay together while they share the embedded engine
 */
export function processNames(split: boolean, ownClickHouse: boolean): string[] {
  if (!split) return ['state', 'telemetry'];
  return ownClickHouse ? ['agents', 'audit', 'alerts', 'logs', 'metrics'] : ['agents', 'audit', 'alerts', 'telemetry'];
}
