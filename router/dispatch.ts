import type { Call } from '../lib/call/signing.ts';
import type { GraphAnswer, GraphRequest, StreamItem, SubgraphCaller } from './engine.ts';
import type { Guard } from './guard/guard.ts';
import type { LeaveSignal } from './leave-signal.ts';

/** Sends each call to its subgraph: over the wire through the guard, or into this process for the router's own. */
export class Dispatch implements SubgraphCaller {
  #guard: Guard | undefined;
  readonly #inside = new Map<string, SubgraphCaller>();

  /** The guard is made from what the engine read, so it comes after the engine. */
  useGuard(guard: Guard): void {
    this.#guard = guard;
  }

  useInside(subgraph: string, caller: SubgraphCaller): void {
    this.#inside.set(subgraph, caller);
  }

  execute(subgraph: string, request: GraphRequest, call: Call, signal?: LeaveSignal): Promise<GraphAnswer> {
    return this.#callerOf(subgraph).execute(subgraph, request, call, signal);
  }

  subscribe(subgraph: string, request: GraphRequest, call: Call, signal: AbortSignal): AsyncIterable<StreamItem> {
    return this.#callerOf(subgraph).subscribe(subgraph, request, call, signal);
  }

  #callerOf(subgraph: string): SubgraphCaller {
    const caller = this.#inside.get(subgraph) ?? this.#guard;
    if (!caller) throw new Error('invariant broken: a call before there is a guard');
    return caller;
  }
}
