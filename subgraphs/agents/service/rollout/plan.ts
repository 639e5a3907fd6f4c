import { FleetError } from '../../../../lib/errors.ts';

/** How a rollout goes: all times in milliseconds. */
export interface Plan {
  /** How many agents have the new version at the end of each stage; the first is the canary, the last is all of them. */
  sizes: number[];
  /** Agents that may be between two versions at once. */
  maxUnavailable: number;
  startAtMs: number;
  /** How long everybody is watched before anything is changed. */
  baselineMs: number;
  /** How long a stage is watched at least, once all of it is up. */
  bakeMs: number;
  /** How long an agent may take to come up on the other version. */
  readyMs: number;
  /** A stage that is undecided by then is paused. */
  deadlineMs: number;
  warmUpMs: number;
  sensitivity: number;
}

/** How a caller wishes it. */
export interface Wish {
  /** Share of the agents, percent. */
  canaryPercent: number;
  /** Shares after each wave, percent, rising. */
  waves: readonly number[];
  maxUnavailablePercent: number;
}

export const MAX_CANARY_PERCENT = 5;
const MAX_WAVES = 10;

/**
 * How many agents each stage has.
 * @throws BAD_INPUT with the field that is wrong
 */
export function sizesOf(agents: number, { canaryPercent, waves }: Wish): number[] {
  const refuse = (sentence: string, field: string) => {
    throw new FleetError('BAD_INPUT', sentence, { field: [field] });
  };
  if (!(canaryPercent > 0 && canaryPercent <= MAX_CANARY_PERCENT)) {
    refuse(`a canary is above 0 and at most ${MAX_CANARY_PERCENT} percent`, 'canaryPercent');
  }
  const all = waves.at(-1) === 100 ? waves : [...waves, 100];
  if (all.length > MAX_WAVES) refuse(`at most ${MAX_WAVES} waves`, 'waves');
  if (all.some((share, at) => !(share > (all[at - 1] ?? canaryPercent) && share <= 100))) {
    refuse('each wave is larger than the one before and than the canary, up to 100 percent', 'waves');
  }
  // At least one, and then as many as fit into the share: never more than was allowed.
  const canary = Math.max(1, Math.floor((agents * canaryPercent) / 100));
  const sizes = [canary, ...all.map((share) => Math.max(canary, Math.floor((agents * share) / 100)))];
  return sizes.filter((size, at) => size > (sizes[at - 1] ?? 0));
}

/** How many agents may be between two versions at once. @throws BAD_INPUT */
export function unavailableOf(agents: number, percent: number): number {
  if (!(percent > 0 && percent <= 100)) {
    throw new FleetError('BAD_INPUT', 'above 0 and at most 100 percent', { field: ['maxUnavailablePercent'] });
  }
  return Math.max(1, Math.floor((agents * percent) / 100));
}

/**
 * Who comes when: those in the best condition by chance, those that are not there last, so that the canary is a fair sample of
 * who works.
 * @param random in [0, 1), drawn once for each
 * @returns the stage of each agent, in the order given
 */
export function drawStages(
  agents: readonly { isFit: boolean }[],
  sizes: readonly number[],
  random: () => number,
): number[] {
  const order = agents
    .map(({ isFit }, at) => ({ at, rank: (isFit ? 0 : 1) + random() }))
    .sort((a, b) => a.rank - b.rank);
  const stages = new Array<number>(agents.length);
  order.forEach(({ at }, place) => {
    const stage = sizes.findIndex((size) => place < size);
    stages[at] = stage < 0 ? sizes.length - 1 : stage;
  });
  return stages;
}
