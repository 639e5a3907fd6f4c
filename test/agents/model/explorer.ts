import { faultOf, restFault, stepFault } from './invariants.ts';
import { RULES, type Rules } from './rules.ts';
import { stepsOf } from './steps.ts';
import { type Budget, firstWorld, keyOf, type World } from './world.ts';

/** What an exploration came to. */
export interface Explored {
  /** Distinct worlds that were reached. */
  states: number;
  steps: number;
  /** Worlds that were let come to rest. */
  rested: number;
  /** Whether there is no other world within the budget. */
  isWhole: boolean;
  depth: number;
  /** What went wrong first, and what led to it. */
  violation: { fault: string; trace: string[] } | undefined;
}

export interface Limits {
  /** Distinct worlds at most. */
  states: number;
  budget: Budget;
  /** Every so many worlds, one is let come to rest. */
  restEvery: number;
}

interface Visited {
  /** The world as JSON, until its steps were taken: a million worlds as objects are too many. */
  text: string;
  parent: Visited | undefined;
  what: string;
  depth: number;
}

/** Visits every world that can be reached, the nearest first, until one is wrong: what led there is then as short as can be. */
export function explore({ states, budget, restEvery }: Limits, rules: Rules = RULES): Explored {
  const first = firstWorld(budget);
  const known = new Set([keyOf(first)]);
  let frontier: Visited[] = [{ text: JSON.stringify(first), parent: undefined, what: 'it begins', depth: 0 }];
  const found: Explored = { states: 1, steps: 0, rested: 0, isWhole: false, depth: 0, violation: undefined };
  while (frontier.length) {
    const next: Visited[] = [];
    for (const visited of frontier) {
      const before = JSON.parse(visited.text) as World;
      visited.text = '';
      for (const step of stepsOf(before, rules)) {
        found.steps += 1;
        const { what } = step;
        const { world, fault: wrong } = step.happen();
        const reached = { text: '', parent: visited, what, depth: visited.depth + 1 };
        const key = keyOf(world);
        const isNew = !known.has(key);
        let fault = wrong ?? stepFault(before, what, world) ?? (isNew ? faultOf(world, rules) : undefined);
        if (isNew && !fault && known.size % restEvery === 0) {
          found.rested += 1;
          fault = restFault(world, rules);
        }
        if (fault)
          return { ...found, states: known.size, depth: reached.depth, violation: { fault, trace: traceOf(reached) } };
        if (!isNew) continue;
        known.add(key);
        found.depth = reached.depth;
        if (known.size >= states) return { ...found, states: known.size };
        reached.text = JSON.stringify(world);
        next.push(reached);
      }
    }
    frontier = next;
  }
  return { ...found, states: known.size, isWhole: true };
}

function traceOf(visited: Visited): string[] {
  const trace: string[] = [];
  for (let at: Visited | undefined = visited; at; at = at.parent) trace.unshift(at.what);
  return trace;
}
