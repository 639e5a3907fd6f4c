import type { GraphAnswer } from '../engine.ts';
import { type StreamPlan, someStep } from '../plan/steps.ts';
import { EventFaults } from './event-faults.ts';
import type { Faults } from './faults.ts';
import { emptyObject, type JsonObject } from './json.ts';
import { Run, type RunOptions } from './run.ts';

/** One event as its subgraph told it, and what is wrong with it. */
export interface EventFacts {
  answer: GraphAnswer;
  faults: Faults;
}

/**
 * Joins other subgraphs' fields to events. Several are run as one: each root key becomes the list of the events' values, so
 * that what they ask of a subgraph is one fetch with every entity in it once.
 * @returns the data of each
 */
export async function runEvents(
  events: readonly EventFacts[],
  { source, join }: StreamPlan,
  options: Omit<RunOptions, 'faults' | 'isOfEvents'>,
): Promise<JsonObject[]> {
  const runs = events.map(({ answer, faults }) => {
    const run = new Run({ ...options, faults });
    run.take(source, answer);
    return run;
  });
  if (join && (runs.length === 1 || someStep(join, ({ kind }) => kind === 'root'))) {
    await Promise.all(runs.map((run) => run.step(join)));
    for (const run of runs) run.settle();
  } else if (join && runs.length > 1) {
    const faults = new EventFaults(events.map((event) => event.faults));
    const all = new Run({ ...options, faults, isOfEvents: true }, listed(runs));
    await all.step(join);
    all.settle();
  }
  return runs.map(({ data }) => data);
}

/** The values of each root key, event by event. They stay parts of the events' own data. */
function listed(runs: readonly Run[]): JsonObject {
  const all = emptyObject();
  for (const { data } of runs) {
    for (const key of Object.keys(data)) all[key] ??= runs.map((run) => run.data[key] ?? null);
  }
  return all;
}
