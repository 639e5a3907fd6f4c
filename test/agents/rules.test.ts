import fc from 'fast-check';
import { AgentPresence } from '../../lib/graphql/agent-presence.ts';
import { AgentState, HealthGrade } from '../../subgraphs/agents/entity/enums.ts';
import { closingVerdict } from '../../subgraphs/agents/service/closings.ts';
import { gradeOf, type HealthFacts, healthOf, isNews } from '../../subgraphs/agents/service/health.ts';
import { isCrowdLate, Listening } from '../../subgraphs/agents/service/lease.ts';
import {
  actionsOf,
  commandOf,
  type LifeAction,
  MOVES,
  move,
  observedState,
  wasAtWork,
} from '../../subgraphs/agents/service/lifecycle.ts';
import {
  learned,
  NEW_RHYTHM,
  patienceOf,
  presenceAt,
  type Rhythm,
  reasonOf,
} from '../../subgraphs/agents/service/suspicion.ts';

const { REGISTERED, RUNNING, PAUSED, STOPPED, FAILED, QUARANTINED, RETIRED } = AgentState;
const { ONLINE, SUSPECT, OFFLINE } = AgentPresence;
const TERMS = { beatEveryMs: 2_000, leaseBeats: 3 };

describe('the table of lives', () => {
  const life = (desired: AgentState, reported: AgentState, held: AgentState | null = null) => ({
    desired,
    reported,
    held,
  });

  test.each<[LifeAction, AgentState, AgentState, AgentState | 'CONFLICT']>([
    ['start', RUNNING, REGISTERED, RUNNING],
    ['start', STOPPED, STOPPED, RUNNING],
    ['start', RUNNING, FAILED, RUNNING],
    ['start', RUNNING, RUNNING, 'CONFLICT'],
    ['start', PAUSED, PAUSED, 'CONFLICT'],
    ['pause', RUNNING, RUNNING, PAUSED],
    ['pause', RUNNING, REGISTERED, PAUSED],
    ['pause', RUNNING, FAILED, 'CONFLICT'],
    ['pause', PAUSED, RUNNING, 'CONFLICT'],
    ['pause', STOPPED, STOPPED, 'CONFLICT'],
    ['resume', PAUSED, PAUSED, RUNNING],
    ['resume', RUNNING, PAUSED, RUNNING],
    ['resume', RUNNING, RUNNING, 'CONFLICT'],
    ['restart', RUNNING, RUNNING, RUNNING],
    ['restart', STOPPED, STOPPED, 'CONFLICT'],
    ['stop', RUNNING, RUNNING, STOPPED],
    ['stop', STOPPED, RUNNING, 'CONFLICT'],
    ['quarantine', RUNNING, FAILED, QUARANTINED],
    ['quarantine', QUARANTINED, RUNNING, 'CONFLICT'],
    ['start', QUARANTINED, RUNNING, 'CONFLICT'],
    ['stop', QUARANTINED, RUNNING, 'CONFLICT'],
    ['release', QUARANTINED, RUNNING, RUNNING],
    ['release', RUNNING, RUNNING, 'CONFLICT'],
    ['retire', QUARANTINED, RUNNING, RETIRED],
    ['retire', RETIRED, RUNNING, 'CONFLICT'],
    ['restart', RETIRED, STOPPED, 'CONFLICT'],
  ])('%s, asked to be %s and seen as %s: %s', (action, desired, reported, expected) => {
    if (expected === 'CONFLICT') expect(() => move('a', life(desired, reported), action)).toThrow(/cannot be/);
    else expect(move('a', life(desired, reported), action).desired).toBe(expected);
  });

  test('a release gives back what was asked before the quarantine', () => {
    const quarantined = move('a', life(STOPPED, STOPPED), 'quarantine');
    expect(quarantined).toEqual(life(QUARANTINED, STOPPED, STOPPED));
    expect(move('a', quarantined, 'release')).toEqual(life(STOPPED, STOPPED));
    expect(commandOf('release', STOPPED)).toBe('stop');
    expect(commandOf('release', RUNNING)).toBe('resume');
    expect(commandOf('quarantine', QUARANTINED)).toBe('pause');
    expect(commandOf('retire', RETIRED)).toBe('stop');
  });

  test('no walk through lives leads out of retirement, or out of quarantine but by release and retirement', () => {
    const actions = Object.keys(MOVES) as LifeAction[];
    const step = fc.oneof(
      fc.constantFrom(...actions).map((action) => ({ action })),
      fc.constantFrom(...Object.values(AgentState)).map((reported) => ({ reported })),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        let now = life(RUNNING, REGISTERED);
        for (const it of steps) {
          const before = now;
          if ('reported' in it) now = { ...now, reported: it.reported };
          else if (actionsOf(now).includes(it.action)) now = move('a', now, it.action);
          else expect(() => move('a', before, it.action)).toThrow();
          if (before.desired === RETIRED) expect(now.desired).toBe(RETIRED);
          if (before.desired === QUARANTINED && now.desired !== QUARANTINED) {
            expect('action' in it && ['release', 'retire']).toContain((it as { action: string }).action);
          }
          expect([RUNNING, PAUSED, STOPPED, QUARANTINED, RETIRED]).toContain(now.desired);
        }
      }),
    );
  });

  test('the platform has the word on quarantine and retirement, the agent on everything else', () => {
    expect(observedState(QUARANTINED, RUNNING)).toBe(QUARANTINED);
    expect(observedState(RETIRED, RUNNING)).toBe(RETIRED);
    expect(observedState(RUNNING, RETIRED)).toBe(STOPPED);
    expect(observedState(RUNNING, PAUSED)).toBe(PAUSED);
    expect([REGISTERED, STOPPED, RUNNING, FAILED].map(wasAtWork)).toEqual([false, false, true, true]);
  });
});

describe('a lease', () => {
  test('one beat late is SUSPECT within 3 s of the last, three are OFFLINE', () => {
    const silence = { heardMs: 0, closedMs: undefined, isSure: false };
    const at = (ms: number) => presenceAt(silence, patienceOf(NEW_RHYTHM, TERMS), TERMS, ms);
    expect([0, 2_000, 2_600, 2_700, 5_999, 6_000].map(at)).toEqual([ONLINE, ONLINE, ONLINE, SUSPECT, SUSPECT, OFFLINE]);
  });

  test('an irregular agent is borne longer, up to twice the lease; a regular one not', () => {
    const of = (gaps: number[]) =>
      patienceOf(
        gaps.reduce<Rhythm>((rhythm, gapMs) => learned(rhythm, gapMs, 2_000, TERMS), NEW_RHYTHM),
        TERMS,
      );
    expect(of(Array.from({ length: 50 }, (_, at) => 2_000 + (at % 2) * 20))).toEqual({
      suspectMs: 2_700,
      endMs: 6_000,
    });
    const irregular = of(Array.from({ length: 50 }, (_, at) => 1_700 + (at % 3) * 700));
    expect(irregular.suspectMs).toBeGreaterThan(3_500);
    expect(irregular.endMs).toBeGreaterThan(6_500);
    expect(of(Array.from({ length: 50 }, (_, at) => 2_000 + (at % 3) * 3_900))).toEqual({
      suspectMs: 4_000,
      endMs: 12_000,
    });
    // A beat out of turn and a return after a lease that ended are no rhythm.
    expect(of([100, 0, 400_000, 12_000])).toEqual(patienceOf(NEW_RHYTHM, TERMS));
  });

  test('a closed connection is told at once, and ends the lease sooner when it was the agent’s own and the beat is missing', () => {
    const patience = patienceOf(NEW_RHYTHM, TERMS);
    const at = (isSure: boolean, ms: number) => presenceAt({ heardMs: 0, closedMs: 500, isSure }, patience, TERMS, ms);
    expect([501, 2_000, 2_699, 2_700].map((ms) => at(true, ms))).toEqual([SUSPECT, SUSPECT, SUSPECT, OFFLINE]);
    expect([501, 2_700, 5_999, 6_000].map((ms) => at(false, ms))).toEqual([SUSPECT, SUSPECT, SUSPECT, OFFLINE]);
    const late = { heardMs: 0, closedMs: 2_600, isSure: true };
    expect([3_599, 3_600].map((ms) => presenceAt(late, patience, TERMS, ms))).toEqual([SUSPECT, OFFLINE]);
  });

  test('a closing is held against nobody when a crowd of them closed, and ends nothing when it was the last', () => {
    expect(closingVerdict(1, 0)).toBe('unsure');
    expect(closingVerdict(1, 1)).toBe('theirs');
    expect(closingVerdict(3, 3)).toBe('theirs');
    expect(closingVerdict(5, 45)).toBe('ours');
    expect(closingVerdict(5, 46)).toBe('theirs');
    expect(closingVerdict(70, 0)).toBe('ours');
  });

  test('while a crowd is late, silence alone ends leases only after twice the time', () => {
    expect([isCrowdLate(4, 4), isCrowdLate(5, 500), isCrowdLate(5, 501), isCrowdLate(900, 100_000)]).toEqual([
      false,
      true,
      false,
      false,
    ]);
    const silence = { heardMs: 0, closedMs: undefined, isSure: false };
    const at = (ms: number) => presenceAt(silence, patienceOf(NEW_RHYTHM, TERMS), TERMS, ms, false);
    expect([6_000, 11_999, 12_000].map(at)).toEqual([SUSPECT, SUSPECT, OFFLINE]);
  });

  test('the reason says what was seen', () => {
    const rhythm = learned(NEW_RHYTHM, 2_880, 2_000, TERMS);
    const silence = { heardMs: 1_000, closedMs: undefined, isSure: false };
    expect(reasonOf(silence, rhythm, 2_000, 4_000)).toBe('no beat for 3.0 s; it beats every 2.1 s ± 0.3 s');
    const closed = { heardMs: 1_000, closedMs: 3_500, isSure: true };
    expect(reasonOf(closed, rhythm, 2_000, 4_000)).toBe('its connection closed 0.5 s ago; no beat for 3.0 s');
  });

  test('time that we slept through ourselves is not held against agents', () => {
    const listening = new Listening(() => TERMS, 0);
    expect(listening.look(200, 200)).toBe(0);
    expect(listening.look(60_400, 200)).toBe(60_000);
    expect(listening.look(60_600, 200)).toBe(0);
    expect(listening.look(30_000, 200)).toBe(-30_800);
  });

  test('while nobody at all is heard, no lease of a crowd ends, but not for ever', () => {
    const listening = new Listening(() => TERMS, 0);
    listening.heard(1_000);
    expect(listening.trusts(74, 2_000)).toBe(true);
    expect(listening.trusts(74, 10_000)).toBe(false);
    expect(listening.trusts(1, 10_000)).toBe(true);
    expect(listening.trusts(74, 17_000)).toBe(true);
  });

  test('a time in which nobody was heard moves the leases once somebody is', () => {
    const listening = new Listening(() => TERMS, 0);
    for (let ms = 200; ms <= 5_000; ms += 200) {
      expect(listening.look(ms, 200)).toBe(0);
      expect(listening.trusts(74, ms)).toBe(ms < 2_000);
    }
    listening.heard(5_100);
    expect(listening.look(5_200, 200)).toBe(5_100);
    expect(listening.trusts(74, 5_200)).toBe(true);
    expect(listening.look(5_400, 200)).toBe(0);
  });
});

describe('health', () => {
  const well: HealthFacts = {
    state: RUNNING,
    desired: RUNNING,
    presence: ONLINE,
    seen: true,
    window: [],
    failedChecks: [],
    queue: 0,
    restartsAtMs: [],
  };
  const health = (facts: Partial<HealthFacts>) => healthOf({ ...well, ...facts }, 1_000_000);
  const beats = (requests: number, errors: number, latencyMs: number | null = null) => [
    { requests, errors, latencyMs },
  ];

  test.each<[string, Partial<HealthFacts>, number, string[]]>([
    ['all is well', {}, 100, []],
    ['silent', { presence: OFFLINE }, 40, ['its lease has ended']],
    ['late', { presence: SUSPECT }, 80, ['a beat is missing']],
    ['cut off', { presence: SUSPECT, suspicion: { closed: true, evidence: 'x' } }, 80, ['its connection closed']],
    ['silent as asked', { presence: OFFLINE, desired: STOPPED, state: STOPPED }, 100, []],
    ['failed', { state: FAILED }, 30, ['it failed']],
    ['quarantined', { state: QUARANTINED, desired: QUARANTINED }, 49, ['it is kept from work']],
    ['all fails', { window: beats(10, 20) }, 40, ['requests fail']],
    ['too few to tell', { window: beats(4, 4) }, 100, []],
    ['slow', { window: beats(10, 0, 3_000) }, 85, ['requests are slow']],
    [
      'two checks',
      {
        failedChecks: [
          { name: 'db', message: 'away' },
          { name: 'disk', message: null },
        ],
      },
      70,
      ['check db fails', 'check disk fails'],
    ],
    ['one restart', { restartsAtMs: [0, 999_000] }, 96, ['it restarts']],
    ['two restarts', { restartsAtMs: [998_000, 999_000] }, 92, ['it restarts']],
    ['a queue', { queue: 1_000 }, 85, ['work piles up']],
  ])('%s', (_name, facts, score, reasons) => {
    const found = health(facts);
    expect(found.penalties.map(({ reason }) => reason)).toEqual(reasons);
    expect(found).toMatchObject({ score, grade: gradeOf(score) });
  });

  test('an agent that was never heard is UNKNOWN, and nothing is held against it', () => {
    expect(health({ seen: false, presence: OFFLINE })).toEqual({
      score: 100,
      grade: HealthGrade.UNKNOWN,
      penalties: [],
    });
  });

  test('whatever is wrong, the points sum exactly to what is missing', () => {
    const count = fc.integer({ min: 0, max: 5_000 });
    const beat = fc.record({
      requests: count,
      errors: count,
      latencyMs: fc.option(fc.double({ min: 0, max: 1e5, noNaN: true })),
    });
    const facts = fc.record({
      state: fc.constantFrom(...Object.values(AgentState)),
      desired: fc.constantFrom(...Object.values(AgentState)),
      presence: fc.constantFrom(...Object.values(AgentPresence)),
      seen: fc.boolean(),
      window: fc.array(beat, { maxLength: 5 }),
      failedChecks: fc.array(fc.record({ name: fc.string(), message: fc.option(fc.string()) })),
      queue: count,
      restartsAtMs: fc.array(fc.integer({ min: 0, max: 1_000_000 })),
    });
    fc.assert(
      fc.property(facts, (some) => {
        const { score, penalties } = healthOf(some, 1_000_000);
        expect(penalties.reduce((sum, { points }) => sum + points, 0)).toBe(100 - score);
        expect(
          penalties.every(({ points, evidence }) => points > 0 && Number.isInteger(points) && evidence !== undefined),
        ).toBe(true);
        expect(score).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  test('another grade is news, and five points; four are not', () => {
    const before = { score: 82, grade: HealthGrade.HEALTHY };
    const after = (score: number) => ({ score, grade: gradeOf(score), penalties: [] });
    expect([79, 86, 87].map((score) => isNews(before, after(score)))).toEqual([true, false, true]);
  });
});
