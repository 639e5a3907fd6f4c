import type { DocumentNode } from 'graphql';
import type { Engine, GraphRequest, Prepared } from '../engine.ts';

/** One schema while it is served. It is held by what was prepared with it, and goes with the last of that. */
export interface Generation {
  /** 1 for the one the router started with; a later one has a higher number. */
  readonly number: number;
  readonly engine: Engine;
  readonly supergraphSdl: string;
  readonly loadedAtMs: number;
}

/** What was prepared, and where: it is run there, whatever the schema is by then. */
export class PlacedOperation implements Prepared {
  readonly kind: Prepared['kind'];
  readonly name: string | undefined;
  readonly rootFields: readonly string[];
  readonly document: DocumentNode;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly cost: number;
  readonly introspects: boolean;

  constructor(
    readonly inner: Prepared,
    readonly generation: Generation,
    /** As the client sent it: to prepare it anew. */
    readonly request: GraphRequest,
  ) {
    this.kind = inner.kind;
    this.name = inner.name;
    this.rootFields = inner.rootFields;
    this.document = inner.document;
    this.variables = inner.variables;
    this.cost = inner.cost;
    this.introspects = inner.introspects;
  }
}
