import type { Call } from '../../lib/call/signing.ts';
import { ERROR_CODES, type ErrorCode, FleetError } from '../../lib/errors.ts';
import type { GraphAnswer, GraphRequest, StreamItem, SubgraphCaller } from '../engine.ts';
import type { Pause } from './pause.ts';

/** How a lost upstream is sought again. */
export interface ResumptionLimits {
  /** The first pause is at most this long, milliseconds; the most doubles each time. */
  firstPauseMs: number;
  longestPauseMs: number;
  /** Attempts in a row that brought nothing, before the client is told. */
  attempts: number;
  /** From how long on the reader is told that what he has may be old, milliseconds. */
  staleMs: number;
}

export interface ResumptionOptions {
  caller: SubgraphCaller;
  subgraph: string;
  request: GraphRequest;
  call: Call;
  signal: AbortSignal;
  /** Whether the request itself says after which cursor to start: then starting anew before the first cursor loses nothing. */
  startsAfterCursor: boolean;
  limits: ResumptionLimits;
  pause: Pause;
  nowMs: () => number;
  /** A number in [0, 1). */
  random: () => number;
}

/**
 * One upstream for as long as the client stays: when it is lost, it is opened again after the last cursor (STREAMS.md 4.4).
 * Ends when the upstream completes, or with its final error as the last item.
 * @throws FleetError as the upstream refused, or SUBGRAPH_UNAVAILABLE with the last cursor when it cannot be had again
 * without a hole
 */
export async function* resumed(options: ResumptionOptions): AsyncGenerator<StreamItem, void, undefined> {
  const { caller, subgraph, request, call, signal } = options;
  let last = call.lastEventId;
  let hasOpened = false;
  let failures = 0;
  let heardMs = options.nowMs();
  while (!signal.aborted) {
    let isLost = false;
    try {
      const from = last === undefined ? call : { ...call, lastEventId: last };
      for await (const item of caller.subscribe(subgraph, request, from, signal)) {
        isLost = item.answer !== undefined && isEnd(item.answer) && isRetryable(item.answer);
        if (isLost) break;
        failures = 0;
        heardMs = options.nowMs();
        hasOpened = true;
        // The same cursor again is the same event again: an upstream that resumed one too early.
        const isRepeated = item.answer !== undefined && item.id !== undefined && item.id === last;
        last = item.id ?? last;
        if (!isRepeated) yield item;
        if (item.answer && isEnd(item.answer)) return;
      }
      if (!isLost) return;
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof FleetError && !ERROR_CODES[error.code].retryable) throw error;
    }
    failures++;
    const hasHole = hasOpened && last === undefined && !options.startsAfterCursor;
    if (hasHole || failures > options.limits.attempts) throw lost(subgraph, last);
    if (options.nowMs() - heardMs >= options.limits.staleMs) yield { isStale: true };
    await options.pause(pauseMs(failures, options), signal);
  }
}

/** Full jitter, so that the clients of a house that comes back do not come all at once. */
function pauseMs(failures: number, { limits, random }: ResumptionOptions): number {
  return random() * Math.min(limits.longestPauseMs, limits.firstPauseMs * 2 ** (failures - 1));
}

function lost(subgraph: string, cursor: string | undefined): FleetError {
  const detail = { subgraph, ...(cursor === undefined ? {} : { cursor }) };
  return new FleetError(
    'SUBGRAPH_UNAVAILABLE',
    `the stream from ${subgraph} was lost: subscribe again after your last cursor`,
    detail,
  );
}

/** An answer without `data` is the last of its stream. */
function isEnd(answer: GraphAnswer): boolean {
  return !('data' in answer);
}

function isRetryable(answer: GraphAnswer): boolean {
  const code = answer.errors?.[0]?.extensions?.['code'];
  return typeof code === 'string' && Object.hasOwn(ERROR_CODES, code) && ERROR_CODES[code as ErrorCode].retryable;
}
