import { rolloutPicture, type ShownRollout } from '../../cli/output/rollout.ts';

test('a rollout is drawn with its waves and what its gate says, without what would move the reader’s cursor', () => {
  const none = { waiting: 0, changing: 0, ready: 0, lost: 0, back: 0, gone: 0 };
  const rollout: ShownRollout = {
    ...{ id: 'r1', kind: 'coder', version: '4.0.0', state: 'WAVE', stage: 1, reason: 'as good\u001b[2J', looks: 7 },
    stages: [
      { ...none, name: 'canary', agents: 2, ready: 2 },
      { ...none, name: 'wave 1', agents: 30, ready: 20, changing: 4, lost: 1, waiting: 5 },
      { ...none, name: 'wave 2', agents: 10, waiting: 10 },
    ],
    findings: [
      { metric: 'errors', outcome: 'PASS', probability: 0.4, sentence: 'errors: 1 % against 1 %' },
      { metric: 'alerts', outcome: 'WAIT', probability: null, sentence: 'alerts: nobody can say' },
    ],
  };
  expect(rolloutPicture(rollout).split('\n')).toEqual([
    'coder 4.0.0  WAVE  as good [2J',
    `  canary ${'█'.repeat(30)} 2/2 on it`,
    `▸ wave 1 ${'█'.repeat(20)}▒▒▒▒✗░░░░░ 20/30 on it, 1 lost`,
    `  wave 2 ${'░'.repeat(30)} 0/10 on it`,
    'gate, look 7:',
    '  ✓ errors: 1 % against 1 %',
    '  … alerts: nobody can say',
    'r1',
  ]);
});
