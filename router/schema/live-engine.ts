import type { DocumentNode, GraphQLSchema } from 'graphql';
import type { Call } from '../../lib/call/signing.ts';
import type {
  AnyAnswer,
  CacheSize,
  Engine,
  GraphAnswer,
  GraphRequest,
  Prepared,
  Refused,
  Remembered,
} from '../engine.ts';
import { isRefused } from '../engine.ts';
import type { FetchRecord } from '../execute/fetch-record.ts';
import type { LeaveSignal } from '../leave-signal.ts';
import type { PlanNode } from '../plan/description.ts';
import type { StreamBatch } from '../subscribe/stream-batch.ts';
import type { SupergraphFacts } from '../supergraph/facts.ts';
import { type Supergraph, supergraphInTurns } from '../supergraph/supergraph.ts';
import { type Generation, PlacedOperation } from './generation.ts';
import { RunningStreams } from './running-streams.ts';
import { Trial } from './trial.ts';

/** What is planned for a new schema before it is served, for how long, and how much at once: clients plan meanwhile. */
const AHEAD = { most: 1_000, timeoutMs: 10_000, atOnce: 2 };

export interface LiveEngineOptions {
  supergraphSdl: string;
  /** Makes the engine of one supergraph, which may be read already. @throws Error when it is none */
  make(supergraphSdl: string, supergraph?: Supergraph): Engine;
  nowMs(): number;
  /** A number in [0, 1). */
  random(): number;
}

/**
 * One engine whose schema can be changed while it runs. Whatever was prepared is run by the schema it was prepared with;
 * subscriptions go on with the new one. A new schema may be tried on a share of the requests first.
 */
export class LiveEngine implements Engine {
  #current: Generation;
  #trial: Trial | undefined;
  /** Counts how the current generation does after its trial. */
  #watched: Trial | undefined;
  #made = 0;
  #noted: ((document: DocumentNode) => void) | undefined;
  readonly #streams: RunningStreams;

  /** @throws Error when the supergraph is none */
  constructor(private readonly options: LiveEngineOptions) {
    this.#current = this.#generation(options.supergraphSdl, options.make(options.supergraphSdl));
    this.#streams = new RunningStreams({
      isServed: (generation) => generation === this.#current || generation === this.#trial?.generation,
      prepareAgain: async ({ request }) => await this.#prepareOn(this.#current, request),
    });
  }

  /** Tells of each operation that was taken. */
  onTaken(listener: (document: DocumentNode) => void): void {
    this.#noted = listener;
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

  /** What a new schema is tried as; undefined while none is. */
  get trial(): Trial | undefined {
    return this.#trial;
  }

  /** How the current generation has done since it was served to all; undefined when it is not watched. */
  get watched(): Trial | undefined {
    return this.#watched;
  }

  /** Makes a generation without serving it, of a supergraph that was read elsewhere, in turns with what is served. */
  async make(supergraphSdl: string, facts: SupergraphFacts): Promise<Generation> {
    const supergraph = await supergraphInTurns(supergraphSdl, facts);
    return this.#generation(supergraphSdl, this.options.make(supergraphSdl, supergraph));
  }

  /**
   * Plans for a new generation what is asked for most by now: all at once after a swap it would be a herd, of which some wait
   * and some are refused. Ends after a while, and on the signal, with whatever is done.
   * @returns how many operations
   */
  async warm(generation: Generation, signal: AbortSignal): Promise<number> {
    let end: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    let isOver = signal.aborted;
    const timer = setTimeout(() => end(), AHEAD.timeoutMs);
    signal.addEventListener('abort', end);
    const waiting = [...this.hottest(AHEAD.most)].reverse();
    let planned = 0;
    const planner = async () => {
      for (let next = waiting.pop(); next && !isOver; next = waiting.pop()) {
        await generation.engine.planAhead(next);
        planned += 1;
        // Parsed and validated here: one in a turn, so that others are not held up.
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const all = Promise.all(Array.from({ length: AHEAD.atOnce }, planner));
    await Promise.race([ended, all]);
    isOver = true;
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
    return planned;
  }

  hottest(most: number): readonly Remembered[] {
    return this.#current.engine.hottest(most);
  }

  /** Gives a new generation a share of the requests. */
  try(generation: Generation, share: number): void {
    this.#trial = new Trial(generation, share, this.options.random);
  }

  /**
   * Serves a generation from now on; a trial ends. Resolves when every running stream was sent on to it.
   * @param isWatched whether it is counted how its operations go, until `unwatch`
   */
  async swap(generation: Generation, isWatched = false): Promise<void> {
    this.#current = generation;
    this.#trial = undefined;
    this.#watched = isWatched ? new Trial(generation, 0, this.options.random) : undefined;
    await this.#streams.move();
  }

  unwatch(): void {
    this.#watched = undefined;
  }

  /** Ends a trial; what it was given ends there, its streams go on with the current generation. */
  async rollBack(): Promise<void> {
    this.#trial = undefined;
    await this.#streams.move();
  }

  prepare(request: GraphRequest): Prepared | Refused | Promise<Prepared | Refused> {
    return this.#trial ? this.#prepareOnEither(this.#trial, request) : this.#prepareOn(this.#current, request);
  }

  async execute(prepared: Prepared, call: Call, signal?: LeaveSignal, record?: FetchRecord): Promise<GraphAnswer> {
    const { generation, inner } = prepared as PlacedOperation;
    const answer = await generation.engine.execute(inner, call, signal, record);
    (this.#trial ?? this.#watched)?.note(generation, answer);
    return answer;
  }

  answer(prepared: Prepared, call: Call, signal?: LeaveSignal, record?: FetchRecord): Promise<AnyAnswer> {
    const { generation, inner } = prepared as PlacedOperation;
    const answering = generation.engine.answer(inner, call, signal, record);
    const counted = this.#trial ?? this.#watched;
    if (!counted) return answering;
    return answering.then((answer) => {
      counted.note(generation, answer);
      return answer;
    });
  }

  planAhead(operation: Remembered): Promise<void> {
    return this.#current.engine.planAhead(operation);
  }

  explain(prepared: Prepared, record?: FetchRecord, startedMs?: number): PlanNode | undefined {
    const { generation, inner } = prepared as PlacedOperation;
    return generation.engine.explain(inner, record, startedMs);
  }

  subscribe(prepared: Prepared, call: Call, signal: AbortSignal): AsyncIterable<StreamBatch> {
    return this.#streams.run(prepared as PlacedOperation, call, signal);
  }

  #generation(supergraphSdl: string, engine: Engine): Generation {
    this.#made += 1;
    return { number: this.#made, engine, supergraphSdl, loadedAtMs: this.options.nowMs() };
  }

  #prepareOn(
    generation: Generation,
    request: GraphRequest,
  ): PlacedOperation | Refused | Promise<PlacedOperation | Refused> {
    const prepared = generation.engine.prepare(request);
    return prepared instanceof Promise
      ? prepared.then((given) => this.#placed(given, generation, request))
      : this.#placed(prepared, generation, request);
  }

  #placed(prepared: Prepared | Refused, generation: Generation, request: GraphRequest): PlacedOperation | Refused {
    if (isRefused(prepared)) return prepared;
    this.#noted?.(prepared.document);
    return new PlacedOperation(prepared, generation, request);
  }

  /** While a new schema is tried, an operation that only one of both takes is served by that one: nobody is refused for it. */
  async #prepareOnEither(trial: Trial, request: GraphRequest): Promise<PlacedOperation | Refused> {
    const isCanary = trial.draws();
    const drawn = await this.#prepareOn(isCanary ? trial.generation : this.#current, request);
    if (!('errors' in drawn)) return drawn;
    const other = await this.#prepareOn(isCanary ? this.#current : trial.generation, request);
    if ('errors' in other) return drawn;
    if (isCanary) trial.noteRefused();
    return other;
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
