import { AlertState } from '../../subgraphs/alerts/entity/enums.ts';
import { type Life, type LifeEvent, type LifeStep, nextLife } from '../../subgraphs/alerts/service/life.ts';

const RULE = { forMs: 10_000, keepFiringForMs: 5_000 };
const AT_ONCE = { forMs: 0, keepFiringForMs: 0 };

/** Plays events at seconds and tells the state and effects after each. */
function play(rule: typeof RULE, ...events: [second: number, event: LifeEvent][]): string[] {
  let life: Life | undefined;
  return events.map(([second, event]) => {
    const [next, effects]: LifeStep = nextLife(life, event, rule, second * 1_000);
    life = next;
    return [life?.state ?? 'none', ...effects].join(' ');
  });
}

test('an alert fires once its condition held for as long as the rule asks, and is resolved once it was clear as long', () => {
  const told = play(
    RULE,
    [0, 'BREACHED'],
    [5, 'BREACHED'],
    [10, 'BREACHED'],
    [15, 'BREACHED'],
    [20, 'CLEARED'],
    [22, 'CLEARED'],
    [25, 'CLEARED'],
  );
  expect(told).toEqual([
    'PENDING OPENED',
    'PENDING',
    'FIRING FIRED',
    'FIRING',
    'RECOVERING RECOVERING',
    'RECOVERING',
    'RESOLVED RESOLVED',
  ]);
});

test('a condition that clears while it is pending tells nobody', () => {
  expect(play(RULE, [0, 'BREACHED'], [5, 'CLEARED'], [6, 'CLEARED'])).toEqual([
    'PENDING OPENED',
    'RESOLVED LAPSED',
    'none',
  ]);
});

test('a breach while it recovers is the same alert, firing again, and its clear time starts anew', () => {
  const told = play(
    { ...RULE, forMs: 0 },
    [0, 'BREACHED'],
    [1, 'CLEARED'],
    [3, 'BREACHED'],
    [4, 'CLEARED'],
    [8, 'CLEARED'],
    [9, 'CLEARED'],
  );
  expect(told).toEqual([
    'FIRING OPENED FIRED',
    'RECOVERING RECOVERING',
    'FIRING FIRED_AGAIN',
    'RECOVERING RECOVERING',
    'RECOVERING',
    'RESOLVED RESOLVED',
  ]);
});

test('without times an alert fires and is resolved at once, and a later breach is a new one', () => {
  expect(play(AT_ONCE, [0, 'BREACHED'], [1, 'CLEARED'], [2, 'BREACHED'])).toEqual([
    'FIRING OPENED FIRED',
    'RESOLVED RESOLVED',
    'FIRING OPENED FIRED',
  ]);
});

test('one that is resolved by hand opens nothing anew until its condition was clear once', () => {
  expect(play(AT_ONCE, [0, 'BREACHED'], [1, 'RESOLVED'], [2, 'BREACHED'], [3, 'CLEARED'], [4, 'BREACHED'])).toEqual([
    'FIRING OPENED FIRED',
    'RESOLVED RESOLVED',
    'RESOLVED',
    'RESOLVED',
    'FIRING OPENED FIRED',
  ]);
});

test('one that is resolved by hand while it recovers holds nothing back', () => {
  expect(play({ ...RULE, forMs: 0 }, [0, 'BREACHED'], [1, 'CLEARED'], [2, 'RESOLVED'], [3, 'BREACHED'])).toEqual([
    'FIRING OPENED FIRED',
    'RECOVERING RECOVERING',
    'RESOLVED RESOLVED',
    'FIRING OPENED FIRED',
  ]);
});

test('what a caller raises fires whatever the rule of time; what is not there is not resolved', () => {
  expect(play(RULE, [0, 'RESOLVED'], [1, 'RAISED'])).toEqual(['none', 'FIRING OPENED FIRED']);
  const [life] = nextLife(undefined, 'RAISED', RULE, 7);
  expect(life).toEqual({
    state: AlertState.FIRING,
    startedAtMs: 7,
    firedAtMs: 7,
    clearSinceMs: null,
    resolvedAtMs: null,
    held: false,
  });
});
