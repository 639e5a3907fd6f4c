import { simulateLives } from './agents/model/simulation.ts';
import { simulateRouter } from './router/core/simulation.ts';

/**
 * `npm run test:sim`: with `--states 1000000` the lives of agents (test/agents/model), with any other word the router's random
 * graphs (test/router/core/simulation.ts), with none both.
 */
async function main(args: readonly string[]): Promise<void> {
  const at = args.indexOf('--states');
  const others = args.filter((_, each) => at < 0 || (each !== at && each !== at + 1));
  if (at >= 0 || !args.length) process.exitCode = simulateLives(at < 0 ? 1_000_000 : Number(args[at + 1])) ? 0 : 1;
  if (others.length || !args.length) await simulateRouter();
}

void main(process.argv.slice(2));
