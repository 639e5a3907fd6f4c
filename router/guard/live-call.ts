import type { Call } from '../../lib/call/signing.ts';
import type { FleetError } from '../../lib/errors.ts';
import type { GraphRequest, StreamItem } from '../engine.ts';
import { bodyOf } from '../execute/subgraph-request.ts';
import { TimedOut } from '../wire/exchange.ts';
import { type WireStream, wholeOf } from '../wire/streamed-answer.ts';
import { MalformedAnswer, parseAnswer, readGraphAnswer, refusalIn } from './answer.ts';
import { through } from './any-call.ts';
import { type ServerSentEvent, serverSentEvents } from './event-stream.ts';
import type { Lane } from './lane.ts';
import type { Replica } from './replica.ts';

/** One stream from one subgraph. Returning means it completed. @throws anything when it is lost before that */
export async function* callLive(
  lane: Lane,
  request: GraphRequest,
  call: Call,
  signal: AbortSignal,
): AsyncGenerator<StreamItem, void> {
  const { stream, replica } = await through(
    lane,
    (deadline, chosen) => open(lane, chosen, request, call, signal, deadline),
    { signal, isStream: true, refusalOf: (error) => (error instanceof Refusal ? error.cause : undefined) },
  );
  const { silenceMs, maxAnswerBytes } = lane.limits;
  const silence = setTimeout(() => stream.destroy(new Error('the upstream fell silent')), silenceMs);
  replica.addStream(stream);
  try {
    for await (const event of serverSentEvents(stream.chunks, maxAnswerBytes)) {
      silence.refresh();
      if (event.event === 'complete') return;
      yield itemOf(event);
    }
  } finally {
    clearTimeout(silence);
    replica.removeStream(stream);
  }
  throw new Error('the upstream ended without completing');
}

async function open(
  { limits }: Lane,
  replica: Replica,
  request: GraphRequest,
  call: Call,
  signal: AbortSignal,
  deadline: AbortSignal,
): Promise<{ stream: WireStream; replica: Replica }> {
  const { timeoutMs, maxAnswerBytes: maxBytes } = limits;
  const stream = await replica.wire.open({ body: bodyOf(request), call, signal, timeoutMs, maxBytes });
  const { status, contentType } = stream;
  if (status === 200 && contentType?.startsWith('text/event-stream')) return { stream, replica };
  // What came instead of a stream ends by itself, and within the same time.
  const cut = () => stream.destroy(new TimedOut());
  deadline.addEventListener('abort', cut, { once: true });
  const answer = readGraphAnswer({ status, contentType, body: await wholeOf(stream.chunks, maxBytes) });
  deadline.removeEventListener('abort', cut);
  const refusal = refusalIn(answer);
  throw refusal ? new Refusal(refusal) : new MalformedAnswer('it gave no event stream');
}

/** A subgraph's own coded refusal of a stream: an answer, not a failure. */
class Refusal extends Error {
  constructor(override readonly cause: FleetError) {
    super(cause.message);
  }
}

function itemOf({ event, id, data }: ServerSentEvent): StreamItem {
  const cursor = id ? { id } : {};
  return event === 'next' && data !== undefined ? { ...cursor, answer: parseAnswer(data) } : cursor;
}
