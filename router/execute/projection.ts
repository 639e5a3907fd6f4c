import {
  type FieldNode,
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isEnumType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  isScalarType,
  isSpecifiedScalarType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { type Conditions, isIncluded } from '../plan/conditions.ts';
import { clientKey, otherKey } from '../plan/covariance.ts';
import type { Fragments } from '../plan/reduction.ts';
import type { PlainNames } from '../supergraph/plain-names.ts';
import { type AnswerPath, FORBIDDEN_KEY, type JsonObject } from './json.ts';

/** How a value is shown: the type, compiled. Scalars of GraphQL's own are checked; a `leaf` is of any other. */
export type Shape = { isNonNull: boolean } & (
  | { kind: 'String' | 'Int' | 'Float' | 'Boolean' | 'ID' | 'leaf' }
  /** Values the client may see; others are null. */
  | { kind: 'enum'; values: ReadonlySet<string> }
  | { kind: 'list'; item: Shape }
  | { kind: 'object'; selection: Selection }
);

/** One field of an answer. */
export interface ShownField {
  /** Its name in the answer. */
  key: string;
  /** How it begins as JSON: as the first field of its object, and as a later one. */
  opening: string;
  following: string;
  /** Where it is in what subgraphs answered. */
  from: string;
  /** Where it may be instead in what subgraphs answered. */
  otherKey: string | undefined;
  /** `Type.field`. */
  coordinate: string;
  /** Of an interface's field, where the answer does not say of which object it is: what it may be. */
  coordinates: readonly string[] | undefined;
  shape: Shape;
  /** Answered by the router itself: the type's name, or introspection. */
  meta: 'typename' | 'introspection' | undefined;
}

type Fielded = GraphQLObjectType | GraphQLInterfaceType;

/** An operation's fields as a client with these `@skip` and `@include` conditions is to see them. */
export interface Projection {
  readonly schema: GraphQLSchema;
  readonly fragments: Fragments;
  readonly conditions: Conditions;
  readonly plainNames: PlainNames;
  readonly root: Selection;
}

/** Lays out how an operation's answers are shown; each type's part when it is first met. */
export function projectionOf(operation: OperationDefinitionNode, base: Omit<Projection, 'root'>): Projection {
  const root = base.schema.getRootType(operation.operation) as GraphQLObjectType;
  return { ...base, root: new Selection(base, root, [operation.selectionSet]) };
}

/** What is selected of one position: all its selection sets together, laid out for each type that turns up there. */
export class Selection {
  readonly #fields = new Map<string, readonly ShownField[]>();
  #keys: Map<string, Selection[]> | undefined;

  constructor(
    private readonly base: Omit<Projection, 'root'>,
    readonly type: GraphQLOutputType & { name: string },
    private readonly sets: readonly SelectionSetNode[],
  ) {}

  /** The type whose fields are shown for an object that says it is of this type; undefined when clients may not see it. */
  typeFor(typename: unknown): Fielded | undefined {
    const { type } = this;
    if (isObjectType(type)) return type;
    if (!isAbstractType(type)) return undefined;
    if (typename === undefined || typename === type.name) return isInterfaceType(type) ? type : undefined;
    const actual = this.base.schema.getType(String(typename));
    return isObjectType(actual) && this.base.schema.isSubType(type, actual) ? actual : undefined;
  }

  /** The fields shown for objects of a type, in the order of the document. */
  fieldsFor(type: Fielded): readonly ShownField[] {
    const known = this.#fields.get(type.name);
    if (known) return known;
    const collected = new Map<string, FieldNode[]>();
    for (const set of this.sets) this.#collect(set, type, collected, new Set());
    const fields = [...collected].map(([key, nodes]) => this.#shown(key, nodes, type));
    this.#fields.set(type.name, fields);
    return fields;
  }

  /** What is selected below a key, by the types that have it: nothing below a leaf; undefined when no type has it. */
  below(key: string): readonly Selection[] | undefined {
    if (!this.#keys) {
      this.#keys = new Map();
      const { type } = this;
      const types = isAbstractType(type) ? this.base.schema.getPossibleTypes(type) : isObjectType(type) ? [type] : [];
      for (const field of types.flatMap((each) => this.fieldsFor(each))) {
        const selection = objectSelection(field.shape);
        this.#keys.set(field.key, [...(this.#keys.get(field.key) ?? []), ...(selection ? [selection] : [])]);
      }
    }
    return this.#keys.get(key);
  }

  #collect(set: SelectionSetNode, type: Fielded, into: Map<string, FieldNode[]>, seen: Set<string>): void {
    for (const selection of set.selections) {
      if (!isIncluded(selection, this.base.conditions)) continue;
      if (selection.kind === Kind.FIELD) {
        const key = selection.alias?.value ?? selection.name.value;
        const nodes = into.get(key);
        if (nodes) nodes.push(selection);
        else into.set(key, [selection]);
        continue;
      }
      if (selection.kind === Kind.FRAGMENT_SPREAD) {
        if (seen.has(selection.name.value)) continue;
        seen.add(selection.name.value);
      }
      const inner = selection.kind === Kind.INLINE_FRAGMENT ? selection : this.base.fragments.get(selection.name.value);
      const condition = inner?.typeCondition?.name.value;
      if (inner && (condition === undefined || this.#matches(type, condition))) {
        this.#collect(inner.selectionSet, type, into, seen);
      }
    }
  }

  #matches(type: Fielded, condition: string): boolean {
    if (condition === type.name) return true;
    const abstract = this.base.schema.getType(condition);
    return isAbstractType(abstract) && this.base.schema.isSubType(abstract, type);
  }

  #shown(key: string, nodes: readonly FieldNode[], type: Fielded): ShownField {
    const name = nodes[0]?.name.value ?? '';
    const quoted = JSON.stringify(key);
    const texts = { opening: `{${quoted}:`, following: `,${quoted}:` };
    const coordinate = `${type.name}.${name}`;
    const coordinates = isInterfaceType(type)
      ? [coordinate, ...this.base.schema.getPossibleTypes(type).map((object) => `${object.name}.${name}`)]
      : undefined;
    const base = { key, from: key, ...texts, otherKey: undefined, coordinate, coordinates };
    if (name === '__typename') return { ...base, shape: { kind: 'leaf', isNonNull: true }, meta: 'typename' };
    const field = type.getFields()[name];
    if (!field) return { ...base, shape: { kind: 'leaf', isNonNull: false }, meta: 'introspection' };
    const { schema, plainNames } = this.base;
    const isRoot = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].includes(
      type as never,
    );
    const from = isRoot ? key : plainNames.keyFor(name, key);
    return {
      ...base,
      from,
      otherKey: otherKey(schema, type.name, name, from),
      shape: this.#shape(field.type, nodes),
      meta: undefined,
    };
  }

  #shape(type: GraphQLOutputType, nodes: readonly FieldNode[], isNonNull = false): Shape {
    if (isNonNullType(type)) return this.#shape(type.ofType, nodes, true);
    if (isListType(type)) return { kind: 'list', isNonNull, item: this.#shape(type.ofType, nodes) };
    if (isEnumType(type)) {
      return { kind: 'enum', isNonNull, values: new Set(type.getValues().map((value) => value.name)) };
    }
    const sets = nodes.flatMap((node) => node.selectionSet ?? []);
    if (isScalarType(type)) return { kind: isSpecifiedScalarType(type) ? (type.name as 'Int') : 'leaf', isNonNull };
    return { kind: 'object', isNonNull, selection: new Selection(this.base, getNamedType(type), sets) };
  }
}

function objectSelection(shape: Shape): Selection | undefined {
  if (shape.kind === 'list') return objectSelection(shape.item);
  return shape.kind === 'object' ? shape.selection : undefined;
}

/** Whether the client is to see any of these keys of the object at this place of the data, and it is not there. */
export function isMissed(root: Selection, data: unknown, path: AnswerPath, keys: readonly string[]): boolean {
  let [selection, value]: [Selection | undefined, unknown] = [root, data];
  const fields = (): readonly ShownField[] => {
    const type = selection?.typeFor((value as JsonObject | null)?.['__typename']);
    return type ? (selection as Selection).fieldsFor(type) : [];
  };
  for (const key of path) {
    if (typeof key === 'string') {
      const field = fields().find(({ from, otherKey }) => from === key || otherKey === key);
      if (!field) return false;
      selection = objectSelection(field.shape);
    }
    value = (value as Record<string | number, unknown>)[key];
  }
  const isThere = (key: string | undefined) => key !== undefined && (value as JsonObject)[key] !== undefined;
  return fields().some(({ from, otherKey }) => {
    const isWanted = keys.includes(from) || (otherKey !== undefined && keys.includes(otherKey));
    return isWanted && !isThere(from) && !isThere(otherKey);
  });
}

/** The native planner's own keys. */
const PLANNERS_OWN = /^_internal_qp_alias_/;

/** Whether a response key could not be an ordinary key of an answer. */
export function isReservedKey(key: string): boolean {
  return key === FORBIDDEN_KEY || PLANNERS_OWN.test(key) || clientKey(key) !== key;
}
