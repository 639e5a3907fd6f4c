import type { Call } from '../../lib/call/signing.ts';
import type { Clock } from '../../lib/clock.ts';
import { asFleetError, FleetError } from '../../lib/errors.ts';
import type { GraphAnswer, GraphRequest, StreamItem, SubgraphCaller } from '../engine.ts';
import type { LeaveSignal } from '../leave-signal.ts';
import { fetchSpan } from '../spans.ts';
import { brokeInside, MalformedAnswer, parseAnswer, readGraphAnswer, refusalIn } from './answer.ts';
import { BREAKER_POLICY, type BreakerPolicy } from './breaker.ts';
import { type BreakerMove, Circuit, type Outcome } from './circuit.ts';
import { callDeadline } from './deadline.ts';
import { type ServerSentEvent, serverSentEvents } from './event-stream.ts';
import type { Wire } from './wire.ts';
import { Left, TimedOut, TooLarge } from './wire-answer.ts';
import { type WireStream, wholeOf } from './wire-stream.ts';

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

  execute(subgraph: string, request: GraphRequest, call: Call, signal?: LeaveSignal): Promise<GraphAnswer> {
    return fetchSpan(subgraph, call, (inner) => this.#call(subgraph, request, inner, signal));
  }

  /** One whole answer. Beside `through`, because it is the road of every query and needs no signal of its own. */
  async #call(subgraph: string, request: GraphRequest, call: Call, signal?: LeaveSignal): Promise<GraphAnswer> {
    const wire = this.#wire(subgraph);
    const pass = this.#circuit(subgraph).enter();
    const startedMs = this.clock.nowMs();
    const { timeoutMs, maxAnswerBytes: maxBytes } = this.limits;
    try {
      const answer = readGraphAnswer(
        await wire.send({ body: JSON.stringify(request), call, signal, timeoutMs, maxBytes }),
      );
      const failed = brokeInside(answer);
      pass.settle(failed ? BROKE_INSIDE : OK);
      this.#report(subgraph, startedMs, failed ? 'failed' : 'ok');
      return answer;
    } catch (error) {
      const timedOut = error instanceof TimedOut;
      if (error instanceof Left) pass.abandon();
      else pass.settle({ failed: true, reason: timedOut ? 'time-out' : reasonOf(error) });
      this.#report(subgraph, startedMs, error instanceof Left ? 'abandoned' : 'failed');
      throw failure(subgraph, timedOut);
    }
  }

  async *subscribe(
    subgraph: string,
    request: GraphRequest,
    call: Call,
    signal: AbortSignal,
  ): AsyncGenerator<StreamItem, void> {
    const stream = await this.through(subgraph, (deadline) => this.#open(subgraph, request, call, signal, deadline), {
      signal,
    });
    const silence = setTimeout(() => stream.destroy(new Error('the upstream fell silent')), this.limits.silenceMs);
    try {
      for await (const event of serverSentEvents(stream.chunks, this.limits.maxAnswerBytes)) {
        silence.refresh();
        if (event.event === 'complete') return;
        yield itemOf(event);
      }
    } finally {
      clearTimeout(silence);
    }
    throw new Error('the upstream ended without completing');
  }

  /**
   * Does any work against a subgraph through its circuit: refused while open, cut at the time limit, counted.
   * @param judge whether an answer counts as a failure; a thrown error always does, except a caller's own leaving
   * @throws SUBGRAPH_UNAVAILABLE, TIMEOUT, RATE_LIMITED
   */
  async through<T>(
    subgraph: string,
    work: (deadline: AbortSignal) => Promise<T>,
    options: { signal?: LeaveSignal | undefined; judge?: (answer: T) => Outcome; timeoutMs?: number } = {},
  ): Promise<T> {
    const pass = this.#circuit(subgraph).enter();
    const startedMs = this.clock.nowMs();
    const report = (outcome: CallReport['outcome']) => this.#report(subgraph, startedMs, outcome);
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

  async #open(
    subgraph: string,
    request: GraphRequest,
    call: Call,
    signal: AbortSignal,
    deadline: AbortSignal,
  ): Promise<WireStream> {
    const { timeoutMs, maxAnswerBytes: maxBytes } = this.limits;
    const wire = this.#wire(subgraph);
    const stream = await wire.open({ body: JSON.stringify(request), call, signal, timeoutMs, maxBytes });
    const { status, contentType } = stream;
    if (status === 200 && contentType?.startsWith('text/event-stream')) return stream;
    // What came instead of a stream ends by itself, and within the same time.
    const cut = () => stream.destroy(new TimedOut());
    deadline.addEventListener('abort', cut, { once: true });
    const answer = readGraphAnswer({ status, contentType, body: await wholeOf(stream.chunks, maxBytes) });
    deadline.removeEventListener('abort', cut);
    const refusal = refusalIn(answer);
    throw refusal ? new Refusal(refusal) : new MalformedAnswer('it gave no event stream');
  }

  #report(subgraph: string, startedMs: number, outcome: CallReport['outcome']): void {
    const tookMs = this.clock.nowMs() - startedMs;
    for (const listener of this.#called) listener({ subgraph, tookMs, outcome });
  }

  #circuit(subgraph: string): Circuit {
    return this.#circuits.get(subgraph) ?? this.#unknown(subgraph);
  }

  #wire(subgraph: string): Wire {
    return this.wires.get(subgraph) ?? this.#unknown(subgraph);
  }

  #unknown(subgraph: string): never {
    throw new Error(`invariant broken: no subgraph ${subgraph}`);
  }
}

const OK: Outcome = { failed: false };
const BROKE_INSIDE: Outcome = { failed: true, reason: 'internal errors' };

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
  return error instanceof TooLarge ? 'its answer is too large' : 'it cannot be reached';
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
