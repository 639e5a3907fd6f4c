import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { HouseAnswer, HouseClient } from '../../lib/call/house-client.ts';
import type { Call } from '../../lib/call/signing.ts';

export interface WireRequest {
  body: string;
  accept: string;
  call: Call;
  signal: AbortSignal;
}

/** How bytes get to one subgraph and back. Rejects when it cannot be reached, or on the signal. */
export interface Wire {
  readonly url: string;
  /** Gives the answer as it streams. */
  open(request: WireRequest): Promise<IncomingMessage>;
  close(): void;
}

/** Signed calls to a house of the platform. */
export function signedWire(client: HouseClient, url: string): Wire {
  return {
    url,
    open: ({ body, accept, call, signal }) => client.open('POST /graphql', { call, body, headers: { accept }, signal }),
    // Whoever made the client closes it.
    close() {},
  };
}

/** Plain calls to any GraphQL server, over pooled keep-alive connections. Follows no redirect. */
export function plainWire(address: string): Wire {
  const url = new URL(address);
  const secure = url.protocol === 'https:';
  const pool = { keepAlive: true, maxSockets: 256, keepAliveMsecs: 1_000 };
  const agent = secure ? new HttpsAgent(pool) : new HttpAgent(pool);
  const send = secure ? httpsRequest : httpRequest;
  const target = {
    agent,
    method: 'POST',
    hostname: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port,
    path: `${url.pathname}${url.search}`,
  };
  return {
    url: address,
    open: ({ body, accept, call, signal }) =>
      new Promise((resolve, reject) => {
        const headers = {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          accept,
          'x-request-id': call.requestId,
          ...(call.traceparent ? { traceparent: call.traceparent } : {}),
          ...(call.lastEventId ? { 'last-event-id': call.lastEventId } : {}),
        };
        send({ ...target, headers, signal }, resolve)
          .on('error', reject)
          .end(body);
      }),
    close: () => agent.destroy(),
  };
}

/**
 * Reads a whole answer.
 * @throws Error when it is over `maxBytes` or ends too early
 */
export async function readAnswer(response: IncomingMessage, maxBytes: number): Promise<HouseAnswer> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes) {
      response.destroy();
      throw new Error(`the answer is over ${maxBytes} bytes`);
    }
    chunks.push(chunk);
  }
  const body = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
  return { status: response.statusCode ?? 0, headers: response.headers, body };
}
