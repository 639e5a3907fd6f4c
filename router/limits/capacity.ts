import type { LoopSample } from '../metrics/loop-delay.ts';

/** How few and how many operations may run at the same time. */
export interface CapacityRange {
  readonly least: number;
  readonly most: number;
}

/** A loop that works so long in one turn is felt by whoever only asks for little, milliseconds. */
const TURN_MS = 45;
const LOWERED = 0.8;
const RAISED = 1.1;

/**
 * Learns from the event loop how many operations to run at the same time. A loop that is never idle does no more when it is
 * given more: each only holds memory, comes later, and is copied by the garbage collector meanwhile. So it is given fewer
 * while its turns are long, four fifths of those that run, and a tenth more with each look while they are not. Only its own
 * work counts: a loop that comes late because others have the processor would be no sooner with less to do (measured: as
 * many as wait for subgraphs are then held back, a fifth of the throughput).
 * @param before how many it was
 * @param running how many run now
 */
export function nextCapacity(
  before: number,
  running: number,
  sample: LoopSample,
  { least, most }: CapacityRange,
): number {
  if (sample.workMs <= TURN_MS) return Math.min(most, Math.ceil(before * RAISED));
  return Math.min(before, Math.max(least, Math.floor(Math.min(before, running) * LOWERED)));
}
