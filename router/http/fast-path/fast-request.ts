import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';

/** An ordinary question to the graph, there whole: as much of node's IncomingMessage as is looked at. */
export class FastRequest {
  readonly method = 'POST';
  readonly url = '/graphql';

  constructor(
    readonly headers: IncomingHttpHeaders,
    readonly body: Buffer,
    readonly socket: Socket,
  ) {}
}
