import { agentsBench } from './agents/main.ts';
import { agreementBench } from './agreement.ts';
import { auditBench } from './audit/main.ts';
import type { Bench } from './figure.ts';
import { guardBench } from './guard.ts';
import { hostileBench } from './hostile/main.ts';
import { limitsBench } from './limits.ts';
import { logSearchBench } from './log-search/main.ts';
import { logsBench } from './logs.ts';
import { outageBench } from './outage/main.ts';
import { overloadBench } from './overload/main.ts';
import { routerBench } from './router/main.ts';
import { startBench } from './start.ts';
import { streamsBench } from './streams/main.ts';
import { tracingBench } from './tracing.ts';

const BENCHES: Bench[] = [
  startBench,
  guardBench,
  agreementBench,
  logsBench,
  logSearchBench,
  limitsBench,
  outageBench,
  overloadBench,
  routerBench,
  tracingBench,
  hostileBench,
  streamsBench,
  auditBench,
  agentsBench,
];

/** Runs the benches named, or all, and prints each promise's figure beside what it is measured against. */
async function main(names: readonly string[]): Promise<void> {
  for (const bench of BENCHES.filter(({ name }) => !names.length || names.includes(name))) {
    for (const { promise, measured, against, ratio } of await bench.run()) {
      console.log(`${promise.padEnd(44)} ${measured.padStart(12)}   ${against.padEnd(20)} ${ratio}`);
    }
  }
}

void main(process.argv.slice(2)).then(() => process.exit(0));
