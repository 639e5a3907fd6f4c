import { AgentState, CommandOutcome } from '../../subgraphs/agents/entity/enums.ts';
import { AgentAction, JobState } from '../../subgraphs/agents/entity/job.ts';
import { forecastOf } from '../../subgraphs/agents/service/jobs/forecast.ts';
import { progressOf } from '../../subgraphs/agents/service/jobs/progress.ts';
import {
  actionsOf,
  type Life,
  type LifeAction,
  MOVES,
  move,
  refusalOf,
} from '../../subgraphs/agents/service/lifecycle.ts';
import { completionRefusal } from '../../subgraphs/agents/service/mail-rules.ts';
import { overdueReason, reportedOf, sayingOf } from '../../subgraphs/agents/service/overdue.ts';

const { REGISTERED, STARTING, RUNNING, PAUSED, STOPPING, STOPPED, FAILED, QUARANTINED, RETIRED } = AgentState;
const STATES = Object.values(AgentState);
const ACTIONS = Object.keys(MOVES) as LifeAction[];

/** What an agent may be asked to be. */
const DESIRED = [RUNNING, PAUSED, STOPPED, QUARANTINED, RETIRED];
/** By what is asked of an agent, the actions there are whatever it says; then those that depend on what it says. */
const ALWAYS: Partial<Record<AgentState, LifeAction[]>> = {
  RUNNING: ['restart', 'stop', 'quarantine', 'retire'],
  PAUSED: ['resume', 'restart', 'stop', 'quarantine', 'retire'],
  STOPPED: ['start', 'quarantine', 'retire'],
  QUARANTINED: ['release', 'retire'],
  RETIRED: [],
};
const WHERE: Partial<Record<AgentState, Partial<Record<LifeAction, AgentState[]>>>> = {
  RUNNING: {
    start: [REGISTERED, STOPPING, STOPPED, FAILED],
    pause: STATES.filter((state) => state !== FAILED),
    resume: [PAUSED],
  },
  PAUSED: { start: [REGISTERED, STOPPED, FAILED] },
};
const pairs = STATES.flatMap((desired) => STATES.map((reported): [AgentState, AgentState] => [desired, reported]));

describe('the guards of the moves', () => {
  test.each(pairs)(
    'asked to be %s and seen as %s: each action is there or refused, as written down',
    (desired, reported) => {
      const held = desired === QUARANTINED ? PAUSED : null;
      const life: Life = { desired, reported, held };
      const expected = ACTIONS.filter(
        (action) => ALWAYS[desired]?.includes(action) || WHERE[desired]?.[action]?.includes(reported),
      );
      expect(actionsOf(life)).toEqual(expected);
      for (const action of ACTIONS) {
        if (!expected.includes(action)) {
          expect(refusalOf(life, action)).toMatch(/^is [A-Z]+.*: it cannot be /);
          expect(() => move('a', life, action)).toThrow(/^agent a is /);
          continue;
        }
        const next = move('a', life, action);
        expect(next).toEqual({
          desired: MOVES[action].to ?? PAUSED,
          reported,
          held: action === 'quarantine' ? desired : null,
        });
        expect(DESIRED).toContain(next.desired);
      }
    },
  );
});

describe('an agent on its way', () => {
  const patience = { STARTING: 90_000, STOPPING: 30_000 };
  const since = (said: AgentState) => ({ said, saidSinceMs: 1_000 });

  test('counts as FAILED once it says so for too long, and no sooner', () => {
    expect([90_999, 91_000].map((ms) => reportedOf(since(STARTING), ms, patience))).toEqual([STARTING, FAILED]);
    expect([30_999, 31_000].map((ms) => reportedOf(since(STOPPING), ms, patience))).toEqual([STOPPING, FAILED]);
    for (const state of STATES.filter((each) => each !== STARTING && each !== STOPPING)) {
      expect(reportedOf(since(state), Number.MAX_SAFE_INTEGER, patience)).toBe(state);
    }
  });

  test('keeps the time from when it said so first; another word begins anew', () => {
    const first = sayingOf(since(RUNNING), STARTING, 5_000);
    expect(first).toEqual({ said: STARTING, saidSinceMs: 5_000 });
    expect(sayingOf(first, STARTING, 80_000)).toBe(first);
    expect(sayingOf(sayingOf(first, FAILED, 96_000), STARTING, 97_000)).toEqual({
      said: STARTING,
      saidSinceMs: 97_000,
    });
  });

  test('is given the reason, in seconds', () => {
    expect(overdueReason(since(STOPPING), 40_500, patience)).toBe('it was STOPPING for 39 s, longer than 30 s');
    expect(overdueReason(since(STOPPING), 2_000, patience)).toBeUndefined();
  });
});

describe('the steps of a job', () => {
  const now = new Date(5_000);
  const queued = {
    state: JobState.QUEUED,
    ...{ total: 5, done: 0, refused: 0 },
    ...{ startedAt: null, finishedAt: null, steppedAt: null },
  };

  test('batches count up to the end, and the end is final', () => {
    const running = progressOf(queued, { step: 'batch', done: 2, refused: 1 }, now);
    expect(running).toEqual({ ...queued, state: 'RUNNING', done: 2, refused: 1, startedAt: now, steppedAt: now });
    const later = new Date(9_000);
    const finished = progressOf(running, { step: 'batch', done: 2, refused: 0 }, later);
    expect(finished).toMatchObject({ state: 'FINISHED', done: 4, refused: 1, startedAt: now, finishedAt: later });
    for (const step of [{ step: 'cancel' }, { step: 'batch', done: 0, refused: 0 }] as const) {
      expect(() => progressOf(finished, step, later)).toThrow('it is FINISHED');
    }
  });

  test('a cancelled one keeps what it did', () => {
    const running = progressOf(queued, { step: 'batch', done: 2, refused: 1 }, now);
    expect(progressOf(running, { step: 'cancel' }, now)).toMatchObject({
      state: 'CANCELLED',
      done: 2,
      finishedAt: now,
    });
    expect(progressOf({ ...queued, total: 0 }, { step: 'batch', done: 0, refused: 0 }, now).state).toBe('FINISHED');
  });

  test('what it would meet is foretold with the most frequent refusal first', () => {
    const agent = (uuid: string, desired: AgentState, reported: AgentState) => ({
      uuid,
      desired,
      reported,
      held: null,
    });
    const fleet = [
      agent('a', RUNNING, RUNNING),
      agent('b', PAUSED, PAUSED),
      agent('c', RETIRED, STOPPED),
      agent('d', PAUSED, PAUSED),
    ];
    expect(forecastOf(fleet, { action: AgentAction.PAUSE })).toEqual({
      agents: ['a'],
      refusals: [
        { reason: expect.stringContaining('it is PAUSED: it cannot be paused'), count: 2 },
        { reason: expect.stringContaining('it is RETIRED: it cannot be paused, its life is over'), count: 1 },
      ],
    });
  });
});

test('the word on how a command ended is taken once, in time, and from the process that has its fence', () => {
  const open = { fence: '2.7', completedAt: null, outcome: null, expiresAt: new Date(10_000) };
  expect(completionRefusal(open, '2.7', 9_999)).toBeUndefined();
  expect(completionRefusal({ ...open, expiresAt: null }, '2.7', 99_999)).toBeUndefined();
  expect(completionRefusal(open, '2.7', 10_000)?.sentence).toContain('expired');
  expect(completionRefusal(open, '1.7', 9_999)).toMatchObject({ field: ['fence'] });
  const done = { ...open, completedAt: new Date(1), outcome: CommandOutcome.DONE };
  expect(completionRefusal(done, '2.7', 9_999)?.sentence).toContain('ended already: DONE');
});
