import {
  BREAKER_POLICY,
  type BreakerEffect,
  type BreakerEvent,
  type BreakerState,
  closedBreaker,
  failureRatio,
  stepBreaker,
} from '../../../router/guard/breaker.ts';
import { LastMinute } from '../../../router/guard/last-minute.ts';
import { TokenBucket } from '../../../router/guard/token-bucket.ts';

/** A breaker with its own time. */
class Trial {
  nowMs = 1_000_000;
  state: BreakerState = closedBreaker(this.nowMs);

  do(event: BreakerEvent): readonly BreakerEffect[] {
    const [state, effects] = stepBreaker(this.state, event, this.nowMs, BREAKER_POLICY);
    this.state = state;
    return effects;
  }

  fail(times: number, probe = false): void {
    for (let time = 0; time < times; time++) this.do({ kind: 'failed', probe, reason: 'time-out' });
  }

  ask(): BreakerEffect {
    return this.do({ kind: 'asked' }).at(-1) as BreakerEffect;
  }
}

test('it opens when enough calls failed, and not before', () => {
  const trial = new Trial();
  trial.fail(BREAKER_POLICY.minimumCalls - 1);
  expect(trial.state.phase).toBe('CLOSED');
  trial.fail(1);
  expect(trial.state).toMatchObject({ phase: 'OPEN', reason: 'time-out', sinceMs: trial.nowMs });
  expect(trial.ask()).toEqual({ kind: 'refused', retryAfterMs: BREAKER_POLICY.restMs });
});

test('a call that many waited for weighs as much as it meant to them', () => {
  const trial = new Trial();
  trial.do({ kind: 'succeeded', probe: false, callers: 10 });
  trial.do({ kind: 'failed', probe: false, reason: 'time-out', callers: 9 });
  expect(trial.state.phase).toBe('CLOSED');
  trial.do({ kind: 'failed', probe: false, reason: 'time-out', callers: 60 });
  expect(trial.state.phase).toBe('OPEN');
});

test('few failures among many answers do not open it', () => {
  const trial = new Trial();
  for (let time = 0; time < 100; time++) {
    trial.do({ kind: 'succeeded', probe: false });
    if (time % 3 === 0) trial.fail(1);
  }
  expect(trial.state.phase).toBe('CLOSED');
  expect(failureRatio(trial.state, trial.nowMs, BREAKER_POLICY)).toBeCloseTo(34 / 134);
});

test('ten failures in a row open it, however well it did before; a success between them begins anew', () => {
  const trial = new Trial();
  for (let time = 0; time < 1_000; time++) trial.do({ kind: 'succeeded', probe: false });
  trial.fail(9);
  trial.do({ kind: 'succeeded', probe: false });
  trial.fail(9);
  expect(trial.state.phase).toBe('CLOSED');
  trial.fail(1);
  expect(trial.state).toMatchObject({ phase: 'OPEN', reason: 'time-out' });
});

test('failures are forgotten with the window', () => {
  const trial = new Trial();
  trial.fail(4);
  trial.nowMs += BREAKER_POLICY.windowMs;
  trial.fail(1);
  expect(trial.state.phase).toBe('CLOSED');
  expect(failureRatio(closedBreaker(0), 0, BREAKER_POLICY)).toBe(0);
});

test('after its rest exactly one of a thousand callers is let through', () => {
  const trial = new Trial();
  trial.fail(5);
  trial.nowMs += BREAKER_POLICY.restMs;
  const answers = Array.from({ length: 1_000 }, () => trial.ask());
  expect(answers.filter(({ kind }) => kind === 'admitted')).toEqual([{ kind: 'admitted', probe: true }]);
  expect(trial.state.phase).toBe('HALF_OPEN');
});

test('a probe that is answered closes it with an empty window', () => {
  const trial = new Trial();
  trial.fail(5);
  trial.nowMs += BREAKER_POLICY.restMs;
  trial.ask();
  expect(trial.do({ kind: 'succeeded', probe: true })).toEqual([
    { kind: 'moved', from: 'HALF_OPEN', to: 'CLOSED', reason: 'the probe was answered' },
  ]);
  trial.fail(4);
  expect(trial.state.phase).toBe('CLOSED');
});

test('each probe that fails doubles the rest, up to the longest: one second', () => {
  const trial = new Trial();
  trial.fail(5);
  const rests: number[] = [];
  for (let probe = 0; probe < 6; probe++) {
    rests.push((trial.state.nextProbeAtMs as number) - trial.nowMs);
    trial.nowMs = trial.state.nextProbeAtMs as number;
    trial.ask();
    trial.fail(1, true);
  }
  expect(rests).toEqual([500, 1_000, 1_000, 1_000, 1_000, 1_000]);
});

test('a probe whose caller left makes room for another', () => {
  const trial = new Trial();
  trial.fail(5);
  trial.nowMs += BREAKER_POLICY.restMs;
  trial.ask();
  trial.do({ kind: 'abandoned', probe: true });
  expect(trial.ask()).toEqual({ kind: 'admitted', probe: true });
  trial.do({ kind: 'abandoned', probe: false });
  expect(trial.ask()).toMatchObject({ kind: 'refused' });
});

test('late outcomes of calls from before it opened change nothing', () => {
  const trial = new Trial();
  trial.fail(5);
  const before = trial.state;
  trial.do({ kind: 'succeeded', probe: false });
  trial.fail(3);
  expect(trial.state).toBe(before);
});

test('held open it refuses without a probe, until its time is over', () => {
  const trial = new Trial();
  trial.do({ kind: 'forced', override: 'OPEN', reason: 'maintenance', untilMs: trial.nowMs + 60_000 });
  trial.nowMs += 50_000;
  expect(trial.ask()).toEqual({ kind: 'refused', retryAfterMs: 10_000 });
  trial.nowMs += 10_000;
  expect(trial.ask()).toEqual({ kind: 'admitted', probe: false });
  expect(trial.state).toMatchObject({ phase: 'CLOSED', override: 'AUTO' });
  trial.do({ kind: 'forced', override: 'OPEN', reason: 'maintenance' });
  expect(trial.ask()).toEqual({ kind: 'refused', retryAfterMs: 1_000 });
});

test('held closed it lets everything through, whatever fails', () => {
  const trial = new Trial();
  trial.do({ kind: 'forced', override: 'CLOSED', reason: 'we know' });
  trial.fail(100);
  expect(trial.ask()).toEqual({ kind: 'admitted', probe: false });
});

test('set to judge for itself it closes at once and forgets', () => {
  const trial = new Trial();
  trial.fail(5);
  expect(trial.do({ kind: 'forced', override: 'AUTO', reason: 'mended' })).toEqual([
    { kind: 'moved', from: 'OPEN', to: 'CLOSED', reason: 'mended' },
  ]);
  trial.fail(4);
  expect(trial.state).toMatchObject({ phase: 'CLOSED', override: 'AUTO' });
});

test('a bucket gives its rate, saves one second of it, and tells how long until the next', () => {
  const bucket = new TokenBucket(2, 0);
  expect([bucket.take(0), bucket.take(0), bucket.take(0)]).toEqual([0, 0, 500]);
  expect(bucket.take(500)).toBe(0);
  bucket.setRate(10, 1_000);
  expect(bucket.ratePerSecond).toBe(10);
  expect([bucket.take(1_000), bucket.take(1_000)]).toEqual([0, 100]);
  const slow = new TokenBucket(0.5, 0);
  expect([slow.take(0), slow.take(0)]).toEqual([0, 2_000]);
  expect(new TokenBucket(Number.POSITIVE_INFINITY, 0).take(0)).toBe(0);
});

test('a minute of calls is summed, an older one forgotten', () => {
  const minute = new LastMinute();
  expect(minute.figures(0)).toEqual({ requestsPerSecond: 0, errorRatio: 0, p50Ms: 0, p99Ms: 0 });
  for (let call = 0; call < 60; call++) minute.record(call * 1_000, call < 54 ? 10 : 1_000, call >= 54);
  const figures = minute.figures(59_999);
  expect(figures).toMatchObject({ requestsPerSecond: 1, errorRatio: 0.1 });
  expect(figures.p50Ms).toBeGreaterThanOrEqual(10);
  expect(figures.p50Ms).toBeLessThan(12.1);
  expect(figures.p99Ms).toBeGreaterThanOrEqual(1_000);
  expect(minute.figures(500_000).requestsPerSecond).toBe(0);
  minute.record(500_000, 0, false);
  minute.record(500_000, 1e9, false);
  expect(minute.figures(500_000).p50Ms).toBe(0.5);
});
