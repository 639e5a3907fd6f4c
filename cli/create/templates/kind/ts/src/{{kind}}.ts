import { defineKind } from 'fleetgraph/sdk/factory';

/** What an agent of this kind is given to do. */
export interface Task {
  words: string[];
}

/** Agents of kind {{kind}}. One is built where `createFactory` has it among its kinds: `factory.create(kind, 'its-name')`. */
export const kind = defineKind({
  kind: '{{kind}}',
  version: '1.0.0',
  config: {
    type: 'object',
    properties: { depth: { type: 'integer', minimum: 1, maximum: 9, default: 1 } },
  },
  hooks: {
    afterStart: ({ agent, config }) => agent.log.info('ready', { depth: config.depth }),
  },
  checks: {
    depth: ({ config }) => ({ ok: config.depth < 9 }),
  },
  work: async ({ words }: Task, { agent, config }) => {
    const taken = words.slice(0, config.depth);
    agent.log.info('done', { taken: taken.length });
    return { taken };
  },
});
