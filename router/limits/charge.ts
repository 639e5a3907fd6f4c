import type { Call } from '../../lib/call/signing.ts';
import type { AnyAnswer } from '../engine.ts';
import { readOut } from '../execute/written.ts';
import { dryAnswer } from './dry-run.ts';
import { costExtension, type Standing } from './standing.ts';

/** What the operation of a call was charged. */
export interface Charge {
  /** Where the client stands since. */
  standing: Standing;
  /** Whether the answer tells it in `extensions.cost`. */
  isTold: boolean;
  /** Response keys of an operation of which only `rateLimit` was run. */
  dryKeys?: readonly string[];
}

/** Under a symbol it stays in this process: calls to subgraphs are signed as JSON. */
const CHARGE = Symbol('charge');

type ChargedCall = Call & { [CHARGE]?: Charge };

/** Notes a charge on its call; copies of the call have it too. */
export function noteCharge(call: Call, charge: Charge): void {
  (call as ChargedCall)[CHARGE] = charge;
}

export function chargeOf(call: Call): Charge | undefined {
  return (call as ChargedCall)[CHARGE];
}

/** The answer with what its client is to be told of its cost. */
export function withReceipt(answer: AnyAnswer, call: Call): AnyAnswer {
  const charge = chargeOf(call);
  if (!charge || (!charge.isTold && !charge.dryKeys)) return answer;
  const { standing, isTold, dryKeys } = charge;
  const told = isTold ? { ...answer, extensions: { ...answer.extensions, cost: costExtension(standing) } } : answer;
  if (!dryKeys) return told;
  const read = readOut(told);
  return read.data ? { ...read, data: dryAnswer(dryKeys, read.data) } : read;
}
