import { quantile } from './tally.ts';
import { World } from './world.ts';

/** The short form of `npm run test:sim:presence`. */
test('under bad weather nobody who lives is told OFFLINE, and who is killed is seen within 3 s', () => {
  const terms = { beatEveryMs: 2_000, leaseBeats: 3 };
  const { falseDeaths, examples, killed } = new World({ agents: 500, beats: 120_000, seed: 3, terms }).run();
  expect({ falseDeaths, examples }).toEqual({ falseDeaths: 0, examples: [] });
  expect(killed.offlineMs.length).toBeGreaterThan(3);
  expect(quantile(killed.suspectMs, 0.5)).toBeLessThanOrEqual(100);
  expect(quantile(killed.offlineMs, 0.5)).toBeLessThanOrEqual(3_000);
});

test('the weather is bad: a lease that is too short would have told the living OFFLINE', () => {
  const terms = { beatEveryMs: 2_000, leaseBeats: 1.2 };
  expect(new World({ agents: 500, beats: 30_000, seed: 3, terms }).run().falseDeaths).toBeGreaterThan(0);
});
