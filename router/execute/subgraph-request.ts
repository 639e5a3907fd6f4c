import type { GraphRequest } from '../engine.ts';

/** A request to a subgraph, written as JSON already: nearly all of them only ever leave as bytes. */
export class SubgraphRequest implements GraphRequest {
  constructor(
    readonly query: string,
    readonly operationName: string | undefined,
    /** The whole request as JSON. */
    readonly text: string,
    /** What it counts for where calls are counted: one, or each entity it asks for. */
    readonly weight = 1,
  ) {}

  /** For who runs it in this process. */
  get variables(): Record<string, unknown> {
    return (JSON.parse(this.text) as { variables: Record<string, unknown> }).variables;
  }

  toJSON(): object {
    return JSON.parse(this.text);
  }
}

/** What a request counts for where calls to a subgraph are counted. */
export function weightOf(request: GraphRequest): number {
  return request instanceof SubgraphRequest ? request.weight : 1;
}

/** A request as the bytes that go to a subgraph. */
export function bodyOf(request: GraphRequest): string {
  return request instanceof SubgraphRequest ? request.text : JSON.stringify(request);
}
