import { RolloutPhase, RolloutState } from '../../subgraphs/agents/entity/rollout-enums.ts';
import { addBeat, emptyReading, memoryLine } from '../../subgraphs/agents/service/rollout/evidence.ts';
import { allowance, judge } from '../../subgraphs/agents/service/rollout/gate.ts';
import type { Member, Sight } from '../../subgraphs/agents/service/rollout/members.ts';
import { drawStages, type Plan, sizesOf } from '../../subgraphs/agents/service/rollout/plan.ts';
import {
  lifeOf,
  type Rolling,
  type RolloutEvent,
  type Step,
  step,
} from '../../subgraphs/agents/service/rollout/rules.ts';
import {
  binomialTail,
  differenceOf,
  normalTail,
  spreadOf,
  studentBound,
  studentTail,
} from '../../subgraphs/agents/service/rollout/statistics.ts';
import { figures, series } from './rollouts/simulation.ts';

describe('statistics', () => {
  test.each([
    [0, 0.5],
    [1.959964, 0.025],
    [-1.959964, 0.975],
    [5, 2.8665e-7],
    [8, 6.221e-16],
  ])('the normal’s tail beyond %d', (z, tail) => {
    expect(normalTail(z) / tail).toBeCloseTo(1, 3);
  });

  test.each([
    [2.228139, 10, 0.025, 0.01],
    [4.1437, 10, 0.001, 0.02],
    [9.0, 4, 4.2e-4, 0.2],
    [1.984467, 99, 0.025, 0.001],
  ])('Student’s tail beyond %d with %d degrees, and its inverse', (t, freedom, tail, off) => {
    expect(Math.abs(studentTail(t, freedom) / tail - 1)).toBeLessThan(off);
    expect(normalTail(3.1) / studentTail(studentBound(3.1, freedom), freedom)).toBeCloseTo(1, 3);
  });

  test('the binomial’s tail is exact, far out too', () => {
    expect(binomialTail(0, 10, 0.5)).toBe(1);
    expect(binomialTail(6, 10, 0.5)).toBeCloseTo(0.376953, 6);
    expect(binomialTail(10, 10, 0.01) / 1e-20).toBeCloseTo(1, 6);
    expect(binomialTail(11, 10, 0.5)).toBe(0);
  });

  test('what differs between agents counts as chance', () => {
    const alike = [1, 1, 1, 1].map((value) => ({ value, variance: 0.01 }));
    const apart = [0, 2, 0, 2].map((value) => ({ value, variance: 0.01 }));
    expect(spreadOf(alike)).toBe(0);
    expect(spreadOf(apart)).toBeCloseTo(4 / 3 - 0.01, 6);
    const busy = differenceOf([{ value: 2, variance: 1e-9 }], apart, 0.01);
    expect(busy.effect).toBeCloseTo(1, 6);
    // However many requests one agent has: it is one agent.
    expect(busy.error).toBeGreaterThan(1);
  });

  test('all looks together spend half of what may be spent', () => {
    const spent = Array.from({ length: 10_000 }, (_, at) => allowance(at + 1)).reduce((sum, each) => sum + each, 0);
    expect(spent).toBeCloseTo(1e-4 / 14, 8);
  });

  test('memory is a line, whose start does not count', () => {
    const reading = emptyReading();
    for (let at = 0; at < 60; at += 1) {
      const memoryBytes = 1e8 * Math.exp(0.05 * (at / 30));
      addBeat(reading, { requests: 1, errors: 9, latencyMs: 10, memoryBytes, health: 100 }, at * 2_000, 10_000);
    }
    expect(memoryLine(reading)?.slope).toBeCloseTo(0.05, 9);
    expect(reading).toMatchObject({ beats: 60, errors: 60, latencies: 55, memories: 45 });
  });
});

describe('a plan', () => {
  test.each<[number, number, number[], number[]]>([
    [1, 5, [25, 50, 100], [1]],
    [10, 5, [25, 50, 100], [1, 2, 5, 10]],
    [1_000, 5, [25, 50, 100], [50, 250, 500, 1_000]],
    [119, 5, [50], [5, 59, 119]],
  ])('of %d agents, a canary of %d percent and waves of %j has %j', (agents, canaryPercent, waves, sizes) => {
    expect(sizesOf(agents, { canaryPercent, waves, maxUnavailablePercent: 10 })).toEqual(sizes);
  });

  test('draws its canary from those that are well', () => {
    const agents = Array.from({ length: 40 }, (_, at) => ({ isFit: at >= 20 }));
    const stages = drawStages(agents, [2, 20, 40], () => 0.5);
    expect(stages.slice(0, 20).every((stage) => stage === 2)).toBe(true);
    expect(stages.filter((stage) => stage === 0)).toHaveLength(2);
  });
});

describe('the rules', () => {
  const { SCHEDULED, BASELINE, CANARY, WAVE, PAUSED, REVERTING, REVERTED, ABORTED, SUCCEEDED } = RolloutState;
  const plan: Plan = {
    ...{ sizes: [1, 4], maxUnavailable: 2, startAtMs: 5_000, baselineMs: 10_000, bakeMs: 5_000, readyMs: 10_000 },
    ...{ deadlineMs: 60_000, warmUpMs: 0, sensitivity: 1 },
  };
  const member = (agent: string, stage: number): Member => ({
    ...{ agent, stage, phase: RolloutPhase.WAITING, sentMs: null, readyMs: null, lostMs: null, fromVersion: '1.0.0' },
  });
  const well = (version: string): Sight => ({ version, isWell: true, hasFailed: false, restarts: 0 });
  const finding = (outcome: 'HARM' | 'PASS' | 'WAIT', more: object = {}) => ({
    verdict: {
      outcome,
      findings: [{ metric: 'errors', outcome, probability: 0, sentence: `errors ${outcome}`, ...more }],
    },
    beats: 10,
  });

  /** A rollout of four agents that do at once what they are asked. */
  class Play {
    readonly versions: Record<string, Sight> = Object.fromEntries(
      ['a', 'b', 'c', 'd'].map((name) => [name, well('1.0.0')]),
    );
    rolling: Rolling = {
      life: lifeOf(0, 'new'),
      members: [member('a', 0), member('b', 1), member('c', 1), member('d', 1)],
    };
    nowMs = 0;
    asked: string[] = [];

    do(event: RolloutEvent): Step {
      const next = step(plan, '2.0.0', this.rolling, event, this.nowMs);
      this.rolling = next;
      for (const { kind, agent } of next.effects) {
        this.asked.push(`${kind} ${agent}`);
        this.versions[agent] = well(kind === 'upgrade' ? '2.0.0' : '1.0.0');
      }
      return next;
    }

    /** Seconds pass. */
    pass(seconds: number, look: ReturnType<typeof finding> | null = null): RolloutState {
      for (let at = 0; at < seconds; at += 1) {
        this.nowMs += 1_000;
        this.do({ kind: 'tick', sights: new Map(Object.entries(this.versions)), look });
      }
      return this.rolling.life.state;
    }
  }

  test('lead over baseline, canary and waves, few agents at once', () => {
    const play = new Play();
    expect(play.pass(4)).toBe(SCHEDULED);
    expect(play.pass(1)).toBe(BASELINE);
    expect(play.pass(9)).toBe(BASELINE);
    expect(play.asked).toEqual([]);
    expect(play.pass(1)).toBe(CANARY);
    expect(play.asked).toEqual(['upgrade a']);
    expect(play.pass(20, finding('WAIT'))).toBe(CANARY);
    expect(play.pass(1, finding('PASS'))).toBe(WAVE);
    expect(play.asked).toEqual(['upgrade a', 'upgrade b', 'upgrade c']);
    play.pass(1);
    expect(play.asked.at(-1)).toBe('upgrade d');
    expect(play.pass(7)).toBe(SUCCEEDED);
    expect(play.rolling.life.reason).toBe('wave 1 is as good as the others');
  });

  test('take harm back at once, at any stage, and while it is paused', () => {
    for (const kind of ['run', 'paused']) {
      const play = new Play();
      play.pass(17);
      if (kind === 'paused') play.do({ kind: 'pause', reason: 'lunch' });
      expect(play.pass(1, finding('HARM'))).toBe(REVERTING);
      expect(play.asked).toEqual(['upgrade a', 'revert a']);
      expect(play.pass(1)).toBe(REVERTED);
      expect(play.rolling.life.reason).toBe('errors HARM');
    }
  });

  test('need no statistics for agents that do not come up, or come up again and again', () => {
    const dead = new Play();
    dead.pass(15);
    dead.versions['a'] = { ...well('1.0.0'), isWell: false };
    expect(dead.pass(10)).toBe(CANARY);
    expect(dead.pass(1)).toBe(REVERTING);
    const looping = new Play();
    looping.pass(16);
    looping.versions['a'] = { ...well('2.0.0'), restarts: 3 };
    expect(looping.pass(1)).toBe(REVERTING);
    expect(looping.rolling.life.reason).toMatch('restart again and again');
  });

  test('wait for a person when time is up, but not when the evidence speaks against it by then', () => {
    const open = new Play();
    open.pass(20, finding('WAIT'));
    expect(open.pass(60)).toBe(PAUSED);
    expect(open.rolling.life.reason).toBe('the canary is still undecided: errors WAIT');
    open.do({ kind: 'resume', reason: 'fine', promote: true });
    expect(open.pass(1)).toBe(WAVE);
    const suspect = new Play();
    suspect.pass(20, finding('WAIT', { isSuspect: true }));
    expect(suspect.pass(60)).toBe(REVERTED);
  });

  test('go back where they were after a pause, and end once only', () => {
    const play = new Play();
    play.pass(16);
    play.do({ kind: 'pause', reason: 'lunch' });
    expect(() => play.do({ kind: 'pause', reason: 'again' })).toThrow('this rollout is PAUSED');
    expect(play.pass(100)).toBe(PAUSED);
    expect(play.do({ kind: 'resume', reason: 'back', promote: false }).life.state).toBe(CANARY);
    expect(play.do({ kind: 'abort', reason: 'enough' }).life.state).toBe(REVERTING);
    expect(() => play.do({ kind: 'abort', reason: 'twice' })).toThrow('this rollout is REVERTING');
    expect(play.pass(1)).toBe(ABORTED);
    expect(() => play.do({ kind: 'resume', reason: 'late', promote: false })).toThrow('this rollout is ABORTED');
  });

  test('leave out who is away, ask it at the end, and forget who is gone', () => {
    const play = new Play();
    play.versions['d'] = { ...well('1.0.0'), isWell: false };
    play.pass(16);
    delete play.versions['c'];
    play.pass(6, finding('PASS'));
    expect(play.pass(10)).toBe(SUCCEEDED);
    expect(play.asked).toEqual(['upgrade a', 'upgrade b', 'upgrade d']);
    expect(play.rolling.members.map(({ phase }) => phase)).toEqual(['READY', 'READY', 'GONE', 'WAITING']);
  });
});

test('nobody who says nothing passes, and silence of alerts holds', () => {
  const none = { before: emptyReading(), after: emptyReading(), isAlerting: null };
  const verdict = judge({ canary: [none], control: [], old: { beats: 0, restarts: 0 } }, 1, 1, 2_000);
  expect(verdict.outcome).toBe('WAIT');
  expect(verdict.findings.map(({ sentence }) => sentence)).toContain('alerts: nobody can say whether any fire');
});

describe('a fleet under rollouts', () => {
  test('has every bad version taken back from its canary, and keeps the good ones', () => {
    const found = figures(series(5, 7, 250));
    expect(found).toMatchObject({ bad: 5, caught: 5, good: 5, goodReverted: 0 });
    expect(found.largestShareTouched).toBeLessThanOrEqual(0.05);
    expect(found.revertP99Ms).toBeLessThanOrEqual(10_000);
  });
});
