import fc from 'fast-check';
import { loadOf, observed, unknownLatency } from '../../../router/balance/peak-ewma.ts';
import { lessLoadedOfTwo } from '../../../router/balance/two-choices.ts';

/** Numbers that look random and are the same each time. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

test('only what may be chosen is chosen, and something is whenever anything may', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 12 }), fc.integer(), (open, seed) => {
      const places = open.map((_, place) => place);
      const mayBe = (place: number) => open[place] === true;
      const chosen = lessLoadedOfTwo(places, mayBe, (place) => place, seeded(seed));
      expect(chosen === undefined).toBe(!open.includes(true));
      if (chosen !== undefined) expect(open[chosen]).toBe(true);
    }),
  );
});

test('of two the less loaded is chosen, and every one is chosen now and then but the worst', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 9 }), fc.integer(), (count, seed) => {
      const places = Array.from({ length: count }, (_, place) => place);
      const random = seeded(seed);
      const chosen = new Set<number | undefined>();
      for (let time = 0; time < 2_000; time++) {
        chosen.add(
          lessLoadedOfTwo(
            places,
            () => true,
            (place) => place,
            random,
          ),
        );
      }
      expect([...chosen].sort()).toEqual(places.slice(0, -1));
    }),
    { numRuns: 20 },
  );
});

test('a peak counts at once, and is believed to be over only with time', () => {
  let latency = observed(unknownLatency(0), 10, 0);
  latency = observed(latency, 500, 100);
  expect(latency.costMs).toBe(500);
  expect(observed(latency, 10, 200).costMs).toBeGreaterThan(450);
  expect(observed(latency, 10, 60_000).costMs).toBeLessThan(20);
});

test('an estimate stays between the least and the most that was seen', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ tookMs: fc.integer({ min: 1, max: 5_000 }), passedMs: fc.nat(20_000) }), { minLength: 1 }),
      (samples) => {
        let nowMs = 0;
        let latency = unknownLatency(nowMs);
        for (const { tookMs, passedMs } of samples) {
          nowMs += passedMs;
          latency = observed(latency, tookMs, nowMs);
        }
        const seen = samples.map(({ tookMs }) => tookMs);
        expect(latency.costMs).toBeLessThanOrEqual(Math.max(...seen));
        expect(latency.costMs).toBeGreaterThan(0);
        expect(loadOf(latency, 1, nowMs)).toBeGreaterThan(loadOf(latency, 0, nowMs));
      },
    ),
  );
});

test('a replica nobody knows is tried once, and no more until it has answered', () => {
  const known = observed(unknownLatency(0), 20, 0);
  expect(loadOf(unknownLatency(0), 0, 0)).toBeLessThan(loadOf(known, 0, 0));
  expect(loadOf(unknownLatency(0), 1, 0)).toBeGreaterThan(loadOf(known, 5, 0));
});

/** Calls that arrive one each millisecond at replicas with these latencies: how many each gets. */
function shares(latenciesMs: readonly number[], seed: number): number[] {
  const random = seeded(seed);
  const replicas = latenciesMs.map((tookMs) => ({
    tookMs,
    latency: unknownLatency(0),
    ends: [] as number[],
    calls: 0,
  }));
  for (let nowMs = 0; nowMs < 5_000; nowMs++) {
    for (const replica of replicas) {
      const done = replica.ends.filter((endMs) => endMs <= nowMs);
      for (const _ of done) replica.latency = observed(replica.latency, replica.tookMs, nowMs);
      replica.ends = replica.ends.filter((endMs) => endMs > nowMs);
    }
    const chosen = lessLoadedOfTwo(
      replicas,
      () => true,
      ({ latency, ends }) => loadOf(latency, ends.length, nowMs),
      random,
    );
    if (!chosen) continue;
    chosen.calls += 1;
    chosen.ends.push(nowMs + chosen.tookMs);
  }
  return replicas.map(({ calls }) => calls);
}

test.each([1, 2, 3, 4, 5])('a slow replica gets little, equal ones about the same (seed %i)', (seed) => {
  const [fast = 0, slow = 0] = shares([5, 200], seed);
  expect(slow).toBeLessThan(fast / 10);
  const even = shares([10, 10, 10], seed);
  expect(Math.max(...even)).toBeLessThan(1.3 * Math.min(...even));
});
