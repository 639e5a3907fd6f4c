import { registerEnumType } from 'type-graphql';

export enum AgentState {
  REGISTERED = 'REGISTERED',
  STARTING = 'STARTING',
  RUNNING = 'RUNNING',
  PAUSED = 'PAUSED',
  STOPPING = 'STOPPING',
  STOPPED = 'STOPPED',
  FAILED = 'FAILED',
  QUARANTINED = 'QUARANTINED',
  RETIRED = 'RETIRED',
}
registerEnumType(AgentState, {
  name: 'AgentState',
  description: 'Where an agent is in its life.',
  valuesConfig: {
    REGISTERED: { description: 'Known, not started yet.' },
    STARTING: { description: 'On its way to work.' },
    RUNNING: { description: 'At work.' },
    PAUSED: { description: 'Holds its work until it is resumed.' },
    STOPPING: { description: 'On its way to rest.' },
    STOPPED: { description: 'At rest until it is started.' },
    FAILED: { description: 'It could not go on by itself.' },
    QUARANTINED: { description: 'Kept from work until somebody releases it.' },
    RETIRED: { description: 'Its life is over; nothing leads back.' },
  },
});

export enum HealthGrade {
  HEALTHY = 'HEALTHY',
  DEGRADED = 'DEGRADED',
  CRITICAL = 'CRITICAL',
  UNKNOWN = 'UNKNOWN',
}
registerEnumType(HealthGrade, {
  name: 'HealthGrade',
  description: 'A health score in one word.',
  valuesConfig: {
    HEALTHY: { description: 'A score of 80 or more.' },
    DEGRADED: { description: 'A score from 50 to 79.' },
    CRITICAL: { description: 'A score below 50.' },
    UNKNOWN: { description: 'It has never been heard of.' },
  },
});

export enum CommandOutcome {
  DONE = 'DONE',
  FAILED = 'FAILED',
  REFUSED = 'REFUSED',
  EXPIRED = 'EXPIRED',
}
registerEnumType(CommandOutcome, {
  name: 'CommandOutcome',
  description: 'How a command ended.',
  valuesConfig: {
    DONE: { description: 'The agent did it.' },
    FAILED: { description: 'The agent tried and could not.' },
    REFUSED: { description: 'The agent will not, or does not know how.' },
    EXPIRED: { description: 'Its time ran out, or a later event made it needless.' },
  },
});

export enum AgentOrderField {
  NAME = 'NAME',
  KIND = 'KIND',
  STATE = 'STATE',
  HEALTH = 'HEALTH',
  LAST_SEEN = 'LAST_SEEN',
  REGISTERED = 'REGISTERED',
}
registerEnumType(AgentOrderField, {
  name: 'AgentOrderField',
  description: 'What agents are sorted by.',
  valuesConfig: {
    NAME: { description: 'By name.' },
    KIND: { description: 'By kind.' },
    STATE: { description: 'By state, in the order of an agent’s life.' },
    HEALTH: { description: 'By health score.' },
    LAST_SEEN: { description: 'By the last beat; those never seen count as oldest.' },
    REGISTERED: { description: 'By when they were registered first.' },
  },
});

export enum Direction {
  ASC = 'ASC',
  DESC = 'DESC',
}
registerEnumType(Direction, {
  name: 'Direction',
  description: 'Which end of an order comes first.',
  valuesConfig: { ASC: { description: 'Least first.' }, DESC: { description: 'Greatest first.' } },
});
