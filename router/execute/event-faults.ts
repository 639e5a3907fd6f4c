import type { Faults } from './faults.ts';
import type { AnswerPath } from './json.ts';

/** Where a run tells what went wrong. */
export type FaultNotes = Pick<Faults, 'add' | 'emptied' | 'degrade' | 'explains'>;

/** Faults of a run over several events at once, each told to the event it is of: paths are `root key, event, …`. */
export class EventFaults implements FaultNotes {
  constructor(private readonly events: readonly Faults[]) {}

  add(error: unknown, path: AnswerPath | undefined, subgraph: string): void {
    const event = this.#eventAt(path);
    if (event && path) event.add(error, within(path), subgraph);
    else for (const each of this.events) each.add(error, path, subgraph);
  }

  emptied(path: AnswerPath): void {
    this.#eventAt(path)?.emptied(within(path));
  }

  explains(path: AnswerPath): boolean {
    return this.#eventAt(path)?.explains(within(path)) ?? false;
  }

  degrade(subgraph: string, ageMs: number, paths: readonly AnswerPath[]): void {
    for (const [at, event] of this.events.entries()) {
      const own = paths.filter((path) => path[1] === at);
      if (own.length > 0) event.degrade(subgraph, ageMs, own.map(within));
    }
  }

  #eventAt(path: AnswerPath | undefined): Faults | undefined {
    return typeof path?.[1] === 'number' ? this.events[path[1]] : undefined;
  }
}

/** The path as it is in the event's own answer. */
function within(path: AnswerPath): AnswerPath {
  return [...path.slice(0, 1), ...path.slice(2)];
}
