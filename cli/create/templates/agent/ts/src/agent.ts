import { type Agent, CommandRefused } from 'fleetgraph/sdk';
import { type BuiltAgent, defineKind, perAgent } from 'fleetgraph/sdk/factory';

/** What an agent of this kind is given to do. */
export interface Task {
  name: string;
}

/** What it has done since it started. */
export class Tally {
  done = 0;
  failedInARow = 0;
}

/** Greets whom it is told to: put your own work in its place. */
export const agentKind = defineKind({
  kind: '{{kind}}',
  version: '1.0.0',
  // The platform stores it, this schema checks it, and its type follows from it. A configuration that does not fit is refused.
  config: {
    type: 'object',
    properties: {
      greeting: { type: 'string', minLength: 1, maxLength: 80, default: 'Hello' },
      maxLetters: { type: 'integer', minimum: 1, maximum: 200, default: 60 },
    },
  },
  capabilities: ['greet'],
  provide: {
    tally: perAgent(({ agent }: { agent: Agent }) => {
      agent.log.debug('tally begun');
      return new Tally();
    }),
  },
  hooks: {
    afterStart: ({ agent, config }) => agent.log.info('ready', { greeting: config.greeting }),
    onConfig: ({ agent, config }) => agent.log.info('configured', { ...config }),
    beforeStop: ({ agent, tally }) => agent.log.info('stopping', { done: tally.done }),
  },
  // Told with every beat; one that is not ok speaks against the agent's health.
  checks: {
    tasks: ({ tally }) =>
      tally.failedInARow < 3 ? { ok: true } : { ok: false, message: `${tally.failedInARow} tasks failed in a row` },
  },
  // A span, statistics and log lines of one trace come with each task.
  work: async ({ name }: Task, { agent, config, tally }) => {
    if (name.length > config.maxLetters) {
      tally.failedInARow++;
      throw new RangeError(`a name has at most ${config.maxLetters} letters`);
    }
    tally.failedInARow = 0;
    tally.done++;
    agent.log.info('greeted', { letters: name.length });
    agent.counter('greetings_total', 1);
    return { text: `${config.greeting}, ${name}!` };
  },
});

/** Takes tasks by the command `greet`; its trace goes on where the command came from. */
export function takeTasks(built: BuiltAgent<Task, { text: string }>): void {
  built.agent.onCommand('greet', ({ name, traceparent }) => {
    if (typeof name !== 'string' || name === '') throw new CommandRefused('name is a text');
    return built.do({ name }, { traceparent: typeof traceparent === 'string' ? traceparent : undefined });
  });
}
