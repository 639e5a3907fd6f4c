import {
  CANARY_RULE,
  isSettled,
  isWorse,
  nextSwap,
  type Proposal,
  proposed,
  type SwapEvent,
  type SwapState,
} from '../../../router/schema/swap-rules.ts';

const PROPOSAL: Proposal = { id: 'p', from: 'file', force: false, isSame: false };
const NONE = { ran: 0, failed: 0 };
const BREAKS = [{ operation: 'Lamp', reason: 'Cannot query field "lamp" on type "Query".' }];

/** Where events lead, one after the other, all at the same time. */
function after(events: readonly SwapEvent[], proposal = PROPOSAL, rule = CANARY_RULE, nowMs = 0): SwapState {
  return events.reduce<SwapState>((state, event) => nextSwap(state, event, nowMs, rule)[0], proposed(proposal));
}

const CHECKED: SwapEvent[] = [{ kind: 'composed' }, { kind: 'checked', breaks: [] }];
const BUILT: SwapEvent[] = [...CHECKED, { kind: 'built' }];

test('a schema is composed, checked, tried for its time, and then current', () => {
  const trying = after(BUILT);
  expect(trying).toEqual({ phase: 'CANARY', proposal: PROPOSAL, untilMs: CANARY_RULE.forMs });
  const fine: SwapEvent = { kind: 'tallied', canary: { ran: 100, failed: 0 }, current: { ran: 900, failed: 0 } };
  expect(nextSwap(trying, fine, CANARY_RULE.forMs - 1, CANARY_RULE)).toEqual([trying, undefined]);
  const watch = { untilMs: 2 * CANARY_RULE.forMs, before: { ran: 900, failed: 0 } };
  expect(nextSwap(trying, fine, CANARY_RULE.forMs, CANARY_RULE)).toEqual([
    { phase: 'CURRENT', proposal: PROPOSAL, watch },
    'serve',
  ]);
});

test('one that is served is watched for as long again: errors that rise take it back, after that nothing does', () => {
  const current: SwapState = {
    phase: 'CURRENT',
    proposal: PROPOSAL,
    watch: { untilMs: 1_000, before: { ran: 50, failed: 0 } },
  };
  const tallied = (failed: number): SwapEvent => ({ kind: 'tallied', canary: { ran: 100, failed }, current: NONE });
  expect(nextSwap(current, tallied(2), 999, CANARY_RULE)).toEqual([current, undefined]);
  expect(nextSwap(current, tallied(3), 999, CANARY_RULE)).toEqual([
    {
      phase: 'ROLLED_BACK',
      proposal: PROPOSAL,
      reason: '3 of 100 operations failed; 0 of 50 did with the schema before',
    },
    'go back',
  ]);
  const settled = nextSwap(current, tallied(2), 1_000, CANARY_RULE)[0];
  expect(settled).toEqual({ phase: 'CURRENT', proposal: PROPOSAL });
  expect(nextSwap(settled, tallied(100), 1_001, CANARY_RULE)).toEqual([settled, undefined]);
});

test('one that is tried on nobody, or is the same as before, is current at once', () => {
  expect(after(BUILT, PROPOSAL, { ...CANARY_RULE, share: 0 }).phase).toBe('CURRENT');
  expect(after(BUILT, { ...PROPOSAL, isSame: true }).phase).toBe('CURRENT');
});

test('one that breaks recorded operations is refused with their names, unless it is forced', () => {
  const events: SwapEvent[] = [{ kind: 'composed' }, { kind: 'checked', breaks: BREAKS }];
  expect(after(events)).toEqual({
    phase: 'REFUSED',
    proposal: PROPOSAL,
    reason: 'it breaks 1 recorded operations\nLamp: Cannot query field "lamp" on type "Query".',
  });
  expect(after(events, { ...PROPOSAL, force: true }).phase).toBe('CHECKED');
});

test.each([
  [[], 'REFUSED'],
  [[{ kind: 'composed' }], 'REFUSED'],
  [CHECKED, 'REFUSED'],
  [BUILT, 'ROLLED_BACK'],
] as [SwapEvent[], string][])('a failure after %j: %s, with the reason', (events, phase) => {
  expect(after([...events, { kind: 'failed', reason: 'so' }])).toMatchObject({ phase, reason: 'so' });
});

test('rising errors roll it back; a few operations prove nothing, and errors that both have are not its own', () => {
  const rule = { ...CANARY_RULE, minSamples: 20, margin: 0.02 };
  expect(isWorse({ ran: 19, failed: 19 }, NONE, rule)).toBe(false);
  expect(isWorse({ ran: 20, failed: 1 }, { ran: 200, failed: 0 }, rule)).toBe(true);
  expect(isWorse({ ran: 20, failed: 10 }, { ran: 200, failed: 100 }, rule)).toBe(false);
  const worse: SwapEvent = { kind: 'tallied', canary: { ran: 20, failed: 20 }, current: { ran: 100, failed: 0 } };
  expect(after([...BUILT, worse])).toMatchObject({
    phase: 'ROLLED_BACK',
    reason: '20 of 20 operations failed; 0 of 100 did with the schema before',
  });
});

test('what is settled stays, and an event that does not belong there changes nothing', () => {
  const settled = after([{ kind: 'failed', reason: 'so' }]);
  expect(isSettled(settled)).toBe(true);
  expect(after([{ kind: 'failed', reason: 'so' }, ...BUILT])).toEqual(settled);
  expect(after([{ kind: 'built' }])).toEqual(proposed(PROPOSAL));
});
