import type { Call } from '../../lib/call/signing.ts';
import type { GraphAnswer, GraphRequest, StreamItem, SubgraphCaller } from '../engine.ts';
import { isQuery } from '../guard/lane.ts';
import { Left } from '../guard/wire-answer.ts';
import { type LeaveSignal, Presence } from '../leave-signal.ts';
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
  #joiners: Set<Joiner> | undefined;
  #isMakerThere = true;

  constructor(
    readonly deadlineMs: number,
    private readonly onAbandoned: () => void,
  ) {}

  join(signal: LeaveSignal | undefined): Promise<GraphAnswer> {
    return new Promise((resolve, reject) => {
      const joiner: Joiner = { resolve, reject, signal, leave: () => this.#leave(joiner) };
      this.#joiners ??= new Set();
      this.#joiners.add(joiner);
      if (signal?.aborted) joiner.leave();
      else signal?.addEventListener('abort', joiner.leave);
    });
  }

  makerLeft(): void {
    this.#isMakerThere = false;
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
    joiner.reject(new Left());
    this.#letGo();
  }

  #done(joiner: Joiner): void {
    this.#joiners?.delete(joiner);
    joiner.signal?.removeEventListener('abort', joiner.leave);
  }

  #letGo(): void {
    if (this.#isMakerThere || this.#joiners?.size) return;
    this.onAbandoned();
    this.presence.leave();
  }
}

/**
 * Sends equal queries that are under way at the same time once: same subgraph, same bytes, same principal with the same
 * rights. Only what has not been answered yet is shared, so nobody is told anything older than his question.
 */
export class SharedCalls implements SubgraphCaller {
  readonly #underWay = new Map<string, SharedCall>();

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
    const key = keyOf(subgraph, request, call);
    const deadlineMs = call.deadlineMs ?? Number.POSITIVE_INFINITY;
    const known = this.#underWay.get(key);
    if (known && (known.deadlineMs === deadlineMs || Math.abs(known.deadlineMs - deadlineMs) < DEADLINES_APART_MS)) {
      this.#saved.set(subgraph, (this.#saved.get(subgraph) ?? 0) + 1);
      return known.join(signal);
    }
    return this.#make(key, new SharedCall(deadlineMs, () => this.#underWay.delete(key)), signal, (presence) =>
      this.caller.execute(subgraph, request, call, presence),
    );
  }

  subscribe(subgraph: string, request: GraphRequest, call: Call, signal: AbortSignal): AsyncIterable<StreamItem> {
    return this.caller.subscribe(subgraph, request, call, signal);
  }

  async #make(
    key: string,
    shared: SharedCall,
    signal: LeaveSignal | undefined,
    send: (presence: LeaveSignal) => Promise<GraphAnswer>,
  ): Promise<GraphAnswer> {
    this.#underWay.set(key, shared);
    const leave = () => shared.makerLeft();
    signal?.addEventListener('abort', leave);
    try {
      const answer = await send(shared.presence);
      this.#end(key, shared);
      shared.answered(answer);
      return answer;
    } catch (error) {
      this.#end(key, shared);
      shared.failed(error);
      throw error;
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  }

  /** One that was abandoned may have been followed by another under the same key. */
  #end(key: string, shared: SharedCall): void {
    if (this.#underWay.get(key) === shared) this.#underWay.delete(key);
  }
}

/** Everything that may change the answer. */
function keyOf(subgraph: string, request: GraphRequest, { principal, clientIp }: Call): string {
  const { id, kind, scopes, agentId } = principal;
  return `${subgraph}\n${id}\n${kind}\n${scopes.join()}\n${agentId ?? ''}\n${clientIp ?? ''}\n${bodyOf(request)}`;
}
