/** What a run came to. */
export interface Tally {
  agents: number;
  beats: number;
  simulatedS: number;
  /** Agents that lived and were told OFFLINE. */
  falseDeaths: number;
  /** What was going on at the first of them. */
  examples: string[];
  /** Agents that lived and were told SUSPECT. */
  suspicions: number;
  /** What befell: so often each. */
  events: Record<string, number>;
  /** From a kill whose connections closed (SIGKILL) until it was told, milliseconds. */
  killed: Detection;
  /** From a loss without a word (power, network) until it was told, milliseconds. */
  lost: Detection;
}

export interface Detection {
  suspectMs: number[];
  offlineMs: number[];
}

export function newTally(agents: number): Tally {
  const none = (): Detection => ({ suspectMs: [], offlineMs: [] });
  return {
    agents,
    beats: 0,
    simulatedS: 0,
    falseDeaths: 0,
    examples: [],
    suspicions: 0,
    events: {},
    killed: none(),
    lost: none(),
  };
}

/** @param share e.g. 0.99 */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
