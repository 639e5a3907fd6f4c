import type { Log } from '../../lib/log.ts';
import type { SubgraphSource } from '../compose.ts';
import type { Engine } from '../engine.ts';
import type { Reach } from '../schema/reach.ts';
import type { SchemaDesk } from '../schema/schema-desk.ts';
import { mayBeCalled } from './address.ts';
import type { Discovery, Findings } from './discovery.ts';

export interface DiscoveryDeskOptions {
  discoveries: readonly Discovery[];
  engine: Engine;
  schema: SchemaDesk;
  reach: Reach;
  log: Log;
}

/** Takes what is found into service: replicas at once, schemas by the way every new schema goes. */
export class DiscoveryDesk {
  readonly #found: (Findings | undefined)[] = [];
  #stops: (() => void)[] = [];
  #proposed = '';
  #told = new Set<string>();

  constructor(private readonly options: DiscoveryDeskOptions) {}

  start(): void {
    this.#stops = this.options.discoveries.map((discovery, at) =>
      discovery.watch((findings) => {
        this.#found[at] = findings;
        this.#take();
      }),
    );
  }

  stop(): void {
    for (const stop of this.#stops) stop();
  }

  #take(): void {
    const { reach, log } = this.options;
    const all = this.#all();
    for (const [subgraph, { urls }] of all) reach.discover(subgraph, urls);
    // A source that no longer knows a subgraph has no replicas of it any more.
    for (const subgraph of this.#told) if (!all.has(subgraph)) reach.discover(subgraph, []);
    this.#told = new Set([...this.#told, ...all.keys()]);
    log.info('discovery.found', { replicas: [...all.values()].reduce((sum, { urls }) => sum + urls.length, 0) });
    this.#propose(all);
  }

  /** What all sources know together. */
  #all(): Map<string, { urls: readonly string[]; sdl: string | undefined }> {
    const all = new Map<string, { urls: readonly string[]; sdl: string | undefined }>();
    for (const findings of this.#found) {
      for (const [subgraph, { urls, sdl }] of Object.entries(findings ?? {})) {
        const before = all.get(subgraph);
        const known = [...new Set([...(before?.urls ?? []), ...urls])];
        // One that nobody can call must not keep the others from being called.
        const usable = known.filter(mayBeCalled);
        if (usable.length < known.length) this.options.log.warn('discovery.address.unusable', { subgraph });
        all.set(subgraph, { urls: usable, sdl: sdl ?? before?.sdl });
      }
    }
    return all;
  }

  /**
   * Only where every subgraph told its schema, those that are served too, can a supergraph be composed of them: a source
   * that knows a part of the fleet must not take the rest away.
   */
  #propose(all: ReadonlyMap<string, { urls: readonly string[]; sdl: string | undefined }>): void {
    const subgraphs = [...all].sort(([a], [b]) => (a < b ? -1 : 1));
    const sources = subgraphs.flatMap(([name, { urls, sdl }]): SubgraphSource[] =>
      sdl === undefined ? [] : [{ name, sdl, url: urls[0] ?? '' }],
    );
    const isWhole = [...this.options.engine.subgraphs.keys()].every((name) => all.get(name)?.sdl !== undefined);
    if (sources.length === 0 || sources.length < subgraphs.length || !isWhole) return;
    const fingerprint = JSON.stringify(sources.map(({ name, sdl }) => [name, sdl]));
    if (fingerprint === this.#proposed) return;
    this.#proposed = fingerprint;
    void this.options.schema.propose({ subgraphs: sources }, { from: 'discovery' });
  }
}
