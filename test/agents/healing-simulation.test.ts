import { injectCascades } from './healing-simulation/cascades.ts';
import { detect } from './healing-simulation/detection.ts';
import { FAULTS } from './healing-simulation/faults.ts';
import { areaUnderCurve, quantile } from './healing-simulation/figures.ts';
import { heal } from './healing-simulation/healing.ts';

/** The short form of `npm run test:sim:healing`: virtual time, one seed, few faults. */
const SEED = 7;

test('scores of fifteen kinds of fault are below those of agents without one', async () => {
  const { area, byKind } = await detect(SEED, 1);
  expect(Object.keys(byKind)).toEqual([...FAULTS]);
  expect(area).toBeGreaterThanOrEqual(0.95);
});

test('the root of a cascade is named first', () => {
  const { named, cascades, strangers, strangersMisnamed } = injectCascades(SEED, 300);
  expect(named / cascades).toBeGreaterThanOrEqual(0.9);
  expect(strangersMisnamed / strangers).toBeLessThan(0.1);
});

test('transient faults are healed without a person, and nobody else is touched', async () => {
  const { episodes, falseSteps, radiusPassed } = await heal(SEED, 42);
  const healed = episodes.filter(({ healedMs }) => healedMs !== undefined);
  expect(healed.length / episodes.length).toBeGreaterThanOrEqual(0.95);
  expect({ falseSteps, radiusPassed }).toEqual({ falseSteps: [], radiusPassed: 0 });
  const took = healed.flatMap(({ healedMs, steppedMs }) =>
    steppedMs === undefined ? [] : [(healedMs as number) - steppedMs],
  );
  expect(quantile(took, 0.5)).toBeLessThanOrEqual(5_000);
});

test('the same seed is the same run', async () => {
  const said = async () =>
    (await heal(3, 6)).episodes.map(({ kind, healedMs, program }) => [kind, healedMs, program.live.name]);
  expect(await said()).toEqual(await said());
});

test('figures are what they say', () => {
  expect(areaUnderCurve([10, 20], [30, 100])).toBe(1);
  expect(areaUnderCurve([100], [100])).toBe(0.5);
  expect(areaUnderCurve([90, 100], [80])).toBe(0);
  expect([quantile([3, 1, 2], 0.5), quantile([], 0.5)]).toEqual([2, Number.NaN]);
});
