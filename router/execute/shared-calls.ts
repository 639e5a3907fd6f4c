import type { Call } from '../../lib/call/signing.ts';
import type { GraphAnswer, GraphRequest, StreamItem, SubgraphCaller } from '../engine.ts';
import { isQuery } from '../guard/lane.ts';
import { type LeaveSignal, Presence } from '../leave-signal.ts';
import { Left } from '../wire/exchange.ts';
import { copyOf, type Json } from './json.ts';
import { bodyOf } from './subgraph-request.ts';

/** Who waits for a call beside the one that made it. */
interface Joiner {
  resolve(answer: GraphAnswer): void;
  reject(error: unknown): void;
  leave(): void;
  signal: LeaveSignal | undefined;
}

/** Operations whose time ends so much apart do not wait for each other's calls, milliseconds. */
const DEADLINES_APART_MS = 1_000;

/** One call under way. It goes on for as long as anybody waits for it. */
class SharedCall {
  readonly presence = new Presence();
  readonly deadlineMs: number;
  #joiners: Set<Joiner> | undefined;
  #isMakerThere = true;

  constructor(
    private readonly subgraph: string,
    private readonly body: string,
    private readonly call: Call,
    private readonly onAbandoned: (self: SharedCall) => void,
  ) {
    this.deadlineMs = deadlineOf(call);
  }

  /** Whether a call would be answered with the very same: everything that may change an answer is compared. */
  isEqual(subgraph: string, body: string, call: Call): boolean {
    const [one, other] = [this.call.principal, call.principal];
    const isSameCaller =
      one === other ||
      (one.id === other.id &&
        one.kind === other.kind &&
        one.agentId === other.agentId &&
        one.scopes.join() === other.scopes.join());
    return (
      isSameCaller &&
      subgraph === this.subgraph &&
      call.clientIp === this.call.clientIp &&
      body === this.body &&
      !(Math.abs(deadlineOf(call) - this.deadlineMs) > DEADLINES_APART_MS)
    );
  }

  join(signal: LeaveSignal | undefined): Promise<GraphAnswer> {
    return new Promise((resolve, reject) => {
      const joiner: Joiner = { resolve, reject, signal, leave: () => this.#leave(joiner) };
      this.#joiners ??= new Set();
      this.#joiners.add(joiner);
      this.presence.callers += 1;
      if (signal?.aborted) joiner.leave();
      else signal?.addEventListener('abort', joiner.leave);
    });
  }

  /** Whoever made it left. */
  handleEvent(): void {
    this.#isMakerThere = false;
    this.presence.callers -= 1;
    this.#letGo();
  }

  /** Each gets data of its own, before anybody writes into it. */
  answered(answer: GraphAnswer): void {
    for (const joiner of this.#joiners ?? []) {
      this.#done(joiner);
      joiner.resolve(
        answer.data ? { ...answer, data: copyOf(answer.data as Json) as Record<string, unknown> } : answer,
      );
    }
  }

  failed(error: unknown): void {
    for (const joiner of this.#joiners ?? []) {
      this.#done(joiner);
      joiner.reject(error);
    }
  }

  #leave(joiner: Joiner): void {
    this.#done(joiner);
    this.presence.callers -= 1;
    joiner.reject(new Left());
    this.#letGo();
  }

  #done(joiner: Joiner): void {
    this.#joiners?.delete(joiner);
    joiner.signal?.removeEventListener('abort', joiner.leave);
  }

  #letGo(): void {
    if (this.#isMakerThere || this.#joiners?.size) return;
    this.onAbandoned(this);
    this.presence.leave();
  }
}

/**
 * Sends equal queries that are under way at the same time once: same subgraph, same bytes, same principal with the same
 * rights. Only what has not been answered yet is shared, so nobody is told anything older than his question.
 */
export class SharedCalls implements SubgraphCaller {
  /** By a number made of the body. No map: one that changes with every call leaves a trail that only the great collection clears. */
  readonly #underWay: SharedCall[][] = Array.from({ length: PLACES }, () => []);

  readonly #saved = new Map<string, number>();

  /** @param isOn whether equal queries are sent once; asked at each */
  constructor(
    private readonly caller: SubgraphCaller,
    private readonly isOn: () => boolean,
  ) {}

  /** By subgraph: queries that were not sent, because an equal one was under way. */
  get saved(): ReadonlyMap<string, number> {
    return this.#saved;
  }

  execute(subgraph: string, request: GraphRequest, call: Call, signal?: LeaveSignal): Promise<GraphAnswer> {
    if (!isQuery(request) || !this.isOn()) return this.caller.execute(subgraph, request, call, signal);
    const body = bodyOf(request);
    const place = this.#underWay[placeOf(body)] as SharedCall[];
    const known = place.find((each) => each.isEqual(subgraph, body, call));
    if (known) {
      this.#saved.set(subgraph, (this.#saved.get(subgraph) ?? 0) + 1);
      return known.join(signal);
    }
    const shared = new SharedCall(subgraph, body, call, (self) => end(place, self));
    return this.#make(place, shared, signal, (presence) => this.caller.execute(subgraph, request, call, presence));
  }

  subscribe(subgraph: string, request: GraphRequest, call: Call, signal: AbortSignal): AsyncIterable<StreamItem> {
    return this.caller.subscribe(subgraph, request, call, signal);
  }

  async #make(
    place: SharedCall[],
    shared: SharedCall,
    signal: LeaveSignal | undefined,
    send: (presence: LeaveSignal) => Promise<GraphAnswer>,
  ): Promise<GraphAnswer> {
    place.push(shared);
    signal?.addEventListener('abort', shared);
    try {
      const answer = await send(shared.presence);
      end(place, shared);
      shared.answered(answer);
      return answer;
    } catch (error) {
      end(place, shared);
      shared.failed(error);
      throw error;
    } finally {
      signal?.removeEventListener('abort', shared);
    }
  }
}

/** A second time, after it was abandoned, changes nothing. */
function end(place: SharedCall[], shared: SharedCall): void {
  const at = place.indexOf(shared);
  if (at >= 0) place.splice(at, 1);
}

const PLACES = 1_024;
/** How much of a body's end is looked at: that is where variables differ. */
const TAIL = 24;

/** A number that equal bodies share: hashing whole bodies would cost more than all else here. */
function placeOf(body: string): number {
  let hash = body.length;
  for (let at = Math.max(0, body.length - TAIL); at < body.length; at++) hash = (hash * 31 + body.charCodeAt(at)) | 0;
  return hash & (PLACES - 1);
}

function deadlineOf({ deadlineMs }: Call): number {
  return deadlineMs ?? Number.POSITIVE_INFINITY;
}
