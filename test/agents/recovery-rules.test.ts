import fc from 'fast-check';
import { AgentPresence } from '../../lib/graphql/agent-presence.ts';
import { AgentState } from '../../subgraphs/agents/entity/enums.ts';
import {
  RecoveryAction,
  RecoveryMode,
  RecoveryPolicy,
  RecoveryTrouble,
} from '../../subgraphs/agents/entity/recovery.ts';
import { acuteEnough, acuteWindow, nextAcute } from '../../subgraphs/agents/service/acute.ts';
import { DEFAULT_POLICY, inOrder, policyFor } from '../../subgraphs/agents/service/policy.ts';
import {
  blastRadius,
  type Decision,
  heldBy,
  type RecoveryFacts,
  recoveryOf,
} from '../../subgraphs/agents/service/recovery.ts';

const { RUNNING, PAUSED, STOPPED, FAILED, QUARANTINED, RETIRED } = AgentState;
const { ONLINE, OFFLINE } = AgentPresence;
const { RESTART, ROLLBACK_CONFIG, PAUSE, QUARANTINE, PAGE } = RecoveryAction;

const troubled: RecoveryFacts = {
  state: FAILED,
  desired: RUNNING,
  presence: ONLINE,
  criticalBeats: 0,
  degradedBeats: 0,
  acuteBeats: 0,
  unwellNeed: undefined,
  restartPending: false,
  attempts: [],
  restartsAtMs: [],
  forgivenMs: 0,
  spentShare: 0,
  provenConfig: undefined,
  cause: undefined,
};
const policyOf = (more: Partial<RecoveryPolicy> = {}) => Object.assign(new RecoveryPolicy(), DEFAULT_POLICY, more);
const decide = (
  facts: Partial<RecoveryFacts>,
  nowMs = 1_000_000,
  jitter = 0,
  policy: RecoveryPolicy = DEFAULT_POLICY,
) => recoveryOf({ ...troubled, ...facts }, policy, nowMs, jitter);
const restarts = (...times: number[]) => times.map((atMs) => ({ step: RESTART, atMs }));
const actionOf = (decision: Decision) => (decision.outcome === 'step' ? decision.action : decision.outcome);

describe('the default recovery policy', () => {
  test('an agent that failed, fell silent or stays critical is restarted, with the reason', () => {
    expect(decide({})).toEqual({
      outcome: 'step',
      action: RESTART,
      trouble: RecoveryTrouble.FAILED,
      reason: 'it failed (restart 1 of 5)',
      isDisruptive: false,
    });
    expect(decide({ state: RUNNING, presence: OFFLINE })).toMatchObject({ reason: 'it went silent (restart 1 of 5)' });
    expect(decide({ state: RUNNING, criticalBeats: 5 })).toMatchObject({
      reason: 'its health was CRITICAL for 5 beats (restart 1 of 5)',
      isDisruptive: true,
    });
    expect(decide({ state: RUNNING, criticalBeats: 4 })).toEqual({ outcome: 'leave' });
  });

  test('beats that are critical by themselves weigh double, unless what it depends on is unwell', () => {
    const acute = { state: RUNNING, acuteBeats: 3 };
    expect(decide(acute)).toMatchObject({
      outcome: 'step',
      trouble: RecoveryTrouble.CRITICAL,
      reason: '3 beats in a row were CRITICAL by themselves (restart 1 of 5)',
    });
    expect(decide({ ...acute, acuteBeats: 2 })).toEqual({ outcome: 'leave' });
    expect(decide({ ...acute, unwellNeed: 'database-1' })).toMatchObject({ outcome: 'wait' });
    // What five beats say is no haste.
    expect(actionOf(decide({ ...acute, criticalBeats: 5, unwellNeed: 'database-1' }))).toBe(RESTART);
    expect([1, 2, 3, 5, 10].map(acuteEnough)).toEqual([1, 2, 2, 3, 5]);
  });

  test('the newest beats that tell enough are judged alone, and one without work neither counts nor ends a row', () => {
    const beat = (requests: number) => ({ requests, errors: 0, latencyMs: null });
    const window = [9, 2, 4].map(beat);
    expect(acuteWindow(window)).toEqual([beat(2), beat(4)]);
    expect(acuteWindow([beat(9)])).toEqual([beat(9)]);
    expect(acuteWindow([beat(9), beat(0)])).toBeUndefined();
    expect(acuteWindow([beat(2), beat(2)])).toBeUndefined();
    expect(acuteWindow([])).toBeUndefined();
    expect([nextAcute(2, true), nextAcute(2, undefined), nextAcute(2, false)]).toEqual([3, 2, 0]);
  });

  test('one that need not run, or is being restarted, is left alone', () => {
    for (const desired of [PAUSED, STOPPED, QUARANTINED, RETIRED])
      expect(decide({ desired })).toEqual({ outcome: 'leave' });
    expect(decide({ restartPending: true })).toEqual({ outcome: 'leave' });
  });

  test('rests double up to the longest, with jitter', () => {
    const attempts = restarts(990_000, 995_000);
    expect(decide({ attempts }, 1_004_999)).toMatchObject({
      outcome: 'wait',
      reason: expect.stringContaining('1 s away'),
    });
    expect(decide({ attempts }, 1_005_000)).toMatchObject({ reason: 'it failed (restart 3 of 5)' });
    expect(decide({ attempts }, 1_005_000, 0.5).outcome).toBe('wait');
    expect(decide({ attempts }, 1_006_000, 0.5).outcome).toBe('step');
    const short = policyOf({ maxRestMs: 6_000 });
    expect(decide({ attempts: restarts(990_000, 992_000, 994_000) }, 1_000_000, 0, short).outcome).toBe('step');
  });

  test('one that fails again and again is quarantined after five restarts in ten minutes, never sooner', () => {
    const attempts: { step: RecoveryAction; atMs: number }[] = [];
    let last: Decision;
    let nowMs = 1_000_000;
    do {
      nowMs += 1_000;
      last = decide({ attempts }, nowMs);
      if (actionOf(last) === RESTART) attempts.push({ step: RESTART, atMs: nowMs });
    } while (actionOf(last) !== QUARANTINE);
    expect(attempts).toHaveLength(5);
    expect(last).toMatchObject({ reason: 'it failed, after 5 restarts in 10 minutes', isDisruptive: true });
    expect(actionOf(decide({ attempts }, nowMs + DEFAULT_POLICY.windowMs))).toBe(RESTART);
    // Released, it is quarantined again at once: only a person lets it out, and no attempt is used up by that.
    expect(actionOf(decide({ attempts: [...attempts, { step: QUARANTINE, atMs: nowMs }] }, nowMs + 400_000))).toBe(
      QUARANTINE,
    );
  });

  test('a loop of crashes that something else restarts is quarantined at the fifth; restarts that were asked for are none', () => {
    const restartsAtMs = [920_000, 940_000, 960_000, 980_000, 999_000];
    expect(decide({ state: RUNNING, restartsAtMs })).toMatchObject({
      action: QUARANTINE,
      trouble: RecoveryTrouble.CRASH_LOOP,
      reason: 'it was started anew 5 times in 2 minutes, unasked',
    });
    expect(decide({ state: RUNNING, restartsAtMs: restartsAtMs.slice(1) })).toEqual({ outcome: 'leave' });
    expect(decide({ state: RUNNING, restartsAtMs, attempts: restarts(...restartsAtMs) })).toEqual({ outcome: 'leave' });
  });

  test('one that spent its budget is paused, and not restarted', () => {
    expect(decide({ state: RUNNING, spentShare: 1.5 })).toMatchObject({
      action: PAUSE,
      reason: 'it spent 150 % of its budget of an hour',
    });
    expect(decide({ state: RUNNING, spentShare: 0.99 })).toEqual({ outcome: 'leave' });
  });

  test('what was well for the cool-down has its earlier steps forgotten', () => {
    const attempts = restarts(400_500, 401_000, 402_000, 403_000, 404_000);
    expect(actionOf(decide({ attempts }))).toBe(QUARANTINE);
    expect(decide({ attempts, forgivenMs: 990_000 })).toMatchObject({ reason: 'it failed (restart 1 of 5)' });
  });
});

describe('a ladder', () => {
  const on = [RecoveryTrouble.FAILED, RecoveryTrouble.CRITICAL];
  const policy = policyOf({
    name: 'coders',
    restMs: 0,
    maxRestMs: 0,
    steps: [
      { action: RESTART, attempts: 1, on },
      { action: ROLLBACK_CONFIG, attempts: 1, on },
      { action: RESTART, attempts: 2, on },
      { action: PAGE, attempts: 1, on },
    ],
  });
  const climb = (facts: Partial<RecoveryFacts>) => {
    const attempts: { step: RecoveryAction; atMs: number }[] = [];
    const told: string[] = [];
    for (let step = 0; step < 8; step += 1) {
      const decision = decide({ ...facts, attempts }, 1_000_000 + step, 0, policy);
      told.push(decision.outcome === 'step' ? decision.reason : decision.outcome);
      if (decision.outcome !== 'step') break;
      attempts.push({ step: decision.action, atMs: 1_000_000 + step });
    }
    return told;
  };

  test('is climbed rung by rung, and says so', () => {
    expect(climb({ provenConfig: 3 })).toEqual([
      'it failed (restart 1 of 1)',
      'it failed (roll back of its configuration to version 3 1 of 1)',
      'it failed (restart 1 of 2)',
      'it failed (restart 2 of 2)',
      'it failed (page 1 of 1)',
      'wait',
    ]);
  });

  test('passes over a roll back when there is nothing to go back to', () => {
    expect(climb({}).filter((reason) => reason.includes('roll back'))).toEqual([]);
    expect(climb({})).toHaveLength(5);
  });

  test('passes over a pause of an agent that failed: its life has no such move', () => {
    const steps = [PAUSE, PAGE].map((action) => ({ action, attempts: 1, on }));
    expect(actionOf(decide({}, 1_000_000, 0, policyOf({ steps })))).toBe(PAGE);
    expect(actionOf(decide({ state: RUNNING, criticalBeats: 5 }, 1_000_000, 0, policyOf({ steps })))).toBe(PAUSE);
  });

  test('leaves a critical agent to the healing of the one it depends on', () => {
    const facts = { state: RUNNING, criticalBeats: 9, cause: 'database-1' };
    expect(decide(facts, 1_000_000, 0, policy)).toMatchObject({ outcome: 'wait', about: 'cause database-1' });
    expect(actionOf(decide({ ...facts, state: FAILED }, 1_000_000, 0, policy))).toBe(RESTART);
  });

  test('heeds that an agent is merely DEGRADED when it says so, and only then', () => {
    const facts = { state: RUNNING, degradedBeats: 15 };
    expect(decide(facts)).toEqual({ outcome: 'leave' });
    const heeding = policyOf({ steps: [{ action: RESTART, attempts: 1, on: [RecoveryTrouble.DEGRADED] }] });
    expect(decide(facts, 1_000_000, 0, heeding)).toMatchObject({
      reason: 'its health was DEGRADED for 15 beats (restart 1 of 1)',
    });
    expect(decide({ ...facts, degradedBeats: 14 }, 1_000_000, 0, heeding)).toEqual({ outcome: 'leave' });
    expect(decide({ ...facts, cause: 'database-1' }, 1_000_000, 0, heeding).outcome).toBe('wait');
  });

  test('off, it does nothing; what it only told does not count once it acts', () => {
    expect(decide({}, 1_000_000, 0, policyOf({ mode: RecoveryMode.OFF }))).toEqual({ outcome: 'leave' });
    const attempts = restarts(999_990, 999_991, 999_992, 999_993, 999_994).map((each) => ({ ...each, observed: true }));
    const ladder = { restMs: 0, maxRestMs: 0 };
    expect(actionOf(decide({ attempts }, 1_000_000, 0, policyOf(ladder)))).toBe(RESTART);
    expect(actionOf(decide({ attempts }, 1_000_000, 0, policyOf({ ...ladder, mode: RecoveryMode.OBSERVE })))).toBe(
      QUARANTINE,
    );
    const observed = [...attempts, { step: QUARANTINE, atMs: 999_995, observed: true }];
    expect(
      decide({ attempts: observed }, 1_000_000, 0, policyOf({ ...ladder, mode: RecoveryMode.OBSERVE })),
    ).toMatchObject({
      outcome: 'wait',
      about: 'no step left',
    });
  });
});

describe('the blast radius', () => {
  test('is never passed, and lets one of a kind be healed however small the kind', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 500 }),
        fc.double({ min: 0.001, max: 1, noNaN: true }),
        (size, maxShare) => {
          const policy = policyOf({ maxShare });
          let disturbed = 0;
          while (disturbed < size && !heldBy(policy, 'coder', size, disturbed)) disturbed += 1;
          expect(disturbed).toBe(Math.min(size, blastRadius(policy, size)));
          expect(disturbed === 1 || disturbed <= size * maxShare).toBe(true);
        },
      ),
    );
    expect(heldBy(DEFAULT_POLICY, 'coder', 10, 5)).toBe(
      '5 of 10 agents of kind coder are being healed, and no more than 5 may be at a time',
    );
  });
});

describe('of several policies', () => {
  const [coders, prod, all] = [
    policyOf({ name: 'coders', kinds: ['coder'], priority: 5 }),
    policyOf({ name: 'prod', labels: { env: 'prod' }, priority: 10 }),
    policyOf({ name: 'default', version: 3 }),
  ];
  test('the one of the highest priority that matches holds, else the default', () => {
    const ordered = inOrder([coders, prod]);
    const named = (kind: string, labels: Record<string, string> = {}) => policyFor(ordered, { kind, labels }).name;
    expect(named('coder')).toBe('coders');
    expect(named('coder', { env: 'prod' })).toBe('prod');
    expect(named('tester', { env: 'stage' })).toBe('default');
    expect(policyFor(ordered, { kind: 'tester', labels: {} }).version).toBe(0);
    expect(policyFor(inOrder([coders, all]), { kind: 'tester', labels: {} }).version).toBe(3);
  });
});
