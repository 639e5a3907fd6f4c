import type { GraphQLSchema } from 'graphql';
import type { Call } from '../../lib/call/signing.ts';
import type {
  AnyAnswer,
  CacheSize,
  Engine,
  GraphAnswer,
  GraphRequest,
  Prepared,
  Refused,
  StreamItem,
} from '../engine.ts';
import { isRefused } from '../engine.ts';
import type { FetchRecord } from '../execute/fetch-record.ts';
import type { LeaveSignal } from '../leave-signal.ts';
import type { PlanNode } from '../plan/description.ts';
import { type Generation, PlacedOperation } from './generation.ts';
import { RunningStreams } from './running-streams.ts';

export interface LiveEngineOptions {
  supergraphSdl: string;
  /** Makes the engine of one supergraph. @throws Error when it is none */
  make(supergraphSdl: string): Engine;
  nowMs(): number;
}

/**
 * One engine whose schema can be changed while it runs. Whatever was prepared is run by the schema it was prepared with;
 * subscriptions go on with the new one.
 */
export class LiveEngine implements Engine {
  #current: Generation;
  #made = 0;
  readonly #streams: RunningStreams;

  /** @throws Error when the supergraph is none */
  constructor(private readonly options: LiveEngineOptions) {
    this.#current = this.make(options.supergraphSdl);
    this.#streams = new RunningStreams({
      isServed: (generation) => generation === this.#current,
      prepareAgain: ({ request }) => this.#prepareOn(this.#current, request),
    });
  }

  get schema(): GraphQLSchema {
    return this.#current.engine.schema;
  }

  get schemaSdl(): string {
    return this.#current.engine.schemaSdl;
  }

  get subgraphs(): ReadonlyMap<string, string> {
    return this.#current.engine.subgraphs;
  }

  get caches(): Readonly<Record<string, CacheSize>> {
    return this.#current.engine.caches;
  }

  /** What requests are prepared with now. */
  get current(): Generation {
    return this.#current;
  }

  /** Makes a generation without serving it. @throws Error when the supergraph is none */
  make(supergraphSdl: string): Generation {
    const { make, nowMs } = this.options;
    const engine = make(supergraphSdl);
    this.#made += 1;
    return { number: this.#made, engine, supergraphSdl, loadedAtMs: nowMs() };
  }

  /** Serves a generation from now on. Resolves when every running stream was sent on to it. */
  async swap(generation: Generation): Promise<void> {
    this.#current = generation;
    await this.#streams.move();
  }

  prepare(request: GraphRequest): Promise<Prepared | Refused> {
    return this.#prepareOn(this.#current, request);
  }

  execute(prepared: Prepared, call: Call, signal?: LeaveSignal, record?: FetchRecord): Promise<GraphAnswer> {
    const { generation, inner } = prepared as PlacedOperation;
    return generation.engine.execute(inner, call, signal, record);
  }

  answer(prepared: Prepared, call: Call, signal?: LeaveSignal, record?: FetchRecord): Promise<AnyAnswer> {
    const { generation, inner } = prepared as PlacedOperation;
    return generation.engine.answer(inner, call, signal, record);
  }

  explain(prepared: Prepared, record?: FetchRecord, startedMs?: number): PlanNode | undefined {
    const { generation, inner } = prepared as PlacedOperation;
    return generation.engine.explain(inner, record, startedMs);
  }

  subscribe(prepared: Prepared, call: Call, signal: AbortSignal): AsyncIterable<StreamItem> {
    return this.#streams.run(prepared as PlacedOperation, call, signal);
  }

  async #prepareOn(generation: Generation, request: GraphRequest): Promise<PlacedOperation | Refused> {
    const prepared = await generation.engine.prepare(request);
    return isRefused(prepared) ? prepared : new PlacedOperation(prepared, generation, request);
  }
}

/** What is worked out of a schema, once for each. */
export function perGeneration<T>(engine: LiveEngine, work: (generation: Generation) => T): () => T {
  let of: Generation | undefined;
  let made: T;
  return () => {
    if (of !== engine.current) {
      of = engine.current;
      made = work(of);
    }
    return made;
  };
}
