import {
  type DocumentNode,
  doTypesOverlap,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLInterfaceType,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isInterfaceType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import { FleetError } from '../../lib/errors.ts';
import { type Conditions, isIncluded, withoutConditions } from './conditions.ts';
import { keyByWayOf, stricterObjects } from './covariance.ts';

/** Fragments by name. */
export type Fragments = ReadonlyMap<string, FragmentDefinitionNode>;

const TYPENAME: FieldNode = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } };
/** Root fields of one mutation, fragments written out. */
const MAX_ROOT_FIELDS = 200;
const INTROSPECTION: ReadonlySet<string> = new Set(['__schema', '__type']);

export interface ReductionOptions {
  /** What `@skip` and `@include` come to. */
  conditions: Conditions;
  /** Ask for `__typename` at every abstract position, so that access can be decided by the real type. */
  withTypenames: boolean;
}

/**
 * What of an operation is for subgraphs, in the plainest words: without introspection and the roots' `__typename`, with
 * conditions decided, without fragments that say nothing. Planners lost fetches over conditional fragments.
 */
export class Reduction {
  readonly #fragments = new Map<string, FragmentDefinitionNode | undefined>();
  readonly #roots: ReadonlySet<string>;

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly fragments: Fragments,
    private readonly options: ReductionOptions,
  ) {
    const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
    this.#roots = new Set(roots.flatMap((type) => (type ? [type.name] : [])));
  }

  /** The operation that is left; undefined when no subgraph is needed. */
  reduce(operation: OperationDefinitionNode): OperationDefinitionNode | undefined {
    const root = this.schema.getRootType(operation.operation);
    const selectionSet = root && this.#selections(operation.selectionSet, root);
    return selectionSet ? { ...operation, selectionSet } : undefined;
  }

  /** A document of one reduced operation and the fragments it may use. */
  documentOf(operation: OperationDefinitionNode): DocumentNode {
    const fragments = [...this.#fragments.values()].filter((fragment) => fragment !== undefined);
    return { kind: Kind.DOCUMENT, definitions: [operation, ...fragments] };
  }

  /** One operation for each response key of the root, in the document's order. */
  perRootKey(operation: OperationDefinitionNode): OperationDefinitionNode[] {
    const groups = new Map<string, FieldNode[]>();
    let count = 0;
    const walk = (set: SelectionSetNode): void => {
      for (const selection of set.selections) {
        if (++count > MAX_ROOT_FIELDS) throw new FleetError('QUERY_TOO_LARGE', `over ${MAX_ROOT_FIELDS} root fields`);
        if (selection.kind === Kind.FIELD) {
          const key = selection.alias?.value ?? selection.name.value;
          groups.set(key, [...(groups.get(key) ?? []), selection]);
          continue;
        }
        const inner = selection.kind === Kind.INLINE_FRAGMENT ? selection : this.#fragments.get(selection.name.value);
        if (inner) walk(inner.selectionSet);
      }
    };
    walk(operation.selectionSet);
    return [...groups.values()].map((selections) => ({
      ...operation,
      selectionSet: { kind: Kind.SELECTION_SET, selections },
    }));
  }

  /** @param by the interface whose fields these are, where an object's own stand for them */
  #selections(set: SelectionSetNode, type: GraphQLNamedType, by?: GraphQLInterfaceType): SelectionSetNode | undefined {
    const selections = set.selections.flatMap((selection) => this.#selection(selection, type, by));
    if (selections.length === 0) return undefined;
    const asks = this.options.withTypenames && isAbstractType(type);
    return { kind: Kind.SELECTION_SET, selections: asks ? [TYPENAME, ...selections] : selections };
  }

  #selection(conditional: SelectionNode, type: GraphQLNamedType, by?: GraphQLInterfaceType): readonly SelectionNode[] {
    if (!isIncluded(conditional, this.options.conditions)) return [];
    const selection = withoutConditions(conditional);
    if (selection.kind === Kind.FIELD) return this.#field(selection, type, by);
    const inner = selection.kind === Kind.INLINE_FRAGMENT ? selection : this.fragments.get(selection.name.value);
    const condition = inner?.typeCondition && this.schema.getType(inner.typeCondition.name.value);
    if (isCompositeType(condition) && isCompositeType(type) && !doTypesOverlap(this.schema, condition, type)) return [];
    if (selection.kind === Kind.FRAGMENT_SPREAD) return this.#fragment(selection.name.value) ? [selection] : [];
    // A condition that holds for every object here says nothing: its fields stand as well without it.
    const isPlain = !condition || condition === type || isObjectType(type);
    const contract = isObjectType(type) && isInterfaceType(condition) ? condition : condition ? undefined : by;
    const selectionSet = this.#selections(selection.selectionSet, isPlain ? type : condition, contract);
    if (!selectionSet) return [];
    return isPlain ? selectionSet.selections : [{ ...selection, selectionSet }];
  }

  #field(field: FieldNode, type: GraphQLNamedType, by?: GraphQLInterfaceType): readonly SelectionNode[] {
    const name = field.name.value;
    if (INTROSPECTION.has(name) || (name === '__typename' && this.#roots.has(type.name))) return [];
    // Under its own name, where the router looks for it; the client's alias is for the projection.
    if (name === '__typename') return [TYPENAME];
    const below = isObjectType(type) || isInterfaceType(type) ? type.getFields()[name]?.type : undefined;
    const key = field.alias?.value ?? name;
    let whole = under(field, by ? keyByWayOf(this.schema, by, type.name, name, key) : key);
    if (field.selectionSet) {
      const left = below && this.#selections(field.selectionSet, getNamedType(below));
      whole = { ...whole, selectionSet: left ?? { kind: Kind.SELECTION_SET, selections: [TYPENAME] } };
    }
    const objects = isInterfaceType(type) ? stricterObjects(this.schema, type, name) : [];
    if (!isInterfaceType(type) || objects.length === 0) return [whole];
    return [TYPENAME, ...objects.map((object) => this.#onObject(type, object, whole))];
  }

  /** An interface's field as one of its objects has it, under a key of its own. */
  #onObject(contract: GraphQLInterfaceType, object: string, field: FieldNode): SelectionNode {
    const key = field.alias?.value ?? field.name.value;
    const keyed = under(field, keyByWayOf(this.schema, contract, object, field.name.value, key));
    return {
      kind: Kind.INLINE_FRAGMENT,
      typeCondition: { kind: Kind.NAMED_TYPE, name: { kind: Kind.NAME, value: object } },
      selectionSet: { kind: Kind.SELECTION_SET, selections: [keyed] },
    };
  }

  #fragment(name: string): FragmentDefinitionNode | undefined {
    if (this.#fragments.has(name)) return this.#fragments.get(name);
    const fragment = this.fragments.get(name);
    const type = fragment && this.schema.getType(fragment.typeCondition.name.value);
    const selectionSet = type && this.#selections(fragment.selectionSet, type);
    const reduced = selectionSet && { ...fragment, selectionSet };
    this.#fragments.set(name, reduced);
    return reduced;
  }
}

/** A field under this response key; without an alias where the key is its name, which a planner would take for another field. */
function under({ alias: _, ...field }: FieldNode, key: string): FieldNode {
  return key === field.name.value ? field : { ...field, alias: { kind: Kind.NAME, value: key } };
}

/** Only the introspection an operation asks for at its root; undefined when it asks for none. */
export function introspectionOf(
  operation: OperationDefinitionNode,
  fragments: Fragments,
  document: DocumentNode,
): DocumentNode | undefined {
  const known = new Map<string, SelectionSetNode | undefined>();
  const inFragment = (name: string): SelectionSetNode | undefined => {
    const fragment = fragments.get(name);
    if (!known.has(name)) known.set(name, fragment && only(fragment.selectionSet));
    return known.get(name);
  };
  const only = (set: SelectionSetNode): SelectionSetNode | undefined => {
    const selections = set.selections.flatMap((selection): SelectionNode[] => {
      if (selection.kind === Kind.FIELD) return INTROSPECTION.has(selection.name.value) ? [selection] : [];
      const isInline = selection.kind === Kind.INLINE_FRAGMENT;
      const left = isInline ? only(selection.selectionSet) : inFragment(selection.name.value);
      return left ? [{ kind: Kind.INLINE_FRAGMENT, directives: selection.directives ?? [], selectionSet: left }] : [];
    });
    return selections.length > 0 ? { kind: Kind.SELECTION_SET, selections } : undefined;
  };
  const selectionSet = only(operation.selectionSet);
  if (!selectionSet) return undefined;
  const definitions = document.definitions.filter((definition) => definition.kind === Kind.FRAGMENT_DEFINITION);
  return { kind: Kind.DOCUMENT, definitions: [{ ...operation, selectionSet }, ...definitions] };
}
