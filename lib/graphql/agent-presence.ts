import { registerEnumType } from 'type-graphql';

/** The agents house tells it, alert rules ask for it. One copy, identical in both. */
export enum AgentPresence {
  ONLINE = 'ONLINE',
  SUSPECT = 'SUSPECT',
  OFFLINE = 'OFFLINE',
}
registerEnumType(AgentPresence, {
  name: 'AgentPresence',
  description: 'Whether an agent is there, by its lease.',
  valuesConfig: {
    ONLINE: { description: 'Its lease holds.' },
    SUSPECT: { description: 'It missed a beat.' },
    OFFLINE: { description: 'Its lease has ended.' },
  },
});
