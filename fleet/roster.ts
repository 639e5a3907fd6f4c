import type { AgentDefinition } from '../sdk/index.ts';

/** How many agents of each kind the demo has: 74 in all. */
export const ROSTER = {
  planner: { count: 6, version: '2.3.0', model: 'gpt-5', capabilities: ['plan', 'delegate'] },
  researcher: { count: 12, version: '1.8.2', model: 'gemini-2.5-pro', capabilities: ['search', 'read'] },
  librarian: { count: 8, version: '1.1.0', model: 'gpt-5-mini', capabilities: ['retrieve', 'embed'] },
  coder: { count: 14, version: '3.0.1', model: 'claude-sonnet-4-5', capabilities: ['write-code', 'refactor'] },
  reviewer: { count: 8, version: '1.4.0', model: 'claude-sonnet-4-5', capabilities: ['review'] },
  tester: { count: 8, version: '2.0.0', model: 'claude-haiku-4-5', capabilities: ['run-tests'] },
  deployer: { count: 4, version: '1.2.5', model: 'gpt-5-mini', capabilities: ['deploy', 'roll-back'] },
  summarizer: { count: 8, version: '1.6.0', model: 'claude-haiku-4-5', capabilities: ['summarize'] },
  monitor: { count: 6, version: '1.0.3', model: 'gpt-5-mini', capabilities: ['patrol'] },
} as const;

export type Kind = keyof typeof ROSTER;
export const KINDS = Object.keys(ROSTER) as Kind[];

/** The label that every agent of the demo has, and only they. */
export const DEMO_LABEL = 'fleet.demo';

const TEAMS = ['atlas', 'borealis', 'cygnus'] as const;
const REGIONS = ['eu-west', 'us-east'] as const;

/** Who the demo's agents are, in the order they are registered: the kinds take turns, so that work can begin early. */
export function roster(): AgentDefinition[] {
  const definitions: AgentDefinition[] = [];
  const largest = Math.max(...KINDS.map((kind) => ROSTER[kind].count));
  for (let number = 1; number <= largest; number++) {
    for (const kind of KINDS) if (number <= ROSTER[kind].count) definitions.push(define(kind, number));
  }
  return definitions;
}

function define(kind: Kind, number: number): AgentDefinition {
  const { version, model, capabilities } = ROSTER[kind];
  const name = `${kind}-${String(number).padStart(2, '0')}`;
  return {
    name,
    kind,
    version,
    capabilities: [...capabilities],
    endpoints: [{ name: 'tasks', url: `inproc://demo/${name}` }],
    labels: {
      [DEMO_LABEL]: 'true',
      team: TEAMS[number % TEAMS.length] as string,
      region: REGIONS[number % REGIONS.length] as string,
    },
    config: { model, maxConcurrentTasks: 1, temperature: kind === 'researcher' ? 0.7 : 0.2 },
  };
}
