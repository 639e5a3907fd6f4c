import { backoffMs, MAX_ATTEMPTS, verdictOf } from '../../subgraphs/alerts/service/backoff.ts';
import { advanceCourse, beginCourse, type Course, type Plan } from '../../subgraphs/alerts/service/escalation.ts';

const PLAN: Plan = {
  steps: [
    { afterMs: 0, contactPoints: ['chat'] },
    { afterMs: 300_000, contactPoints: ['first', 'second'] },
  ],
  repeat: 1,
};

/** What is told at each time, from one alert that fired at 0. */
function tell(plan: Plan, ...timesMs: number[]): string[][] {
  let course: Course = beginCourse(plan, 0);
  return timesMs.map((nowMs) => {
    const [next, due] = advanceCourse(plan, course, false, nowMs);
    course = next;
    return due.map(({ round, step, contactPoints }) => `${round}/${step} ${contactPoints.join(',')}`);
  });
}

test('steps follow each other by their pauses, and rounds by the longest pause', () => {
  expect(tell(PLAN, 0, 299_999, 300_000, 599_999, 600_000, 900_000, 9_000_000)).toEqual([
    ['0/0 chat'],
    [],
    ['0/1 first,second'],
    [],
    ['1/0 chat'],
    ['1/1 first,second'],
    [],
  ]);
});

test('after a pause of the platform each step that was missed is taken once, in order', () => {
  expect(tell(PLAN, 700_000, 700_001)).toEqual([['0/0 chat', '0/1 first,second', '1/0 chat'], []]);
});

test('an acknowledged alert takes no step and keeps its place', () => {
  const course = beginCourse(PLAN, 0);
  expect(advanceCourse(PLAN, course, true, 1_000_000)).toEqual([course, []]);
});

test('a policy without steps has nothing to take, one that got shorter ends', () => {
  expect(beginCourse({ steps: [], repeat: 3 }, 5)).toEqual({ step: 0, round: 0, nextAtMs: null });
  const shorter: Plan = { steps: PLAN.steps.slice(0, 1), repeat: 0 };
  expect(advanceCourse(shorter, { step: 1, round: 0, nextAtMs: 10 }, false, 20)).toEqual([
    { step: 1, round: 0, nextAtMs: null },
    [],
  ]);
});

test('a policy of steps without pauses repeats each minute, not at once', () => {
  expect(
    tell({ steps: [{ afterMs: 0, contactPoints: ['a'] }], repeat: 2 }, 0, 59_999, 60_000, 120_000, 500_000),
  ).toEqual([['0/0 a'], [], ['1/0 a'], ['2/0 a'], []]);
});

test('pauses between attempts grow to five minutes, each with full jitter', () => {
  expect([1, 2, 3, 9, 12].map((attempts) => backoffMs(attempts, 0.5))).toEqual([1_500, 2_500, 4_500, 150_500, 150_500]);
  expect(backoffMs(5, 0)).toBe(500);
});

test('only what can never succeed is given up before all attempts are used', () => {
  expect([200, 204, 302, 400, 404, 410, 429, 500].map((status) => verdictOf(status, 1))).toEqual([
    'SENT',
    'SENT',
    'FAILED',
    'RETRY',
    'RETRY',
    'FAILED',
    'RETRY',
    'RETRY',
  ]);
  expect(verdictOf(500, MAX_ATTEMPTS)).toBe('FAILED');
});
