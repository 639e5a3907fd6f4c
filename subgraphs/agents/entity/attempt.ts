import type { RecoveryAction } from './recovery.ts';

/** A step of a recovery that was taken for an agent. */
export interface Attempt {
  step: RecoveryAction;
  /** Epoch milliseconds. */
  atMs: number;
  /** Only told, not done. */
  observed?: boolean;
  /** Took it from work that it still did. */
  isDisruptive?: boolean;
}
