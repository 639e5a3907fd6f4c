import type { ServerResponse } from 'node:http';
import { createSourceEventStream, type DocumentNode, execute } from 'graphql';
import type { Call } from '../call/signing.ts';
import type { Log } from '../log.ts';
import type { Subgraph } from '../subgraph.ts';
import { publicError } from './errors.ts';

const HEARTBEAT_MS = 10_000;

/** How often a bookmark is told, milliseconds; 10 s unless given. */
export interface StreamPace {
  heartbeatMs?: number;
}

export interface StreamRequest {
  document: DocumentNode;
  operationName?: string | null;
  variables?: Record<string, unknown>;
}

/** What a source of payloads may tell beside them. */
interface Source extends AsyncIterable<{ cursor?: string }> {
  bookmark?: () => string;
}

/**
 * Answers one subscription by server-sent events (graphql-sse, distinct connection): each `next` bears its cursor as `id:`,
 * a heartbeat bears the position read through (STREAMS.md 3.1).
 */
export async function streamSubscription(
  subgraph: Subgraph,
  request: StreamRequest,
  call: Call,
  response: ServerResponse,
  log: Log,
  { heartbeatMs = HEARTBEAT_MS }: StreamPace = {},
): Promise<void> {
  const { schema } = subgraph;
  const { document, operationName, variables } = request;
  const common = {
    schema,
    document,
    ...(operationName ? { operationName } : {}),
    ...(variables ? { variableValues: variables } : {}),
  };
  const source = await createSourceEventStream({ ...common, contextValue: subgraph.context(call) });
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' });
  if (!(Symbol.asyncIterator in source)) {
    writeNext(response, undefined, { errors: source.errors?.map((error) => publicError(error, call, log)) });
    response.end('event: complete\ndata:\n\n');
    return;
  }
  const events = source as Source;
  // The source stands behind an event as soon as it gives it: until that is written, its bookmark would step over it.
  let isTelling = false;
  let last: string | undefined;
  const beat = () => {
    if (response.writableNeedDrain) return;
    if (!isTelling) last = events.bookmark?.() ?? last;
    response.write(last ? `id: ${last}\n:\n\n` : ':\n\n');
  };
  // At once: a stream lost before its first event is resumed from here.
  beat();
  const heartbeat = setInterval(beat, heartbeatMs);
  const iterator = events[Symbol.asyncIterator]();
  const leave = () => void iterator.return?.();
  response.once('close', leave);
  try {
    for (;;) {
      isTelling = false;
      const step = await iterator.next();
      if (step.done) break;
      isTelling = true;
      const event = step.value;
      const answer = await execute({ ...common, rootValue: event, contextValue: subgraph.context(call) });
      const errors = answer.errors?.map((error) => publicError(error, call, log));
      const written = writeNext(response, event.cursor, { ...answer, ...(errors ? { errors } : {}) });
      last = event.cursor ?? last;
      if (!written && !response.destroyed) await drained(response);
    }
    if (!response.destroyed && !response.writableEnded) response.end();
  } catch (error) {
    // A final error is a `next` with errors, then the end that was not asked for: no `complete`.
    writeNext(response, last, { errors: [publicError(error, call, log)] });
    response.end();
  } finally {
    clearInterval(heartbeat);
    response.off('close', leave);
  }
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
  });
}

function writeNext(response: ServerResponse, id: string | undefined, answer: object): boolean {
  return response.write(`event: next\n${id ? `id: ${id}\n` : ''}data: ${JSON.stringify(answer)}\n\n`);
}
