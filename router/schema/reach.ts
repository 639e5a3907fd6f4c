import type { Guard } from '../guard/guard.ts';
import type { Generation } from './generation.ts';

/** How long a subgraph that the schema no longer has can still be called: longer than any operation runs, milliseconds. */
const LINGER_MS = 60_000;

export interface ReachOptions {
  guard: Guard;
  /** The addresses a subgraph is called at, where its supergraph gives this one; undefined: it is not called over the wire. */
  addressesOf(subgraph: string, given: string): readonly string[] | undefined;
}

/** Which subgraphs the guard can call: those of every schema that something still runs with. */
export class Reach {
  readonly #discovered = new Map<string, readonly string[]>();
  readonly #leaving = new Map<string, NodeJS.Timeout>();

  constructor(private readonly options: ReachOptions) {}

  /** Makes a generation's subgraphs callable before anything is planned for them; known ones stay where they are. */
  add({ engine }: Generation): void {
    const { guard } = this.options;
    for (const [subgraph, given] of engine.subgraphs) {
      clearTimeout(this.#leaving.get(subgraph));
      this.#leaving.delete(subgraph);
      const urls = this.#addressesOf(subgraph, given);
      if (urls && !guard.circuits.has(subgraph)) guard.setReplicas(subgraph, urls);
    }
  }

  /** Calls a generation's subgraphs where it says, and lets those go that it has no more. */
  keep({ engine }: Generation): void {
    const { guard } = this.options;
    for (const [subgraph, given] of engine.subgraphs) {
      const urls = this.#addressesOf(subgraph, given);
      if (urls && !isSame(urls, guard.circuits.get(subgraph)?.replicas)) guard.setReplicas(subgraph, urls);
    }
    for (const subgraph of guard.circuits.keys()) {
      if (engine.subgraphs.has(subgraph) || this.#leaving.has(subgraph)) continue;
      const timer = setTimeout(() => {
        this.#leaving.delete(subgraph);
        guard.remove(subgraph);
      }, LINGER_MS);
      timer.unref();
      this.#leaving.set(subgraph, timer);
    }
  }

  /** Where a subgraph was found; holds over what its supergraph gives. */
  discover(subgraph: string, urls: readonly string[]): void {
    const { guard } = this.options;
    this.#discovered.set(subgraph, urls);
    if (guard.circuits.has(subgraph) && !isSame(urls, guard.circuits.get(subgraph)?.replicas)) {
      guard.setReplicas(subgraph, urls);
    }
  }

  close(): void {
    for (const timer of this.#leaving.values()) clearTimeout(timer);
    this.#leaving.clear();
  }

  #addressesOf(subgraph: string, given: string): readonly string[] | undefined {
    return this.#discovered.get(subgraph) ?? this.options.addressesOf(subgraph, given);
  }
}

/** By the addresses as they were given: calls go to what each comes to. */
function isSame(urls: readonly string[], replicas: readonly { address: string }[] | undefined): boolean {
  return (
    replicas !== undefined && replicas.length === urls.length && urls.every((url, at) => replicas[at]?.address === url)
  );
}
