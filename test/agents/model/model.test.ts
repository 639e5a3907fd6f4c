import { explore } from './explorer.ts';
import { RULES, type Rules } from './rules.ts';

const BUDGET = { asks: 2, sends: 1, crashes: 1, starts: 1, losses: 1, silences: 1, failures: 1 };
const LIMITS = { states: 10_000, budget: BUDGET, restEvery: 50 };

describe('one agent, its processes and the platform, whatever is lost, late or killed', () => {
  test('by the rules as they are nothing is wrong in the nearest 10,000 worlds', () => {
    const found = explore(LIMITS);
    expect(found.violation).toBeUndefined();
    expect(found).toMatchObject({ states: 10_000, isWhole: false });
    expect(found.rested).toBeGreaterThan(150);
  });

  test('a small world is visited whole, and the same each time', () => {
    const small = { asks: 1, sends: 0, crashes: 0, starts: 0, losses: 0, silences: 0, failures: 0 };
    const found = explore({ ...LIMITS, budget: small });
    expect(found).toMatchObject({ isWhole: true, violation: undefined });
    expect(explore({ ...LIMITS, budget: small })).toEqual(found);
  });

  const { move, completionRefusal, dealingWith, recoveryOf } = RULES;
  const wrong: [string, Partial<Rules>, RegExp][] = [
    [
      'retirement is not final',
      {
        actionsOf: () => ['start'],
        move: (name, life, action) =>
          life.desired === 'RETIRED'
            ? { ...life, desired: 'RUNNING' as never }
            : move(name, life, action === 'start' ? 'retire' : action),
      },
      /retirement/,
    ],
    [
      'quarantine is seen as what the agent says',
      { observedState: (_desired, reported) => reported },
      /in quarantine it is seen as/,
    ],
    [
      'the platform restarts whoever is silent',
      { recoveryOf: (facts, ...rest) => recoveryOf({ ...facts, desired: 'RUNNING' as never }, ...rest) },
      /stepped in for one|cannot be restarted/,
    ],
    [
      'a fence is not looked at',
      { completionRefusal: (command, _fence, nowMs) => completionRefusal(command, command.fence, nowMs) },
      /a process that it was taken from/,
    ],
    ['an end is taken twice', { completionRefusal: () => undefined }, /ended twice/],
    ['the process before is given mail too', { isNewest: () => true }, /done twice under the fence/],
    [
      'a new process gets the fences of the one before',
      { fenceOf: (_incarnation, n) => `1.${n}` },
      /done twice under the fence/,
    ],
    [
      'a command that was overtaken is done all the same',
      { dealingWith: (fence, taken) => dealingWith(fence, taken, 0) },
      /was done behind command/,
    ],
    [
      'a command is done each time it arrives',
      { dealingWith: (fence, _taken, newest) => dealingWith(fence, undefined, newest - 1) },
      /done twice under the fence/,
    ],
    ['the key of an end is without its fence', { keyOfEnd: (n) => String(n) }, /stays so/],
  ];
  test.each(wrong)('it is found out when %s', (_what, rules, fault) => {
    const { violation } = explore({ ...LIMITS, states: 60_000, restEvery: 1 }, { ...RULES, ...rules });
    expect(violation?.fault).toMatch(fault);
    expect(violation?.trace[0]).toBe('it begins');
  });
});
