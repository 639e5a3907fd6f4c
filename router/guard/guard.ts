import type { Call } from '../../lib/call/signing.ts';
import type { Clock } from '../../lib/clock.ts';
import { asFleetError, FleetError, messageOf } from '../../lib/errors.ts';
import type { GraphAnswer, GraphRequest, StreamItem, SubgraphCaller } from '../engine.ts';
import { fetchSpan } from '../spans.ts';
import { brokeInside, MalformedAnswer, parseAnswer, readGraphAnswer, refusalIn } from './answer.ts';
import { BREAKER_POLICY, type BreakerPolicy } from './breaker.ts';
import { type BreakerMove, Circuit, type Outcome } from './circuit.ts';
import { callDeadline } from './deadline.ts';
import { type ServerSentEvent, serverSentEvents } from './event-stream.ts';
import { readAnswer, type Wire } from './wire.ts';

export interface GuardLimits {
  /** How long one call may take, milliseconds. */
  timeoutMs: number;
  /** Calls a second to one subgraph. */
  limitPerSecond: number;
  /** The largest answer taken, bytes. */
  maxAnswerBytes: number;
  /** A stream whose upstream says nothing for so long is lost, milliseconds. Upstreams beat every 10 s. */
  silenceMs: number;
  breaker: BreakerPolicy;
}

export const GUARD_LIMITS: GuardLimits = {
  timeoutMs: 5_000,
  limitPerSecond: 5_000,
  maxAnswerBytes: 10_000_000,
  silenceMs: 25_000,
  breaker: BREAKER_POLICY,
};

/** One finished call, for metrics. */
export interface CallReport {
  subgraph: string;
  tookMs: number;
  outcome: 'ok' | 'failed' | 'abandoned';
}

const JSON_ANSWER = 'application/graphql-response+json, application/json';

/** Calls subgraphs over HTTP, each behind its own circuit: time limit, rate, breaker. One that is down costs the others nothing. */
export class Guard implements SubgraphCaller {
  readonly #circuits = new Map<string, Circuit>();
  readonly #moved = new Set<(move: BreakerMove) => void>();
  readonly #called = new Set<(report: CallReport) => void>();

  constructor(
    private readonly wires: ReadonlyMap<string, Wire>,
    private readonly limits: GuardLimits,
    private readonly clock: Clock,
  ) {
    for (const subgraph of wires.keys()) {
      this.#circuits.set(
        subgraph,
        new Circuit(subgraph, limits.breaker, limits.limitPerSecond, clock, (move) => {
          for (const listener of this.#moved) listener(move);
        }),
      );
    }
  }

  get circuits(): ReadonlyMap<string, Circuit> {
    return this.#circuits;
  }

  urlOf(subgraph: string): string {
    return this.#wire(subgraph).url;
  }

  onMove(listener: (move: BreakerMove) => void): void {
    this.#moved.add(listener);
  }

  onCall(listener: (report: CallReport) => void): void {
    this.#called.add(listener);
  }

  async execute(subgraph: string, request: GraphRequest, call: Call, signal?: AbortSignal): Promise<GraphAnswer> {
    const wire = this.#wire(subgraph);
    const body = JSON.stringify(request);
    return await fetchSpan(subgraph, call, (inner) =>
      this.through(
        subgraph,
        async (deadline) => {
          const response = await wire.open({ body, accept: JSON_ANSWER, call: inner, signal: deadline });
          return readGraphAnswer(await readAnswer(response, this.limits.maxAnswerBytes));
        },
        { signal, judge: (answer) => (brokeInside(answer) ? { failed: true, reason: 'internal errors' } : OK) },
      ),
    );
  }

  async *subscribe(
    subgraph: string,
    request: GraphRequest,
    call: Call,
    signal: AbortSignal,
  ): AsyncGenerator<StreamItem, void> {
    const ended = new AbortController();
    const end = () => ended.abort();
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    try {
      const response = await this.through(
        subgraph,
        (deadline) => this.#open(subgraph, request, call, ended, deadline),
        {
          signal,
        },
      );
      const silence = setTimeout(() => response.destroy(new Error('the upstream fell silent')), this.limits.silenceMs);
      try {
        for await (const event of serverSentEvents(response, this.limits.maxAnswerBytes)) {
          silence.refresh();
          if (event.event === 'complete') return;
          yield itemOf(event);
        }
      } finally {
        clearTimeout(silence);
      }
      throw new Error('the upstream ended without completing');
    } finally {
      signal.removeEventListener('abort', end);
      end();
    }
  }

  /**
   * Does any work against a subgraph through its circuit: refused while open, cut at the time limit, counted.
   * @param judge whether an answer counts as a failure; a thrown error always does, except a caller's own leaving
   * @throws SUBGRAPH_UNAVAILABLE, TIMEOUT, RATE_LIMITED
   */
  async through<T>(
    subgraph: string,
    work: (deadline: AbortSignal) => Promise<T>,
    options: { signal?: AbortSignal | undefined; judge?: (answer: T) => Outcome; timeoutMs?: number } = {},
  ): Promise<T> {
    const circuit = this.#circuits.get(subgraph) ?? this.#unknown(subgraph);
    const pass = circuit.enter();
    const startedMs = this.clock.nowMs();
    const report = (outcome: CallReport['outcome']) => {
      const tookMs = this.clock.nowMs() - startedMs;
      for (const listener of this.#called) listener({ subgraph, tookMs, outcome });
    };
    const deadline = callDeadline(options.timeoutMs ?? this.limits.timeoutMs, options.signal);
    try {
      const answer = await work(deadline.signal);
      const outcome = options.judge?.(answer) ?? OK;
      pass.settle(outcome);
      report(outcome.failed ? 'failed' : 'ok');
      return answer;
    } catch (error) {
      const refusal = error instanceof Refusal ? error.cause : undefined;
      if (refusal) pass.settle(OK);
      else if (options.signal?.aborted && !deadline.timedOut) pass.abandon();
      else pass.settle({ failed: true, reason: deadline.timedOut ? 'time-out' : reasonOf(error) });
      report(refusal ? 'ok' : options.signal?.aborted ? 'abandoned' : 'failed');
      throw refusal ?? failure(subgraph, deadline.timedOut);
    } finally {
      deadline.clear();
    }
  }

  close(): void {
    for (const wire of this.wires.values()) wire.close();
  }

  async #open(subgraph: string, request: GraphRequest, call: Call, ended: AbortController, deadline: AbortSignal) {
    // The time limit is for opening only; the stream itself lives until `ended`.
    const cut = () => ended.abort();
    deadline.addEventListener('abort', cut, { once: true });
    try {
      const body = JSON.stringify(request);
      const response = await this.#wire(subgraph).open({
        body,
        accept: 'text/event-stream',
        call,
        signal: ended.signal,
      });
      if (response.statusCode === 200 && response.headers['content-type']?.startsWith('text/event-stream')) {
        return response;
      }
      const answer = readGraphAnswer(await readAnswer(response, this.limits.maxAnswerBytes));
      const refusal = refusalIn(answer);
      throw refusal ? new Refusal(refusal) : new MalformedAnswer('it gave no event stream');
    } finally {
      deadline.removeEventListener('abort', cut);
    }
  }

  #wire(subgraph: string): Wire {
    return this.wires.get(subgraph) ?? this.#unknown(subgraph);
  }

  #unknown(subgraph: string): never {
    throw new Error(`invariant broken: no subgraph ${subgraph}`);
  }
}

const OK: Outcome = { failed: false };

/** A subgraph's own coded refusal of a stream: an answer, not a failure. */
class Refusal extends Error {
  constructor(override readonly cause: FleetError) {
    super(cause.message);
  }
}

/** Short words for a breaker's reason and the audit trail: never an address. */
function reasonOf(error: unknown): string {
  if (error instanceof MalformedAnswer) return error.message;
  const fleet = asFleetError(error);
  if (fleet?.code === 'TIMEOUT') return 'time-out';
  return /over \d+ bytes/.test(messageOf(error)) ? 'its answer is too large' : 'it cannot be reached';
}

function failure(subgraph: string, timedOut: boolean): FleetError {
  return timedOut
    ? new FleetError('TIMEOUT', `${subgraph} did not answer in time`, { subgraph })
    : new FleetError('SUBGRAPH_UNAVAILABLE', `${subgraph} cannot answer now`, { subgraph, retryAfterMs: 1_000 });
}

function itemOf({ event, id, data }: ServerSentEvent): StreamItem {
  const cursor = id ? { id } : {};
  return event === 'next' && data !== undefined ? { ...cursor, answer: parseAnswer(data) } : cursor;
}
