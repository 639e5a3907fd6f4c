import { singleton } from '../../sdk/factory/index.ts';
import type { Desk, Task } from '../task.ts';
import { atWork, CHECKS, COMMANDS, changeVersion, defineTrade, LIFE, modelConfig, PARTS } from '../trade.ts';

/** What was asked lately, the oldest first; all librarians read one. */
export class Shelf {
  readonly #goals: string[] = [];

  get size(): number {
    return this.#goals.length;
  }

  has(goal: string): boolean {
    return this.#goals.includes(goal);
  }

  put(goal: string, room: number): void {
    this.#goals.push(goal);
    this.trim(room);
  }

  trim(room: number): void {
    this.#goals.splice(0, Math.max(0, this.#goals.length - room));
  }
}

/** Looks a goal up: what was asked lately is answered from the shelf, all else is searched for. */
export async function retrieve(desk: Desk, shelf: Shelf, room: number): Promise<string> {
  const { goal } = desk.task;
  const known = shelf.has(goal);
  desk.span.set({ 'cache.hit': known });
  desk.count(known ? 'shelf_hits_total' : 'shelf_misses_total', 1);
  if (!known) {
    await desk.toil('vector search', 30);
    await desk.think(200, 20);
    shelf.put(goal, room);
  }
  return `${3 + Math.floor(desk.chance() * 9)} documents`;
}

export const librarian = defineTrade({
  kind: 'librarian',
  version: '1.1.0',
  description: 'Looks goals up: from the shelf what was asked lately, by a search all else.',
  config: {
    type: 'object',
    properties: {
      ...modelConfig('gpt-5-mini', 0.2),
      shelfRoom: {
        description: 'How many goals the shelf keeps, the newest.',
        type: 'integer',
        minimum: 1,
        maximum: 10_000,
        default: 64,
      },
    },
  },
  capabilities: ['retrieve', 'embed'],
  provide: {
    ...PARTS,
    shelf: singleton(
      () => new Shelf(),
      (shelf) => shelf.trim(0),
    ),
  },
  hooks: {
    ...LIFE,
    afterConfig: (deps, context) => {
      deps.shelf.trim(deps.config.shelfRoom);
      LIFE.afterConfig(deps, context);
    },
  },
  commands: { ...COMMANDS, shelf: (_, { shelf }) => ({ size: shelf.size }) },
  checks: CHECKS,
  upgrade: changeVersion,
  work: (task: Task, deps) => atWork(task, deps, (desk) => retrieve(desk, deps.shelf, deps.config.shelfRoom)),
});
