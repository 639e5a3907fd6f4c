import fc from 'fast-check';
import { BREAKER_POLICY, type BreakerEvent, closedBreaker, stepBreaker } from '../../../router/guard/breaker.ts';

const POLICY = BREAKER_POLICY;
const reason = 'x';
const happening = fc.record({
  passedMs: fc.integer({ min: 0, max: 1_500 }),
  what: fc.constantFrom('ask', 'ask', 'ask', 'succeed', 'fail', 'fail', 'leave', 'open', 'close', 'auto', 'told'),
});

/** A run of happenings at one breaker: calls that were admitted end in some order, or never. */
class World {
  nowMs = 0;
  state = closedBreaker(0);
  /** Admitted calls under way: whether each is a probe. */
  readonly underWay: boolean[] = [];

  send(event: BreakerEvent) {
    const before = this.state;
    const [state, effects] = stepBreaker(before, event, this.nowMs, POLICY);
    this.state = state;
    return { before, effects };
  }

  /** Whoever holds the passes takes probes from before somebody decided for mere calls (pass.ts). */
  #forgetProbes() {
    this.underWay.fill(false);
  }

  happen(what: string) {
    const forced = (override: 'OPEN' | 'CLOSED' | 'AUTO') => ({ kind: 'forced' as const, override, reason });
    if (what === 'ask') return this.#ask();
    if (what === 'told') {
      this.#forgetProbes();
      return void this.send({ kind: 'told', phase: 'OPEN', reason });
    }
    if (what === 'open' || what === 'close' || what === 'auto') {
      this.#forgetProbes();
      return void this.send(forced(what === 'open' ? 'OPEN' : what === 'close' ? 'CLOSED' : 'AUTO'));
    }
    const probe = this.underWay.shift();
    if (probe === undefined) return undefined;
    if (what === 'succeed') this.send({ kind: 'succeeded', probe });
    else if (what === 'fail') this.send({ kind: 'failed', probe, reason });
    else this.send({ kind: 'abandoned', probe });
  }

  #ask() {
    const { before, effects } = this.send({ kind: 'asked' });
    const answer = effects.at(-1);
    const rests = before.phase === 'OPEN' && this.nowMs < (before.nextProbeAtMs ?? 0);
    if (answer?.kind === 'admitted') {
      expect(rests || before.override === 'OPEN').toBe(false);
      this.underWay.push(answer.probe);
    } else {
      expect(answer).toMatchObject({ kind: 'refused' });
      expect((answer as { retryAfterMs: number }).retryAfterMs).toBeGreaterThan(0);
      expect(before.phase).not.toBe('CLOSED');
    }
  }
}

test('whatever happens: nothing passes a resting breaker, one probe at most is under way, CLOSED admits all', () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 300 }), (happenings) => {
      const world = new World();
      for (const { passedMs, what } of happenings) {
        world.nowMs += passedMs;
        world.happen(what);
        const { state } = world;
        if (state.phase === 'HALF_OPEN') {
          expect(world.underWay.filter(Boolean).length).toBeLessThanOrEqual(1);
        }
        if (state.phase === 'OPEN' && state.override === 'AUTO') {
          expect((state.nextProbeAtMs ?? 0) - state.sinceMs).toBeLessThanOrEqual(POLICY.maxRestMs);
        }
        expect(state.window.length).toBeLessThanOrEqual(11);
      }
    }),
    { numRuns: 300 },
  );
});

test('left alone and asked again and again, a breaker whose subgraph is well closes within its longest rest', () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 100 }), (happenings) => {
      const world = new World();
      for (const { passedMs, what } of happenings) {
        world.nowMs += passedMs;
        world.happen(what);
      }
      world.happen('auto');
      while (world.underWay.length > 0) world.happen('leave');
      world.nowMs += POLICY.maxRestMs;
      world.happen('ask');
      world.happen('succeed');
      expect(world.state.phase).toBe('CLOSED');
    }),
  );
});
