import type { Call } from '../../lib/call/signing.ts';
import { FleetError } from '../../lib/errors.ts';
import type { GraphAnswer, GraphRequest, SubgraphCaller } from '../engine.ts';
import type { LeaveSignal } from '../leave-signal.ts';
import type { EntityFetch, Rewrite, RootFetch, Step } from '../plan/steps.ts';
import type { Supergraph } from '../supergraph/supergraph.ts';
import { deliver, pathOf, type Representations, represent } from './entities.ts';
import { commonPaths, type Faults } from './faults.ts';
import type { FetchRecord } from './fetch-record.ts';
import { type AnswerPath, isJsonObject, type Json, type JsonObject, joinInto } from './json.ts';
import { rewrite } from './rewrites.ts';

export interface RunOptions {
  supergraph: Pick<Supergraph, 'satisfies' | 'keysOf' | 'isObject'>;
  caller: SubgraphCaller;
  variables: Readonly<Record<string, unknown>>;
  call: Call;
  signal: LeaveSignal | undefined;
  faults: Faults;
  /** Takes what each fetch took. */
  record?: FetchRecord | undefined;
  /** Root keys the client sees; a failed fetch is told on those of its own that are among them. */
  isRootKey: (key: string) => boolean;
}

/** One run of a plan: every fetch adds to the same data; a fetch that fails leaves its fields out and tells why. */
export class Run {
  /** @param data what is there already, e.g. a subscription's event */
  constructor(
    private readonly options: RunOptions,
    readonly data: JsonObject = {},
  ) {}

  async step(step: Step): Promise<void> {
    switch (step.kind) {
      case 'root':
        return this.#root(step);
      case 'entities':
        return this.#entities(step);
      case 'sequence':
        for (const each of step.steps) await this.step(each);
        return;
      case 'parallel':
        await Promise.all(step.steps.map((each) => this.step(each)));
        return;
      case 'condition': {
        const next = this.options.variables[step.variable] === true ? step.met : step.unmet;
        if (next) await this.step(next);
      }
    }
  }

  /** Takes the answer to a fetch of root fields, wherever it came from. */
  take(fetch: RootFetch, answer: GraphAnswer): void {
    const { faults, supergraph } = this.options;
    const nameOf = realNames(fetch);
    for (const error of answer.errors ?? []) {
      if (!error.path || error.path.length === 0) this.#failRoot(fetch, error);
      else faults.add(error, error.path.map(nameOf), fetch.subgraph);
    }
    if (!isJsonObject(answer.data)) {
      if (!answer.errors?.length) this.#failRoot(fetch, noAnswer(fetch.subgraph));
      return;
    }
    for (const output of fetch.outputs) rewrite(answer.data, output, supergraph.satisfies);
    joinInto(this.data, answer.data);
  }

  async #root(fetch: RootFetch): Promise<void> {
    const timing = this.options.record?.begin(fetch, 0);
    try {
      const answer = await this.#ask(fetch, this.variablesOf(fetch));
      timing?.end();
      this.take(fetch, answer);
    } catch (error) {
      timing?.end();
      this.#failRoot(fetch, error);
    }
  }

  async #entities(fetch: EntityFetch): Promise<void> {
    const { supergraph } = this.options;
    const collected = fetch.groups.map((group) => represent(this.data, group, fetch.subgraph, supergraph));
    if (collected.every(({ list }) => list.length === 0)) return;
    const variables = this.variablesOf(fetch);
    let count = 0;
    // An empty list is sent too: the operation declares the variable.
    for (const { group, list } of collected) {
      variables[group.variable] = [...(variables[group.variable] ?? []), ...list];
      count += list.length;
    }
    const timing = this.options.record?.begin(fetch, count);
    try {
      const answer = await this.#ask(fetch, variables);
      timing?.end();
      this.#takeEntities(fetch, collected, answer);
    } catch (error) {
      timing?.end();
      this.#failEntities(fetch, collected, error);
    }
  }

  #takeEntities(fetch: EntityFetch, collected: readonly Representations[], answer: GraphAnswer): void {
    const { supergraph, faults } = this.options;
    for (const error of answer.errors ?? []) {
      const [alias, index, ...rest] = error.path ?? [];
      const group = collected.find((each) => each.group.alias === alias);
      const places = typeof index === 'number' ? group?.waiting[index] : undefined;
      if (!places || !group) {
        this.#failEntities(fetch, group ? [group] : collected, error);
        continue;
      }
      const names = rest.map(realNames(group.group));
      const isEmptied = isNullAt(answer.data, group.group.alias, index);
      for (const place of places) {
        const path = pathOf(place);
        faults.add(error, [...path, ...names], fetch.subgraph);
        if (isEmptied) faults.emptied(path);
      }
    }
    const { data } = answer;
    if (!isJsonObject(data)) {
      if (!answer.errors?.length) this.#failEntities(fetch, collected, noAnswer(fetch.subgraph));
      return;
    }
    for (const each of collected) {
      for (const output of each.group.outputs) {
        rewrite(startsAt(output, each.group.alias) ? data : data[each.group.alias], output, supergraph.satisfies);
      }
      const answers = data[each.group.alias];
      if (Array.isArray(answers)) deliver(answers as Json[], each, supergraph.isObject);
    }
  }

  #failRoot(fetch: RootFetch, error: unknown): void {
    const { faults, isRootKey } = this.options;
    const keys = fetch.keys.map(realNames(fetch)).map(String).filter(isRootKey);
    if (keys.length === 0) faults.add(error, undefined, fetch.subgraph);
    for (const key of keys) faults.add(error, [key], fetch.subgraph);
  }

  #failEntities(fetch: EntityFetch, collected: readonly Representations[], error: unknown): void {
    const paths: AnswerPath[] = [];
    for (const { group, waiting } of collected) {
      const [only] = group.keys;
      const field = only !== undefined && group.keys.length === 1 ? [only] : [];
      for (const places of waiting) for (const place of places) paths.push([...pathOf(place), ...field]);
    }
    for (const path of commonPaths(paths)) this.options.faults.add(error, path, fetch.subgraph);
  }

  /** The client's variables a fetch uses. */
  variablesOf(fetch: Pick<RootFetch, 'variables'>): Record<string, unknown[]> {
    const { variables } = this.options;
    return Object.fromEntries(
      fetch.variables.filter((name) => Object.hasOwn(variables, name)).map((name) => [name, variables[name]]),
    ) as Record<string, unknown[]>;
  }

  #ask(fetch: RootFetch | EntityFetch, variables: Record<string, unknown>): Promise<GraphAnswer> {
    const { caller, call, signal } = this.options;
    return caller.execute(fetch.subgraph, requestOf(fetch, variables), call, signal);
  }
}

/** A fetch as a request to its subgraph. */
export function requestOf(
  fetch: Pick<RootFetch, 'operation' | 'operationName'>,
  variables: Record<string, unknown>,
): GraphRequest {
  return {
    query: fetch.operation,
    ...(fetch.operationName === undefined ? {} : { operationName: fetch.operationName }),
    variables,
  };
}

function noAnswer(subgraph: string): FleetError {
  return new FleetError('SUBGRAPH_UNAVAILABLE', `${subgraph} gave an answer that is none`, { subgraph });
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
