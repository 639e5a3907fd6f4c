import {
  type ConstDirectiveNode,
  type DocumentNode,
  Kind,
  parse,
  type SelectionSetNode,
  type TypeNode,
  valueFromASTUntyped,
} from 'graphql';

/** Names a `@provides` brings along, and what below each. */
type Provided = ReadonlyMap<string, Provided>;
const NOTHING: Provided = new Map();

interface Place {
  type: string;
  provided: Provided;
  /** Whether these are fields of an entity the subgraph was given, with what they require. */
  isGiven: boolean;
}

/**
 * Fields that one subgraph names without having them (`@external`). It may be asked for one only where a `@provides` above
 * brings it along, and for what requires one only there or with an entity it is given. Apollo's planner forgets both for
 * what the requirements of a requirement need.
 */
export class Externals {
  /** `Type.field` of each. */
  readonly #fields = new Set<string>();
  readonly #provided = new Map<string, Provided>();
  /** `Type.field` → the names it requires. */
  readonly #requiring = new Map<string, readonly string[]>();
  readonly #types = new Map<string, string>();

  /** @param graph the subgraph's value in join__Graph */
  constructor(supergraph: DocumentNode, graph: string) {
    for (const definition of supergraph.definitions) {
      if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION && definition.kind !== Kind.INTERFACE_TYPE_DEFINITION)
        continue;
      const owner = definition.name.value;
      const keys = argumentsFor(definition.directives, 'join__type', graph).flatMap(({ key }) =>
        typeof key === 'string' ? [...providedBy(key).keys()] : [],
      );
      for (const { name, type, directives } of definition.fields ?? []) {
        const coordinate = `${owner}.${name.value}`;
        this.#types.set(coordinate, namedOf(type));
        for (const { external, provides, requires } of argumentsFor(directives, 'join__field', graph)) {
          if (external === true && !keys.includes(name.value)) this.#fields.add(coordinate);
          if (typeof requires === 'string') this.#requiring.set(coordinate, [...providedBy(requires).keys()]);
          if (typeof provides === 'string') this.#provided.set(coordinate, providedBy(provides));
        }
      }
    }
  }

  /** `Type.field` of what the subgraph would be asked for without having it. */
  askedFor(operation: DocumentNode): string | undefined {
    if (this.#fields.size === 0) return undefined;
    for (const definition of operation.definitions) {
      if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
      const root = { query: 'Query', mutation: 'Mutation', subscription: 'Subscription' }[definition.operation];
      const found = this.#askedIn(
        definition.selectionSet,
        { type: root, provided: NOTHING, isGiven: false },
        operation,
      );
      if (found) return found;
    }
    return undefined;
  }

  #askedIn(set: SelectionSetNode, place: Place, operation: DocumentNode): string | undefined {
    for (const selection of set.selections) {
      let found: string | undefined;
      if (selection.kind === Kind.FIELD) {
        const name = selection.name.value;
        const coordinate = `${place.type}.${name}`;
        if (this.#isMissing(place, name)) return coordinate;
        const provided = merged(place.provided.get(name), this.#provided.get(coordinate));
        const below = { type: this.#types.get(coordinate) ?? '', provided, isGiven: name === '_entities' };
        found = selection.selectionSet && this.#askedIn(selection.selectionSet, below, operation);
      } else {
        const inner = selection.kind === Kind.INLINE_FRAGMENT ? selection : fragmentOf(operation, selection.name.value);
        const type = inner?.typeCondition?.name.value ?? place.type;
        found = inner && this.#askedIn(inner.selectionSet, { ...place, type }, operation);
      }
      if (found) return found;
    }
    return undefined;
  }

  #isMissing({ type, provided, isGiven }: Place, name: string): boolean {
    if (this.#fields.has(`${type}.${name}`)) return !provided.has(name);
    const required = isGiven ? undefined : this.#requiring.get(`${type}.${name}`);
    return required?.some((each) => this.#fields.has(`${type}.${each}`) && !provided.has(each)) ?? false;
  }
}

function argumentsFor(
  directives: readonly ConstDirectiveNode[] | undefined,
  name: string,
  graph: string,
): Record<string, unknown>[] {
  return (directives ?? [])
    .filter((directive) => directive.name.value === name && isOf(graph, directive))
    .map(({ arguments: given = [] }) =>
      Object.fromEntries(given.map((each) => [each.name.value, valueFromASTUntyped(each.value)])),
    );
}

function isOf(graph: string, { arguments: given }: ConstDirectiveNode): boolean {
  return given?.some(({ name, value }) => name.value === 'graph' && 'value' in value && value.value === graph) ?? false;
}

function providedBy(fieldSet: string): Provided {
  const [operation] = parse(`{ ${fieldSet} }`, { noLocation: true }).definitions;
  return operation && 'selectionSet' in operation ? namesIn(operation.selectionSet) : NOTHING;
}

function namesIn(set: SelectionSetNode, into = new Map<string, Provided>()): Map<string, Provided> {
  for (const selection of set.selections) {
    if (selection.kind === Kind.INLINE_FRAGMENT) namesIn(selection.selectionSet, into);
    if (selection.kind !== Kind.FIELD) continue;
    const below = selection.selectionSet ? namesIn(selection.selectionSet) : NOTHING;
    into.set(selection.name.value, merged(into.get(selection.name.value), below));
  }
  return into;
}

function merged(one: Provided | undefined, other: Provided | undefined): Provided {
  if (!one || !other) return one ?? other ?? NOTHING;
  const all = new Map(one);
  for (const [name, below] of other) all.set(name, merged(all.get(name), below));
  return all;
}

const fragmentOf = (document: DocumentNode, name: string) =>
  document.definitions.find((each) => each.kind === Kind.FRAGMENT_DEFINITION && each.name.value === name) as
    | Extract<DocumentNode['definitions'][number], { kind: Kind.FRAGMENT_DEFINITION }>
    | undefined;

const namedOf = (type: TypeNode): string => (type.kind === Kind.NAMED_TYPE ? type.name.value : namedOf(type.type));
