import type { ServerResponse } from 'node:http';
import type { Principal } from '../../lib/call/principal.ts';
import { FleetError } from '../../lib/errors.ts';
import { GONE } from '../leave-signal.ts';
import type { StreamBatch } from '../subscribe/stream-batch.ts';
import { BoundedStream, STREAM_QUEUE } from './bounded-stream.ts';
import { drained } from './drained.ts';
import type { LiveStreams } from './live-streams.ts';
import { Reply } from './reply.ts';
import { PLAIN_HEADERS } from './send.ts';

export const HEARTBEAT_MS = 15_000;
/** How long a cut reader may take to fetch the error it is cut with, milliseconds. */
export const LAST_WORDS_MS = 3_000;

const COMPLETE = 'event: complete\ndata:\n\n';

export interface SseOptions {
  response: ServerResponse;
  headers: Readonly<Record<string, string>>;
  principal: Principal;
  token: string | undefined;
  streams: LiveStreams;
  heartbeatMs?: number;
  /** Whether the client asked for heartbeats as payloads. */
  wantsHeartbeat?: boolean;
}

/**
 * Answers by server-sent events (graphql-sse, distinct connection): `id:` is the cursor, a heartbeat bears a bookmark.
 * `complete` is said only when the source itself came to its end (STREAMS.md 4.6).
 * @param source begins when the first item is asked for, ends on the signal
 */
export async function answerByEvents(
  source: (signal: AbortSignal) => AsyncIterable<StreamBatch>,
  options: SseOptions,
): Promise<void> {
  const { response, streams, principal, token } = options;
  // Whoever left while it was admitted is not told of it again.
  if (response.destroyed) return;
  const ended = new AbortController();
  ended.signal.addEventListener('abort', () => setTimeout(() => cut(response), LAST_WORDS_MS).unref());
  writeEventsHead(response, options.headers);
  const stream = new BoundedStream(
    source(ended.signal),
    () => ended.abort(GONE),
    STREAM_QUEUE,
    () => streams.countSlow(),
  );
  const leave = () => stream.close();
  response.once('close', leave);
  let told: string | undefined;
  const heartbeat = setInterval(() => {
    const place = stream.bookmark;
    // A reader whose buffer is full needs no sign of life, and must not be buffered more.
    if (response.writableNeedDrain) return;
    if (options.wantsHeartbeat) response.write(stream.heartbeat.frames);
    response.write(place === undefined || place === told ? ':\n\n' : `id: ${place}\n:\n\n`);
    told = place;
  }, options.heartbeatMs ?? HEARTBEAT_MS);
  let isCut = false;
  const remove = streams.add({
    principal,
    token,
    expire: () => stream.fail(new FleetError('UNAUTHENTICATED', 'your token ended: subscribe with a new one')),
    drain: () => {
      isCut = true;
      stream.close();
    },
  });
  try {
    const isFinal = await pump(stream, response);
    if (!response.destroyed) response.end(isCut || isFinal ? undefined : COMPLETE);
  } finally {
    remove();
    clearInterval(heartbeat);
    response.off('close', leave);
    ended.abort(GONE);
  }
}

/** Begins an answer by server-sent events. */
export function writeEventsHead(response: ServerResponse, headers: Readonly<Record<string, string>>): void {
  response.writeHead(200, {
    ...PLAIN_HEADERS,
    ...(response instanceof Reply ? { 'x-request-id': response.requestId } : {}),
    ...headers,
    'content-type': 'text/event-stream; charset=utf-8',
    'x-accel-buffering': 'no',
  });
  // Some browsers take the head only with something behind it.
  response.write(':\n\n');
}

/** Lets go of a reader that does not fetch the end. */
function cut(response: ServerResponse): void {
  if (!response.writableFinished) response.destroy();
}

/** @returns whether its last item was an error that ended it */
async function pump(stream: BoundedStream, response: ServerResponse): Promise<boolean> {
  let isFinal = false;
  for await (const batch of stream) {
    isFinal = batch.isFinal;
    const isFull = !response.write(batch.frames);
    if (isFull && !response.destroyed) await drained(response);
    if (response.destroyed) break;
  }
  return isFinal;
}
