import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLInterfaceType,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isInterfaceType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
  visit,
} from 'graphql';
import { FleetError } from '../../lib/errors.ts';
import type { PlainNames } from '../supergraph/plain-names.ts';
import { type Conditions, isIncluded, withoutConditions } from './conditions.ts';
import { hasStricterObjects, keyByWayOf } from './covariance.ts';
import { INTROSPECTION } from './introspection.ts';

/** Fragments by name. */
export type Fragments = ReadonlyMap<string, FragmentDefinitionNode>;

const TYPENAME: FieldNode = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } };
/** Root fields of one mutation, fragments written out. */
const MAX_ROOT_FIELDS = 200;

/** A position in an operation. */
interface Place {
  type: GraphQLNamedType;
  /** The objects that may stand here, by all conditions around. */
  possible: readonly string[];
  /** The interface whose fields these are, where an object's own stand for them. */
  by?: GraphQLInterfaceType | undefined;
}

export interface ReductionOptions {
  /** What `@skip` and `@include` come to. */
  conditions: Conditions;
  /** Ask for `__typename` at every abstract position, so that access can be decided by the real type. */
  withTypenames: boolean;
  /** Under which keys subgraphs are asked for fields. */
  plainNames: PlainNames;
}

/**
 * What of an operation is for subgraphs, in the plainest words: without introspection and the roots' `__typename`, with
 * conditions decided, without fragments that say nothing. Planners lost fetches over conditional fragments.
 */
export class Reduction {
  readonly #fragments = new Map<string, FragmentDefinitionNode | undefined>();
  readonly #byName = new Map<string, FragmentDefinitionNode>();
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
    const type = this.schema.getRootType(operation.operation);
    const selectionSet = type && this.#selections(operation.selectionSet, { type, possible: [type.name] });
    if (!selectionSet) return undefined;
    const reduced = { ...operation, selectionSet };
    if (operation.operation !== 'mutation') return reduced;
    // Planners take fragments before or after the fields beside them; mutations are done in the document's order.
    const selections = this.perRootKey(reduced).flatMap((each) => each.selectionSet.selections);
    return { ...operation, selectionSet: { ...selectionSet, selections } };
  }

  /** A document of one reduced operation and the fragments it uses: others would be planned with it. */
  documentOf(operation: OperationDefinitionNode): DocumentNode {
    const used = new Set<FragmentDefinitionNode>();
    const note = (definition: OperationDefinitionNode | FragmentDefinitionNode): void => {
      visit(definition, {
        FragmentSpread: ({ name }) => {
          const fragment = this.#byName.get(name.value);
          if (!fragment || used.has(fragment)) return;
          used.add(fragment);
          note(fragment);
        },
      });
    };
    note(operation);
    return { kind: Kind.DOCUMENT, definitions: [operation, ...used] };
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
        const inner = selection.kind === Kind.INLINE_FRAGMENT ? selection : this.#byName.get(selection.name.value);
        if (inner) walk(inner.selectionSet);
      }
    };
    walk(operation.selectionSet);
    return [...groups.values()].map((selections) => ({
      ...operation,
      selectionSet: { kind: Kind.SELECTION_SET, selections },
    }));
  }

  #selections(set: SelectionSetNode, place: Place): SelectionSetNode | undefined {
    const selections = set.selections.flatMap((selection) => this.#selection(selection, place));
    if (selections.length === 0) return undefined;
    const asks = this.options.withTypenames && isAbstractType(place.type);
    return { kind: Kind.SELECTION_SET, selections: asks ? [TYPENAME, ...selections] : selections };
  }

  #selection(conditional: SelectionNode, place: Place): readonly SelectionNode[] {
    if (!isIncluded(conditional, this.options.conditions)) return [];
    const selection = withoutConditions(conditional);
    if (selection.kind === Kind.FIELD) return this.#field(selection, place);
    const { type } = place;
    const inner = selection.kind === Kind.INLINE_FRAGMENT ? selection : this.fragments.get(selection.name.value);
    const condition = (inner?.typeCondition && this.schema.getType(inner.typeCondition.name.value)) ?? type;
    const objects = new Set(this.#objectsOf(condition));
    const possible = place.possible.filter((object) => objects.has(object));
    if (possible.length === 0) return [];
    if (selection.kind === Kind.FRAGMENT_SPREAD) {
      const fragment = this.#fragment(selection.name.value, condition, possible);
      return fragment ? [{ ...selection, name: fragment.name }] : [];
    }
    // A condition that holds for every object here says nothing: its fields stand as well without it.
    const isPlain = condition === type || isObjectType(type);
    const contract =
      isObjectType(type) && isInterfaceType(condition) ? condition : condition === type ? place.by : undefined;
    const inside = { type: isPlain ? type : condition, possible, by: contract };
    const selectionSet = this.#selections(selection.selectionSet, inside);
    if (!selectionSet) return [];
    return isPlain ? selectionSet.selections : [{ ...selection, selectionSet }];
  }

  #field(field: FieldNode, { type, possible, by }: Place): readonly SelectionNode[] {
    const name = field.name.value;
    if (INTROSPECTION.has(name) || (name === '__typename' && this.#roots.has(type.name))) return [];
    // Under its own name, where the router looks for it; the client's alias is for the projection.
    if (name === '__typename') return [TYPENAME];
    const given = field.alias?.value ?? name;
    const key = this.#roots.has(type.name) ? given : this.options.plainNames.keyFor(name, given);
    let whole = under(field, by ? keyByWayOf(this.schema, by, type.name, name, key) : key);
    if (field.selectionSet) {
      const declared = isObjectType(type) || isInterfaceType(type) ? type.getFields()[name]?.type : undefined;
      const below = declared && getNamedType(declared);
      const left = below && this.#selections(field.selectionSet, { type: below, possible: this.#objectsOf(below) });
      whole = { ...whole, selectionSet: left ?? { kind: Kind.SELECTION_SET, selections: [TYPENAME] } };
    }
    if (!isInterfaceType(type) || !hasStricterObjects(this.schema, type, name)) return [whole];
    return [TYPENAME, ...possible.map((object) => this.#onObject(type, object, whole))];
  }

  #objectsOf(type: GraphQLNamedType): readonly string[] {
    return isAbstractType(type) ? this.schema.getPossibleTypes(type).map((object) => object.name) : [type.name];
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

  /** A fragment as it is for these objects; each such reading of it has a name of its own. */
  #fragment(name: string, type: GraphQLNamedType, possible: readonly string[]): FragmentDefinitionNode | undefined {
    const reading = `${name} ${possible.join(' ')}`;
    if (this.#fragments.has(reading)) return this.#fragments.get(reading);
    const fragment = this.fragments.get(name);
    const selectionSet = fragment && this.#selections(fragment.selectionSet, { type, possible });
    const own = { kind: Kind.NAME, value: `_${this.#fragments.size}_${name}` } as const;
    const reduced = selectionSet && { ...fragment, name: own, selectionSet };
    this.#fragments.set(reading, reduced);
    if (reduced) this.#byName.set(own.value, reduced);
    return reduced;
  }
}

/** A field under this response key; without an alias where the key is its name, which a planner would take for another field. */
function under({ alias: _, ...field }: FieldNode, key: string): FieldNode {
  return key === field.name.value ? field : { ...field, alias: { kind: Kind.NAME, value: key } };
}
