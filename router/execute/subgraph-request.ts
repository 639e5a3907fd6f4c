import type { GraphRequest } from '../engine.ts';

/** A request to a subgraph, written as JSON already: nearly all of them only ever leave as bytes. */
export class SubgraphRequest implements GraphRequest {
  constructor(
    readonly query: string,
    readonly operationName: string | undefined,
    /** The whole request as JSON. */
    readonly text: string,
  ) {}

  /** For who runs it in this process. */
  get variables(): Record<string, unknown> {
    return (JSON.parse(this.text) as { variables: Record<string, unknown> }).variables;
  }

  toJSON(): object {
    return JSON.parse(this.text);
  }
}

/** A request as the bytes that go to a subgraph. */
export function bodyOf(request: GraphRequest): string {
  return request instanceof SubgraphRequest ? request.text : JSON.stringify(request);
}
