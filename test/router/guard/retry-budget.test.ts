import fc from 'fast-check';
import { earned, RETRY_POLICY, retryPause, spent } from '../../../router/guard/retry-budget.ts';

test('however calls and failures mix, attempts stay within 1.1 times the calls', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 2_000 }), (failures) => {
      let credit = 0;
      let attempts = 0;
      failures.forEach((fails, call) => {
        credit = earned(credit, RETRY_POLICY);
        attempts += 1;
        const left = fails ? spent(credit) : undefined;
        if (left !== undefined) {
          credit = left;
          attempts += 1;
        }
        expect(attempts).toBeLessThanOrEqual(1.1 * (call + 1));
        expect(credit).toBeLessThanOrEqual(RETRY_POLICY.burst * 100);
      });
    }),
    { numRuns: 50 },
  );
});

test('a pause is jittered, waits as long as was asked unless there is another, and ends before the deadline', () => {
  const pause = (askedMs: number, hasOther: boolean, leftMs: number, random: number) =>
    retryPause({ askedMs, hasOther }, leftMs, random, RETRY_POLICY);
  expect([pause(0, false, 1_000, 0), pause(0, false, 1_000, 0.5)]).toEqual([0, 25]);
  expect([pause(2_000, false, 5_000, 0), pause(2_000, true, 5_000, 0)]).toEqual([2_000, 0]);
  expect([pause(2_000, false, 2_000, 0), pause(0, true, 0, 0)]).toEqual([undefined, undefined]);
});
