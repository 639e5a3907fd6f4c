import { audit } from './audit.ts';
import { breaker } from './breaker.ts';
import { commands } from './commands.ts';
import { create } from './create.ts';
import { dev } from './dev.ts';
import { errors } from './errors.ts';
import { idempotency } from './idempotency.ts';
import { input } from './input.ts';
import { kill } from './kill.ts';
import { rollouts } from './rollouts.ts';
import { streams } from './streams.ts';
import { swaps } from './swaps.ts';
import type { Scenario } from './verdict.ts';

const SCENARIOS: Scenario[] = [
  ...[kill, breaker, input, idempotency, errors, audit, streams, swaps, commands],
  ...[rollouts, dev, create],
];

/** Runs the scenarios named, or all; prints each figure; ends with `N passed, N failed`. */
async function main(args: readonly string[]): Promise<void> {
  const [short, long] = ['--short', '--long'].map((form) => args.includes(form)) as [boolean, boolean];
  const names = args.filter((arg) => !arg.startsWith('--'));
  let passed = 0;
  let failed = 0;
  for (const scenario of SCENARIOS.filter(({ name }) => !names.length || names.includes(name))) {
    console.log(`${scenario.name}${short ? ' (short)' : long ? ' (long)' : ''}`);
    try {
      for (const verdict of await scenario.run(short, long)) {
        console.log(`  ${verdict.passed ? '✓' : '✗'} ${verdict.what}: ${verdict.figure}`);
        if (verdict.passed) passed += 1;
        else failed += 1;
      }
    } catch (error) {
      failed += 1;
      console.log(`  ✗ ${(error as Error).stack}`);
    }
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed ? 1 : 0);
}

void main(process.argv.slice(2));
