import type { Call } from '../../lib/call/signing.ts';
import type { Clock } from '../../lib/clock.ts';
import type { CacheSize, GraphAnswer, GraphRequest, StreamItem, SubgraphCaller } from '../engine.ts';
import type { LeaveSignal } from '../leave-signal.ts';
import { fetchSpan } from '../spans.ts';
import type { Wire } from '../wire/wire.ts';
import { type ThroughOptions, through } from './any-call.ts';
import type { BreakerMove, Circuit, Forced } from './circuit.ts';
import { callDegradable } from './degraded-call.ts';
import { type CallReport, type DrawCall, type GuardLimits, Lane, type SubgraphPolicy } from './lane.ts';
import { callLive } from './live-call.ts';
import type { Replica } from './replica.ts';
import { STALE_LIMITS, StaleAnswers, type StaleLimits } from './stale-answers.ts';
import { callWhole } from './whole-call.ts';

export { type CallReport, GUARD_LIMITS, type GuardLimits } from './lane.ts';

export interface GuardOptions {
  /** Makes the connections to one replica. @throws when the address is none */
  wireOf(subgraph: string, url: string): Wire;
  limits: GuardLimits;
  /** What is particular to a subgraph, by name. */
  policies?: Readonly<Record<string, SubgraphPolicy>> | undefined;
  /** How much is kept to be served stale. */
  stale?: Partial<StaleLimits> | undefined;
  clock: Clock;
  /** Counts calls to subgraphs whose policy says so, over all routers. */
  drawCall?: DrawCall | undefined;
  /** Whether a failed query of this caller may be sent once more; it may unless given. */
  mayRetry?(call: Call): boolean;
  /** Whether this caller may be served an older answer; it may unless given. */
  mayServeStale?(call: Call): boolean;
}

/**
 * Calls subgraphs over HTTP, each behind its own circuit: replicas, time limit, bulkhead, rate, breaker. One that is down
 * costs the others nothing.
 */
export class Guard implements SubgraphCaller {
  readonly #lanes = new Map<string, Lane>();
  readonly #circuits = new Map<string, Circuit>();
  readonly #draining = new Set<Replica>();
  readonly #moved = new Set<(move: BreakerMove) => void>();
  readonly #forced = new Set<(subgraph: string, forced: Forced) => void>();
  readonly #called = new Set<(report: CallReport) => void>();

  readonly #stale: StaleAnswers;

  constructor(private readonly options: GuardOptions) {
    this.#stale = new StaleAnswers({ ...STALE_LIMITS, ...options.stale });
  }

  /** What is kept to be served stale. */
  get staleCache(): CacheSize {
    return this.#stale.size;
  }

  get circuits(): ReadonlyMap<string, Circuit> {
    return this.#circuits;
  }

  /** Everything that is kept of each subgraph. */
  get lanes(): ReadonlyMap<string, Lane> {
    return this.#lanes;
  }

  onMove(listener: (move: BreakerMove) => void): void {
    this.#moved.add(listener);
  }

  /** Told of what somebody decided here about a breaker, also where it moved nothing. */
  onForce(listener: (subgraph: string, forced: Forced) => void): void {
    this.#forced.add(listener);
  }

  onCall(listener: (report: CallReport) => void): void {
    this.#called.add(listener);
  }

  /**
   * Takes exactly these addresses as a subgraph's replicas; a subgraph not known yet is made. Those that are none any more
   * get no new calls: what is under way there ends, their streams are ended after a grace and resume elsewhere.
   * @param urls none: every call is refused until there are some
   * @throws Error when one is no address, and nothing is changed
   */
  setReplicas(subgraph: string, urls: readonly string[]): void {
    for (const url of urls) if (!URL.canParse(url)) throw new Error(`a replica of ${subgraph} has no address`);
    const lane = this.#lanes.get(subgraph) ?? this.#made(subgraph);
    const went = lane.circuit.setReplicas(urls, (url) => this.options.wireOf(subgraph, url));
    for (const replica of went) {
      this.#draining.add(replica);
      replica.drain(this.options.limits.drainMs, () => this.#draining.delete(replica));
    }
  }

  /** Forgets a subgraph that the schema no longer has; its replicas are drained. */
  remove(subgraph: string): void {
    if (!this.#lanes.has(subgraph)) return;
    this.setReplicas(subgraph, []);
    this.#lanes.delete(subgraph);
    this.#circuits.delete(subgraph);
  }

  execute(subgraph: string, request: GraphRequest, call: Call, signal?: LeaveSignal): Promise<GraphAnswer> {
    const lane = this.#lanes.get(subgraph);
    if (!lane) return Promise.reject(unknown(subgraph));
    return fetchSpan(subgraph, call, (inner) =>
      lane.isPlain
        ? callWhole(lane, request, inner, signal)
        : callDegradable(lane, this.#stale, request, inner, signal),
    );
  }

  subscribe(
    subgraph: string,
    request: GraphRequest,
    call: Call,
    signal: AbortSignal,
  ): AsyncGenerator<StreamItem, void> {
    return callLive(this.#lane(subgraph), request, call, signal);
  }

  /**
   * Does any work against one replica of a subgraph through its circuit.
   * @throws SUBGRAPH_UNAVAILABLE, TIMEOUT, RATE_LIMITED
   */
  through<T>(
    subgraph: string,
    work: (deadline: AbortSignal, address: string) => Promise<T>,
    options: ThroughOptions<T> = {},
  ): Promise<T> {
    return through(this.#lane(subgraph), (deadline, replica) => work(deadline, replica.address), options);
  }

  close(): void {
    for (const { circuit } of this.#lanes.values()) for (const replica of circuit.replicas) replica.close();
    for (const replica of this.#draining) replica.close();
  }

  #made(subgraph: string): Lane {
    const { limits, policies, clock, drawCall, mayRetry = () => true, mayServeStale = () => true } = this.options;
    const lane = new Lane(subgraph, {
      limits,
      policy: policies?.[subgraph] ?? {},
      clock,
      drawCall,
      mayRetry,
      mayServeStale,
      onMove: (move) => {
        for (const listener of this.#moved) listener(move);
      },
      onForce: (name, forced) => {
        for (const listener of this.#forced) listener(name, forced);
      },
      onCall: (report) => {
        for (const listener of this.#called) listener(report);
      },
    });
    this.#lanes.set(subgraph, lane);
    this.#circuits.set(subgraph, lane.circuit);
    return lane;
  }

  #lane(subgraph: string): Lane {
    const lane = this.#lanes.get(subgraph);
    if (!lane) throw unknown(subgraph);
    return lane;
  }
}

function unknown(subgraph: string): Error {
  return new Error(`invariant broken: no subgraph ${subgraph}`);
}
