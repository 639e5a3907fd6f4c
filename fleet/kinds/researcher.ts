import { perAgent } from '../../sdk/factory/index.ts';
import type { Desk, Task } from '../task.ts';
import { atWork, CHECKS, COMMANDS, changeVersion, defineTrade, LIFE, modelConfig, PARTS } from '../trade.ts';

/** How much a researcher has read. */
export interface Notebook {
  sources: number;
}

/** Reads what the librarians find; now and then needs a second round. */
export async function research(desk: Desk, notebook: Notebook, secondRoundShare: number): Promise<string> {
  const rounds = desk.chance() < secondRoundShare ? 2 : 1;
  let sources = 0;
  for (let round = 1; round <= rounds; round++) {
    const found = await desk.ask('librarian', desk.task.goal);
    sources += Number.parseInt(found, 10) || 0;
    await desk.think(2_400, 350);
  }
  notebook.sources += sources;
  desk.log('research done', { 'research.sources': sources, 'research.rounds': rounds });
  desk.count('sources_read_total', sources);
  return `${sources} sources read`;
}

export const researcher = defineTrade({
  kind: 'researcher',
  version: '1.8.2',
  description: 'Reads what the librarians find, now and then in a second round.',
  config: {
    type: 'object',
    properties: {
      ...modelConfig('gemini-2.5-pro', 0.7),
      secondRoundShare: {
        description: 'Share of the tasks that take a second round of reading.',
        type: 'number',
        minimum: 0,
        maximum: 1,
        default: 0.25,
      },
    },
  },
  capabilities: ['search', 'read'],
  dependsOn: ['librarian'],
  provide: { ...PARTS, notebook: perAgent((): Notebook => ({ sources: 0 })) },
  hooks: {
    ...LIFE,
    afterStop: (deps, context) => {
      deps.agent.event('notebook', { sources: deps.notebook.sources });
      LIFE.afterStop(deps, context);
    },
  },
  commands: { ...COMMANDS, notebook: (_, { notebook }) => ({ ...notebook }) },
  checks: CHECKS,
  upgrade: changeVersion,
  work: (task: Task, deps) => atWork(task, deps, (desk) => research(desk, deps.notebook, deps.config.secondRoundShare)),
});
