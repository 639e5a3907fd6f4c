import { comparePairs, newTally } from './random-pairs.ts';

/** Of so many graphs, so many operations each; `npm run test:sim` goes on from there. */
const WORLDS = 56;
const OPERATIONS = Array.from({ length: 40 }, (_, at) => at + 1);

test('random graphs answer random operations as one schema would, with both planners', async () => {
  const tally = newTally();
  for (let world = 1; world <= WORLDS; world++) await comparePairs(world, OPERATIONS, tally);
  const { differences, notComposed, pairs, unplanned, lostMore, faulty } = tally;
  expect(differences).toEqual([]);
  expect(notComposed).toEqual([]);
  for (const planner of ['native', 'apollo'] as const) {
    expect(pairs[planner]).toBeGreaterThan(2_000);
    // Without a plan an operation is refused; that is not to happen often.
    expect(unplanned[planner] / pairs[planner]).toBeLessThan(planner === 'native' ? 0.005 : 0.02);
    expect(lostMore[planner] / pairs[planner]).toBeLessThan(0.001);
  }
  // Faults are among what was compared.
  expect(faulty).toBeGreaterThan(100);
}, 240_000);
