import { registerEnumType } from 'type-graphql';

export enum RolloutState {
  SCHEDULED = 'SCHEDULED',
  BASELINE = 'BASELINE',
  CANARY = 'CANARY',
  WAVE = 'WAVE',
  PAUSED = 'PAUSED',
  REVERTING = 'REVERTING',
  REVERTED = 'REVERTED',
  ABORTED = 'ABORTED',
  SUCCEEDED = 'SUCCEEDED',
}
registerEnumType(RolloutState, {
  name: 'RolloutState',
  description: 'Where a rollout is.',
  valuesConfig: {
    SCHEDULED: { description: 'It waits for its time.' },
    BASELINE: { description: 'Everybody is watched as they are; nothing is changed yet.' },
    CANARY: { description: 'The first few have the new version and are compared with the others.' },
    WAVE: { description: 'More of them get it, wave by wave.' },
    PAUSED: { description: 'Nobody else gets it until it is resumed; it is watched all the same.' },
    REVERTING: { description: 'Those that have it go back to what they had.' },
    REVERTED: { description: 'It did harm, and is taken back.' },
    ABORTED: { description: 'Somebody ended it, and it is taken back.' },
    SUCCEEDED: { description: 'All have it.' },
  },
});

export enum RolloutPhase {
  WAITING = 'WAITING',
  SENT = 'SENT',
  READY = 'READY',
  LOST = 'LOST',
  BACK_SENT = 'BACK_SENT',
  BACK = 'BACK',
  GONE = 'GONE',
}
registerEnumType(RolloutPhase, {
  name: 'RolloutPhase',
  description: 'Where one agent of a rollout is.',
  valuesConfig: {
    WAITING: { description: 'It has the version it had.' },
    SENT: { description: 'It is asked to take the new one.' },
    READY: { description: 'It works with the new one.' },
    LOST: { description: 'It did not come up, failed, or is not heard.' },
    BACK_SENT: { description: 'It is asked to go back.' },
    BACK: { description: 'It works with what it had.' },
    GONE: { description: 'It is no longer in the fleet, or its configuration could not be carried over.' },
  },
});
