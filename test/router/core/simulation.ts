import { comparePairs, type Difference, newTally } from './random-pairs.ts';

/**
 * `npm run test:sim -- --seeds 500 [--first 1] [--operations 40] [--minutes 15]`: many random graphs and operations, on both
 * planners, until all seeds are done or the time is over.
 * Prints each difference with the seeds that make it again: `npm run test:sim -- --world 17 --operation 4`.
 */
const given = (name: string, byDefault: number) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? byDefault : Number(process.argv[at + 1]);
};

function show(difference: Difference): void {
  const { planner, world, operation, query, variables, router, oneSchema, faults } = difference;
  process.stdout.write(
    [
      `\n${planner}: npm run test:sim -- --world ${world} --operation ${operation}`,
      query,
      JSON.stringify(variables),
      `subgraphs  ${JSON.stringify(faults)}`,
      `router     ${JSON.stringify(router)}`,
      `one schema ${JSON.stringify(oneSchema)}\n`,
    ].join('\n'),
  );
}

export async function simulateRouter(): Promise<void> {
  const tally = newTally();
  const [first, only] = [given('first', 1), given('world', 0)];
  const worlds = only > 0 ? [only] : Array.from({ length: given('seeds', 100) }, (_, at) => first + at);
  const one = given('operation', 0);
  const operations = one > 0 ? [one] : Array.from({ length: given('operations', 40) }, (_, at) => at + 1);
  const untilMs = performance.now() + given('minutes', Number.POSITIVE_INFINITY) * 60_000;
  let shown = 0;
  for (const world of worlds) {
    if (performance.now() > untilMs) break;
    await comparePairs(world, operations, tally);
    for (; shown < tally.differences.length; shown++) show(tally.differences[shown] as Difference);
  }
  const { differences, notComposed, reasons, ...counts } = tally;
  for (const [reason, count] of reasons) process.stdout.write(`${count} × ${reason}\n`);
  for (const problem of notComposed.slice(0, 10)) process.stdout.write(`${problem}\n`);
  process.stdout.write(
    `${JSON.stringify({ ...counts, notComposed: notComposed.length, differences: differences.length })}\n`,
  );
  if (differences.length > 0) process.exitCode = 1;
}
