import { FleetError } from '../lib/errors.ts';

/** On an answer that is not fresh: its age, milliseconds. A symbol, so that no subgraph can say so of its own. */
export const STALE_MS: unique symbol = Symbol('staleMs');

/** A part of an answer that is not fresh. */
export interface DegradedPart {
  subgraph: string;
  ageMs: number;
  /** Where in the answer it is, as far as the router knows. */
  paths: readonly (readonly (string | number)[])[];
}

/** A required subgraph cannot answer: a query that asks it is refused whole. */
export class RequiredUnavailable extends FleetError {
  constructor(subgraph: string, retryAfterMs: number) {
    super('SUBGRAPH_UNAVAILABLE', `${subgraph} cannot answer now, and there is no answer without it`, {
      subgraph,
      retryAfterMs,
    });
  }
}
