import { explore } from './explorer.ts';

/** What may happen in the long form: enough that there are more worlds than anybody has time for. */
const BUDGET = { asks: 3, sends: 2, crashes: 2, starts: 2, losses: 2, silences: 1, failures: 1 };

/**
 * `npm run test:sim -- --states 1000000`: visits so many distinct worlds of one agent, its processes and the platform, by the
 * production rules; prints what led to the first that is wrong.
 */
export function simulateLives(states: number): boolean {
  const startedMs = performance.now();
  const { violation, ...found } = explore({ states, budget: BUDGET, restEvery: 20 });
  const seconds = Math.round((performance.now() - startedMs) / 1_000);
  process.stdout.write(`agents: ${JSON.stringify({ ...found, violations: violation ? 1 : 0, seconds })}\n`);
  if (violation) process.stdout.write(`${violation.fault}\n${violation.trace.map((what) => `  ${what}`).join('\n')}\n`);
  return !violation;
}
