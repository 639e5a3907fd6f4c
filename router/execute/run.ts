import type { Call } from '../../lib/call/signing.ts';
import { FleetError } from '../../lib/errors.ts';
import { STALE_MS } from '../degradation.ts';
import type { GraphAnswer, SubgraphCaller } from '../engine.ts';
import type { LeaveSignal } from '../leave-signal.ts';
import type { EntityFetch, EntityGroup, Rewrite, RootFetch, Serial, Step } from '../plan/steps.ts';
import type { Supergraph } from '../supergraph/supergraph.ts';
import { deliver, type Representations, represent, waysOf, waysTo } from './entities.ts';
import type { FaultNotes } from './event-faults.ts';
import { commonPaths } from './faults.ts';
import type { FetchRecord } from './fetch-record.ts';
import { type AnswerPath, emptyObject, isJsonObject, type JsonObject, joinInto } from './json.ts';
import { pathsTo } from './places.ts';
import { rewrite } from './rewrites.ts';
import { SubgraphRequest } from './subgraph-request.ts';
import { jsonOf } from './written.ts';

export interface RunOptions {
  supergraph: Pick<Supergraph, 'satisfies' | 'keysOf' | 'isObject'>;
  caller: SubgraphCaller;
  variables: Readonly<Record<string, unknown>>;
  call: Call;
  signal: LeaveSignal | undefined;
  faults: FaultNotes;
  /** Whether the data is that of several events at once, each root key a list of them. */
  isOfEvents?: boolean;
  /** Takes what each fetch took. */
  record?: FetchRecord | undefined;
  /** Root keys the client sees; a failed fetch is told on those of its own that are among them. */
  isRootKey: (key: string) => boolean;
  /** Whether the client is to see any of these keys of the object at this place, and it is not there. */
  isMissed: (data: JsonObject, path: AnswerPath, keys: readonly string[]) => boolean;
  /** Of a mutation: whether nothing can be answered any more, for what these root keys came to. */
  isLost?: ((data: JsonObject, keys: readonly string[]) => boolean) | undefined;
}

/** One run of a plan: every fetch adds to the same data; a fetch that fails leaves its fields out and tells why. */
export class Run {
  /** Entities of whom nothing more can be known, which is no fault. */
  #excused: Set<JsonObject> | undefined;
  #lacking: { subgraph: string; group: EntityGroup; entities: ReadonlySet<JsonObject> }[] | undefined;

  /** @param data what is there already, e.g. a subscription's event */
  constructor(
    private readonly options: RunOptions,
    readonly data: JsonObject = emptyObject(),
  ) {}

  step(step: Step): Promise<void> {
    switch (step.kind) {
      case 'root':
        return this.#root(step);
      case 'entities':
        return this.#entities(step);
      case 'sequence':
        return this.#sequence(step.steps);
      case 'serial':
        return this.#serial(step);
      case 'parallel':
        return Promise.all(step.steps.map((each) => this.step(each))).then(() => undefined);
      case 'condition': {
        const next = this.options.variables[step.variable] === true ? step.met : step.unmet;
        return next ? this.step(next) : Promise.resolve();
      }
    }
  }

  async #sequence(steps: readonly Step[]): Promise<void> {
    for (const each of steps) await this.step(each);
  }

  async #serial({ steps, keys }: Serial): Promise<void> {
    for (let at = 0; at < steps.length; at++) {
      await this.step(steps[at] as Step);
      if (this.options.isLost?.(this.data, keys[at] ?? [])) return;
    }
  }

  /** Takes the answer to a fetch of root fields, wherever it came from. */
  take(fetch: RootFetch, answer: GraphAnswer): void {
    const { faults, supergraph } = this.options;
    const staleMs = answer[STALE_MS];
    if (staleMs !== undefined)
      faults.degrade(
        fetch.subgraph,
        staleMs,
        this.#rootKeys(fetch).map((key) => [key]),
      );
    const nameOf = realNames(fetch);
    for (const error of answer.errors ?? []) {
      const path = placeIn(error);
      // Another fetch's fields are not for this subgraph to speak of.
      if (path && fetch.keys.includes(path[0] as string)) faults.add(error, path.map(nameOf), fetch.subgraph);
      else this.#failRoot(fetch, error);
    }
    if (!isJsonObject(answer.data)) {
      if (!answer.errors?.length) this.#failRoot(fetch, noAnswer(fetch.subgraph));
      return;
    }
    const { data } = answer;
    const missing = fetch.keys.filter((key) => !Object.hasOwn(data, key));
    if (missing.length > 0) this.#failMissing(fetch, missing.map(nameOf));
    for (const output of fetch.outputs) rewrite(data, output, supergraph.satisfies);
    joinInto(this.data, data);
  }

  async #root(fetch: RootFetch): Promise<void> {
    const timing = this.options.record?.begin(fetch, 0);
    try {
      const answer = await this.#ask(fetch);
      timing?.end();
      this.take(fetch, answer);
    } catch (error) {
      timing?.end();
      this.#failRoot(fetch, error);
    }
  }

  async #entities(fetch: EntityFetch): Promise<void> {
    const { supergraph } = this.options;
    const collected: Representations[] = [];
    let count = 0;
    for (const group of fetch.groups) {
      const each = represent(this.data, group, fetch.subgraph, supergraph);
      collected.push(each);
      if (each.lacking || each.unkeyed) this.#leaveOut(fetch, each);
      count += each.texts.length;
    }
    if (count === 0) return;
    const timing = this.options.record?.begin(fetch, count);
    try {
      const answer = await this.#ask(fetch, collected);
      timing?.end();
      this.#takeEntities(fetch, collected, answer);
    } catch (error) {
      timing?.end();
      this.#failEntities(fetch, collected, error);
    }
  }

  #takeEntities(fetch: EntityFetch, collected: readonly Representations[], answer: GraphAnswer): void {
    const { supergraph, faults } = this.options;
    const staleMs = answer[STALE_MS];
    if (staleMs !== undefined) faults.degrade(fetch.subgraph, staleMs, this.#entityPaths(collected));
    if (answer.errors) this.#takeErrors(fetch, collected, answer);
    const { data } = answer;
    if (!isJsonObject(data)) {
      if (!answer.errors?.length) this.#failEntities(fetch, collected, noAnswer(fetch.subgraph));
      return;
    }
    for (const each of collected) {
      for (const output of each.group.outputs) {
        rewrite(startsAt(output, each.group.alias) ? data : data[each.group.alias], output, supergraph.satisfies);
      }
      const given = data[each.group.alias];
      const { unknown, broken } = deliver(Array.isArray(given) ? given : [], each, supergraph.isObject);
      this.#excuse(unknown);
      if (!broken) continue;
      const paths = [...waysTo(this.data, each, supergraph.satisfies, broken).values()].flat();
      for (const path of commonPaths(paths, this.options.isOfEvents)) {
        if (!faults.explains(path)) faults.add(noAnswer(fetch.subgraph), path, fetch.subgraph);
      }
    }
  }

  #takeErrors(fetch: EntityFetch, collected: readonly Representations[], { data, errors = [] }: GraphAnswer): void {
    const { supergraph, faults } = this.options;
    const ways = new Map<Representations, ReturnType<typeof waysTo>>();
    for (const error of errors) {
      const [alias, index, ...rest] = placeIn(error) ?? [];
      const group = collected.find((each) => each.group.alias === alias);
      if (!group || typeof index !== 'number' || index >= group.first.length) {
        this.#failEntities(fetch, group ? [group] : collected, error);
        continue;
      }
      const known = ways.get(group) ?? waysTo(this.data, group, supergraph.satisfies);
      ways.set(group, known);
      const names = rest.map(realNames(group.group));
      const isEmptied = isNullAt(data, group.group.alias, index);
      for (const path of waysOf(known, group, index)) {
        faults.add(error, [...path, ...names], fetch.subgraph);
        if (isEmptied) faults.emptied(path);
      }
    }
  }

  #leaveOut({ subgraph }: EntityFetch, { group, lacking, unkeyed }: Representations): void {
    this.#excuse(unkeyed);
    const entities = lacking?.filter((entity) => !this.#excused?.has(entity)) ?? [];
    if (entities.length === 0) return;
    this.#lacking ??= [];
    this.#lacking.push({ subgraph, group, entities: new Set(entities) });
  }

  /** To be called at the end: tells of what could not be asked for though nothing failed, because the plan forgot something. */
  settle(): void {
    if (!this.#lacking) return;
    const { faults, supergraph, isMissed } = this.options;
    for (const { subgraph, group, entities } of this.#lacking) {
      const paths = [...pathsTo(this.data, group.paths, entities, supergraph.satisfies).values()].flat();
      // A plan's paths may lead to entities beside those it means, whose fields come in another way or are not shown.
      const seen = paths.filter((path) => !faults.explains(path) && isMissed(this.data, path, group.keys));
      const error = new Error(`the plan does not bring what ${subgraph} must be told`);
      for (const path of commonPaths(seen, this.options.isOfEvents)) faults.add(error, path, 'planner');
    }
  }

  #excuse(entities: readonly JsonObject[] | undefined): void {
    if (!entities) return;
    this.#excused ??= new Set();
    for (const entity of entities) this.#excused.add(entity);
  }

  #failRoot(fetch: RootFetch, error: unknown): void {
    const { faults } = this.options;
    const keys = this.#rootKeys(fetch);
    if (keys.length === 0) faults.add(error, undefined, fetch.subgraph);
    for (const key of keys) faults.add(error, [key], fetch.subgraph);
  }

  /** Of what was asked for, this is not there, not even as null. */
  #failMissing(fetch: RootFetch, keys: readonly (string | number)[]): void {
    const { faults, isRootKey } = this.options;
    for (const key of keys) {
      if (isRootKey(String(key)) && !faults.explains([key])) {
        faults.add(noAnswer(fetch.subgraph), [key], fetch.subgraph);
      }
    }
  }

  /** A fetch's root keys that the client sees. */
  #rootKeys(fetch: RootFetch): string[] {
    return fetch.keys.map(realNames(fetch)).map(String).filter(this.options.isRootKey);
  }

  #failEntities(fetch: EntityFetch, collected: readonly Representations[], error: unknown): void {
    for (const path of this.#entityPaths(collected)) this.options.faults.add(error, path, fetch.subgraph);
  }

  /** Where in the answer the entities of a fetch are. */
  #entityPaths(collected: readonly Representations[]): readonly AnswerPath[] {
    const paths: AnswerPath[] = [];
    for (const each of collected) {
      const [only, another] = each.group.keys;
      const field = only !== undefined && another === undefined ? [only] : [];
      const ways = waysTo(this.data, each, this.options.supergraph.satisfies);
      for (const path of [...ways.values()].flat()) paths.push([...path, ...field]);
    }
    return commonPaths(paths, this.options.isOfEvents);
  }

  #ask(fetch: RootFetch | EntityFetch, collected?: readonly Representations[]): Promise<GraphAnswer> {
    const { caller, call, signal, variables } = this.options;
    return caller.execute(fetch.subgraph, requestOf(fetch, variables, collected), call, signal);
  }
}

/** A fetch as a request to its subgraph, with those of the client's variables that it uses. */
export function requestOf(
  fetch: RootFetch | EntityFetch,
  variables: Readonly<Record<string, unknown>>,
  collected: readonly Representations[] = [],
): SubgraphRequest {
  let text = fetch.head;
  let separator = '';
  for (const name of fetch.variables) {
    if (!Object.hasOwn(variables, name)) continue;
    text += `${separator}"${name}":${jsonOf(variables[name])}`;
    separator = ',';
  }
  // An empty list is sent too: the operation declares the variable.
  for (const [variable, texts] of listsOf(collected)) {
    text += `${separator}"${variable}":[${texts.join(',')}]`;
    separator = ',';
  }
  let weight = 0;
  for (const { texts } of collected) weight += texts.length;
  return new SubgraphRequest(fetch.operation, fetch.operationName, `${text}}}`, weight || 1);
}

/** Groups may share a variable: then their lists follow each other. */
function listsOf(collected: readonly Representations[]): Iterable<readonly [string, readonly string[]]> {
  const [only] = collected;
  if (only && collected.length === 1) return [[only.group.variable, only.texts]];
  const lists = new Map<string, string[]>();
  for (const { group, texts } of collected) {
    const list = lists.get(group.variable);
    if (list) list.push(...texts);
    else lists.set(group.variable, [...texts]);
  }
  return lists;
}

function noAnswer(subgraph: string): FleetError {
  return new FleetError('SUBGRAPH_UNAVAILABLE', `${subgraph} gave an answer that is none`, { subgraph });
}

/** Longer paths lead nowhere. */
const MAX_PATH = 100;

/** Where an error says it is; undefined when it does not, or not in a way that could be followed. */
function placeIn({ path }: { path?: unknown }): AnswerPath | undefined {
  if (!Array.isArray(path) || path.length === 0 || path.length > MAX_PATH) return undefined;
  const isStep = (step: unknown) => typeof step === 'string' || (Number.isSafeInteger(step) && (step as number) >= 0);
  return path.every(isStep) ? path : undefined;
}

/** Whether an entity came back as null, because something in it could not be and was. */
function isNullAt(data: GraphAnswer['data'], alias: string, index: string | number | undefined): boolean {
  const entities = data?.[alias];
  return Array.isArray(entities) && entities[Number(index)] === null;
}

/** Whether a rewrite's path names the list of entities itself, or starts within it. */
function startsAt({ path: [first] }: Rewrite, alias: string): boolean {
  return first !== undefined && 'key' in first && first.key === alias;
}

/** Keys the plan renamed, as the client knows them. */
function realNames({ outputs }: Pick<RootFetch, 'outputs'>): (key: string | number) => string | number {
  const renamed = new Map<string | number, string>();
  for (const { path, rename } of outputs) {
    const last = path.at(-1);
    if (last && 'key' in last && rename !== undefined) renamed.set(last.key, rename);
  }
  return (key) => renamed.get(key) ?? key;
}
