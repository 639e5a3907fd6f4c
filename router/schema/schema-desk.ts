import type { Log } from '../../lib/log.ts';
import type { Guard } from '../guard/guard.ts';
import type { Generation } from './generation.ts';
import type { LiveEngine } from './live-engine.ts';

export interface SchemaDeskOptions {
  engine: LiveEngine;
  guard: Guard;
  /** The addresses a subgraph is called at, where its supergraph gives this one; undefined: it is not called over the wire. */
  addressesOf(subgraph: string, given: string): readonly string[] | undefined;
  log: Log;
}

/** Brings a new schema into service. */
export class SchemaDesk {
  constructor(private readonly options: SchemaDeskOptions) {
    this.#reach(options.engine.current);
  }

  /**
   * Serves another supergraph from now on; requests under way end as they began, subscriptions go on.
   * Resolves once every running stream was sent on.
   * @throws Error when it is no supergraph, and nothing is changed
   */
  async swap(supergraphSdl: string): Promise<void> {
    const { engine, log } = this.options;
    const generation = engine.make(supergraphSdl);
    this.#reach(generation);
    await engine.swap(generation);
    log.info('schema.swapped', { generation: generation.number, subgraphs: generation.engine.subgraphs.size });
  }

  /** Its subgraphs can be called before anything is planned for them. */
  #reach({ engine }: Generation): void {
    const { guard, addressesOf } = this.options;
    for (const [subgraph, given] of engine.subgraphs) {
      const urls = addressesOf(subgraph, given);
      if (urls && !sameUrls(urls, guard.circuits.get(subgraph)?.replicas)) guard.setReplicas(subgraph, urls);
    }
  }
}

function sameUrls(urls: readonly string[], replicas: readonly { url: string }[] | undefined): boolean {
  return (
    replicas !== undefined && replicas.length === urls.length && urls.every((url, at) => replicas[at]?.url === url)
  );
}
