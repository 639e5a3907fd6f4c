import type { Call } from '../../lib/call/signing.ts';
import type { Standing } from './standing.ts';

/** Under a symbol it stays in this process: calls to subgraphs are signed as JSON. */
const CHARGE = Symbol('charge');

type ChargedCall = Call & { [CHARGE]?: Standing };

/** Notes on a call what its operation was charged; copies of the call have it too. */
export function noteCharge(call: Call, standing: Standing): void {
  (call as ChargedCall)[CHARGE] = standing;
}

/** What the operation of a call was charged, and where its client stands since. */
export function chargeOf(call: Call): Standing | undefined {
  return (call as ChargedCall)[CHARGE];
}
