import { ReturnTimes } from '../../lib/telemetry-store/return-times.ts';

const times = (count: number, next: () => number) => Array.from({ length: count }, next);

test('each second is promised as much as may wait; whoever finds it promised is sent to the next', () => {
  const returns = new ReturnTimes(100);
  expect(times(6, () => returns.next(40, 10_500))).toEqual([1_000, 1_000, 2_000, 2_000, 3_000, 3_000]);
  // A small one fits where a larger one did not.
  expect(returns.next(20, 10_500)).toBe(1_000);
  // A second later the first of them is over, and the second is the first.
  expect(returns.next(40, 11_500)).toBe(3_000);
  expect(returns.next(20, 11_500)).toBe(1_000);
});

test('one that is larger than all that may wait has a second to itself', () => {
  const returns = new ReturnTimes(100);
  expect(times(3, () => returns.next(500, 10_000))).toEqual([1_000, 2_000, 3_000]);
});

test('nobody is sent away for so long that a stock SDK gives up', () => {
  const returns = new ReturnTimes(100);
  const found = times(50, () => returns.next(100, 10_000));
  expect(found.slice(0, 8)).toEqual([1_000, 2_000, 3_000, 4_000, 5_000, 6_000, 7_000, 8_000]);
  expect(Math.max(...found)).toBe(8_000);
});

test('a store that takes less in a second than may wait is promised less', () => {
  const returns = new ReturnTimes(1_000);
  returns.stored(100, 1_000);
  expect(times(3, () => returns.next(100, 10_000))).toEqual([1_000, 2_000, 3_000]);
  for (let time = 0; time < 50; time += 1) returns.stored(1_000_000, 100);
  expect(times(3, () => returns.next(500, 60_000))).toEqual([1_000, 1_000, 2_000]);
});
