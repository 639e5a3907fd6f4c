import { setTimeout as pause } from 'node:timers/promises';
import type { Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import type { SubgraphSource } from '../compose.ts';
import type { Composition } from './composition.ts';
import type { Generation } from './generation.ts';
import type { LiveEngine } from './live-engine.ts';
import type { OperationBook } from './operation-book.ts';
import type { Reach } from './reach.ts';
import {
  type Break,
  type CanaryRule,
  isSettled,
  nextSwap,
  proposed,
  type SwapEffect,
  type SwapEvent,
  type SwapState,
} from './swap-rules.ts';

/** A new schema, composed already or by its subgraphs. */
export type SchemaSource = { readonly supergraphSdl: string } | { readonly subgraphs: readonly SubgraphSource[] };

export interface ProposalOptions {
  /** Whence it comes, for the audit trail. */
  from: string;
  /** Serve it although recorded operations break. */
  force?: boolean;
}

export interface SchemaDeskOptions {
  engine: LiveEngine;
  composition: Composition;
  book: OperationBook;
  reach: Reach;
  /** How a new schema is tried by now. */
  rule(): CanaryRule;
  clock: Clock;
  log: Log;
  /** Makes a move durable before it takes effect. @throws when it could not: then it does not */
  audit(state: SwapState): Promise<void>;
  /** Writes down a move that takes effect in any case. */
  auditLater(state: SwapState): void;
}

/** How often a trial is judged, milliseconds. */
const JUDGE_MS = 200;

/** Brings new schemas into service, one after the other: the rules are `nextSwap`'s. */
export class SchemaDesk {
  /** How often a schema came there. */
  readonly moves: Record<SwapState['phase'], number> = {
    PROPOSED: 0,
    COMPOSED: 0,
    CHECKED: 0,
    CANARY: 0,
    CURRENT: 0,
    REFUSED: 0,
    ROLLED_BACK: 0,
  };
  #state: SwapState | undefined;
  #proposing: Promise<unknown> = Promise.resolve();
  #judging: NodeJS.Timeout | undefined;
  /** The watch over what is served; whatever comes next ends it. */
  #watch: AbortController | undefined;
  readonly #stopping = new AbortController();
  /** Ends the wait for a trial's outcome. */
  #wake: () => void = () => undefined;

  constructor(private readonly options: SchemaDeskOptions) {}

  /** Where the last proposal is. */
  get state(): SwapState | undefined {
    return this.#state;
  }

  /** Serves a supergraph at once and untried. @throws Error when it is none, and nothing is changed */
  async swap(supergraphSdl: string): Promise<void> {
    const { engine, reach } = this.options;
    this.#watch?.abort();
    const generation = await this.#make(supergraphSdl);
    reach.add(generation);
    await engine.swap(generation);
    reach.keep(generation);
  }

  /**
   * Takes a new schema through composition, checks and trial. Those that come meanwhile wait their turn.
   * @returns its last state, once nothing follows. Never throws: a refusal is a state
   */
  propose(source: SchemaSource, { from, force = false }: ProposalOptions): Promise<SwapState> {
    const passing = this.#proposing.then(() => this.#pass(source, from, force));
    this.#proposing = passing.catch(() => undefined);
    return passing;
  }

  /** Ends what is under way; a trial is left as it is. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#watch?.abort();
    clearTimeout(this.#judging);
    this.#wake();
    await this.options.composition.close();
    await this.#proposing;
    this.options.reach.close();
  }

  async #pass(source: SchemaSource, from: string, force: boolean): Promise<SwapState> {
    const { engine, clock } = this.options;
    this.#watch?.abort();
    const before = engine.current;
    const isSame = 'supergraphSdl' in source && source.supergraphSdl === engine.current.supergraphSdl;
    let state = proposed({ id: clock.uuid(), from, force, isSame });
    const course: Course = { source };
    let event = (await this.#arrive(state)) ?? (await this.#attempt(() => this.#compose(course)));
    while (!this.#stopping.signal.aborted) {
      const [next, effect] = nextSwap(state, event, clock.nowMs(), this.options.rule());
      if (next === state) {
        event = await this.#tally();
        continue;
      }
      const unaudited = await this.#arrive(next);
      if (unaudited) {
        // It did not take effect: it fails where it was.
        event = unaudited;
        continue;
      }
      state = next;
      const isWatched = state.phase === 'CURRENT' && state.watch !== undefined;
      event = await this.#attempt(() => this.#take(effect, course, isWatched));
      if (isSettled(state)) break;
    }
    if (state.phase === 'CURRENT' && state.watch) void this.#watchOver(state, before);
    return state;
  }

  /** Goes back to the schema before, should the one that all are served by now do worse. */
  async #watchOver(current: SwapState, before: Generation): Promise<void> {
    const { engine, clock, reach } = this.options;
    const watch = new AbortController();
    this.#watch = watch;
    let state = current;
    while (!watch.signal.aborted && state.phase === 'CURRENT' && state.watch) {
      await pause(JUDGE_MS, undefined, { ref: false });
      const { watched } = engine;
      if (!watched || watch.signal.aborted) break;
      const event: SwapEvent = { kind: 'tallied', canary: watched.canary, current: watched.current };
      const [next, effect] = nextSwap(state, event, clock.nowMs(), this.options.rule());
      state = next;
      if (effect !== 'go back') continue;
      await this.#arrive(next);
      reach.add(before);
      await engine.swap(before);
      reach.keep(before);
    }
    if (this.#watch === watch) engine.unwatch();
  }

  /** Writes a move down before it takes effect. @returns why it must not */
  async #arrive(state: SwapState): Promise<SwapEvent | undefined> {
    const { audit, auditLater } = this.options;
    if (state.phase === 'REFUSED' || state.phase === 'ROLLED_BACK') {
      // A schema that fails is taken away whether or not it can be written down by now.
      auditLater(state);
    } else {
      try {
        await audit(state);
      } catch (error) {
        return { kind: 'failed', reason: messageOf(error) };
      }
    }
    this.#enter(state);
    return undefined;
  }

  async #take(effect: SwapEffect | undefined, course: Course, isWatched: boolean): Promise<SwapEvent> {
    const { engine, reach, rule } = this.options;
    if (effect === 'check') return { kind: 'checked', breaks: await this.#check(course) };
    if (effect === 'build') {
      course.generation = await this.#make(course.supergraphSdl as string);
      return { kind: 'built' };
    }
    const generation = course.generation as Generation;
    if (effect === 'try') {
      reach.add(generation);
      engine.try(generation, rule().share);
      return await this.#tally();
    }
    if (effect === 'serve') {
      reach.add(generation);
      await engine.swap(generation, isWatched);
      reach.keep(generation);
    }
    if (effect === 'roll back') {
      await engine.rollBack();
      reach.keep(engine.current);
    }
    return { kind: 'built' };
  }

  async #make(supergraphSdl: string): Promise<Generation> {
    const { engine, composition, clock, log } = this.options;
    const generation = await engine.make(supergraphSdl, await composition.read(supergraphSdl));
    const startedMs = clock.nowMs();
    const operations = await engine.warm(generation, this.#stopping.signal);
    log.info('schema.planned', { operations, tookMs: clock.nowMs() - startedMs });
    return generation;
  }

  async #compose(course: Course): Promise<SwapEvent> {
    const { source } = course;
    course.supergraphSdl =
      'supergraphSdl' in source ? source.supergraphSdl : await this.options.composition.compose(source.subgraphs);
    return { kind: 'composed' };
  }

  #check({ supergraphSdl }: Course): Promise<readonly Break[]> {
    const { composition, book, engine } = this.options;
    const served = engine.current.supergraphSdl;
    if (supergraphSdl === served) return Promise.resolve([]);
    return composition.check(supergraphSdl as string, served, book.texts());
  }

  /** How the trial does by now, after a while. */
  async #tally(): Promise<SwapEvent> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      this.#judging = setTimeout(resolve, JUDGE_MS);
    });
    const { trial } = this.options.engine;
    if (!trial) return { kind: 'failed', reason: 'the trial was ended' };
    return { kind: 'tallied', canary: trial.canary, current: trial.current };
  }

  async #attempt(work: () => Promise<SwapEvent>): Promise<SwapEvent> {
    try {
      return await work();
    } catch (error) {
      return { kind: 'failed', reason: messageOf(error) };
    }
  }

  #enter(state: SwapState): void {
    const { log } = this.options;
    this.#state = state;
    const { proposal, phase } = state;
    this.moves[phase] += 1;
    const reason = 'reason' in state ? { reason: state.reason } : {};
    const fields = { proposal: proposal.id, from: proposal.from, phase, ...reason };
    if (phase === 'REFUSED' || phase === 'ROLLED_BACK') log.error('schema.moved', fields);
    else log.info('schema.moved', fields);
  }
}

/** A proposal's own things on its way. */
interface Course {
  readonly source: SchemaSource;
  supergraphSdl?: string;
  generation?: Generation;
}
