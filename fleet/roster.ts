import type { About, Kind } from '../sdk/factory/index.ts';
import { TRADES } from './kinds/index.ts';
import type { Task } from './task.ts';

export type KindName = keyof typeof TRADES;
export const KINDS = Object.keys(TRADES) as KindName[];

/** How many agents of each kind the demo has: 74 in all. */
export const ROSTER: Record<KindName, number> = {
  planner: 6,
  researcher: 12,
  librarian: 8,
  coder: 14,
  reviewer: 8,
  tester: 8,
  deployer: 4,
  summarizer: 8,
  monitor: 6,
};

/** The label that every agent of the demo has, and only they. */
export const DEMO_LABEL = 'fleet.demo';

const TEAMS = ['atlas', 'borealis', 'cygnus'] as const;
const REGIONS = ['eu-west', 'us-east'] as const;

/** One agent of the demo, before it is built. */
export interface Member {
  kind: Kind<Task, string>;
  name: string;
  about: About;
}

/** Who the demo's agents are, in the order they are registered: the kinds take turns, so that work can begin early. */
export function roster(): Member[] {
  const members: Member[] = [];
  const largest = Math.max(...Object.values(ROSTER));
  for (let number = 1; number <= largest; number++) {
    for (const kind of KINDS) if (number <= ROSTER[kind]) members.push(member(kind, number));
  }
  return members;
}

function member(kind: KindName, number: number): Member {
  const name = `${kind}-${String(number).padStart(2, '0')}`;
  return {
    kind: TRADES[kind],
    name,
    about: {
      endpoints: [{ name: 'tasks', url: `inproc://demo/${name}` }],
      labels: {
        [DEMO_LABEL]: 'true',
        team: TEAMS[number % TEAMS.length] as string,
        region: REGIONS[number % REGIONS.length] as string,
      },
    },
  };
}
