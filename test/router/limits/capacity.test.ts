import { systemClock } from '../../../lib/clock.ts';
import { nextCapacity } from '../../../router/limits/capacity.ts';
import { QUEUE_LIMITS, Throttle } from '../../../router/limits/throttle.ts';

const RANGE = { least: 8, most: 512 };
const long = { lateMs: 80, workMs: 100 };
const short = { lateMs: 0, workMs: 20 };
/** Late, but it was not its own work: others had the processor. */
const pushedAside = { lateMs: 80, workMs: 30 };

test('while the loop’s turns are long by its own work fewer run, from as many as do', () => {
  expect(nextCapacity(512, 100, long, RANGE)).toBe(80);
  expect(nextCapacity(80, 90, long, RANGE)).toBe(64);
  expect(nextCapacity(8, 8, long, RANGE)).toBe(8);
  expect(nextCapacity(512, 3, long, RANGE)).toBe(8);
  // Fewer than the least, because the limit is that low: it is not raised for being late.
  expect(nextCapacity(4, 4, long, { least: 4, most: 4 })).toBe(4);
});

test('otherwise more and more do, up to the limit; what others on the machine do changes nothing', () => {
  expect(nextCapacity(100, 100, short, RANGE)).toBe(111);
  expect(nextCapacity(8, 8, short, RANGE)).toBe(9);
  expect(nextCapacity(500, 20, short, RANGE)).toBe(512);
  expect(nextCapacity(100, 100, pushedAside, RANGE)).toBe(111);
  let capacity = RANGE.least;
  let looks = 0;
  for (; capacity < RANGE.most; looks += 1) capacity = nextCapacity(capacity, capacity, short, RANGE);
  // A second of looks, fifty of them.
  expect(looks).toBeLessThanOrEqual(50);
});

test('a throttle takes it to heart, unless nobody may wait', () => {
  const throttle = new Throttle(QUEUE_LIMITS, systemClock);
  throttle.noticed(long);
  expect(throttle.capacity).toBe(8);
  throttle.noticed(short);
  expect(throttle.capacity).toBe(9);
  throttle.relax();
  expect(throttle.capacity).toBe(QUEUE_LIMITS.inFlight);
  const strict = new Throttle({ ...QUEUE_LIMITS, waitMs: 0 }, systemClock);
  strict.noticed(long);
  expect(strict.capacity).toBe(QUEUE_LIMITS.inFlight);
});
