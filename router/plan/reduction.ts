import {
  type DirectiveNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
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
} from 'graphql';
import { FleetError } from '../../lib/errors.ts';

/** Fragments by name. */
export type Fragments = ReadonlyMap<string, FragmentDefinitionNode>;

const TYPENAME: FieldNode = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } };
/** Root fields of one mutation, fragments written out. */
const MAX_ROOT_FIELDS = 200;
const INTROSPECTION: ReadonlySet<string> = new Set(['__schema', '__type']);

export interface ReductionOptions {
  /** Ask for `__typename` at every abstract position, so that access can be decided by the real type. */
  withTypenames: boolean;
}

/**
 * What of an operation is for subgraphs: without introspection and the roots' `__typename`, without what a literal
 * `@skip(if: true)` or `@include(if: false)` takes out.
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
    const groups = new Map<string, SelectionNode[]>();
    let count = 0;
    this.#rootFields(operation.selectionSet, [], (key, selection) => {
      if (++count > MAX_ROOT_FIELDS) throw new FleetError('QUERY_TOO_LARGE', `over ${MAX_ROOT_FIELDS} root fields`);
      groups.set(key, [...(groups.get(key) ?? []), selection]);
    });
    return [...groups.values()].map((selections) => ({
      ...operation,
      selectionSet: { kind: Kind.SELECTION_SET, selections },
    }));
  }

  #rootFields(
    set: SelectionSetNode,
    around: DirectiveNode[],
    add: (key: string, selection: SelectionNode) => void,
  ): void {
    for (const selection of set.selections) {
      if (selection.kind === Kind.FIELD) {
        const key = selection.alias?.value ?? selection.name.value;
        add(key, { ...selection, directives: [...(selection.directives ?? []), ...around] });
        continue;
      }
      const inner = selection.kind === Kind.INLINE_FRAGMENT ? selection : this.#fragments.get(selection.name.value);
      if (inner) this.#rootFields(inner.selectionSet, [...around, ...(selection.directives ?? [])], add);
    }
  }

  #selections(set: SelectionSetNode, type: GraphQLNamedType): SelectionSetNode | undefined {
    const selections = set.selections.flatMap((selection) => this.#selection(selection, type) ?? []);
    if (selections.length === 0) return undefined;
    const asks = this.options.withTypenames && isAbstractType(type);
    return { kind: Kind.SELECTION_SET, selections: asks ? [TYPENAME, ...selections] : selections };
  }

  #selection(selection: SelectionNode, type: GraphQLNamedType): SelectionNode | undefined {
    if (isTakenOut(selection.directives)) return undefined;
    const directives = selection.directives?.filter((directive) => !hasLiteralCondition(directive)) ?? [];
    if (selection.kind === Kind.FIELD) return this.#field({ ...selection, directives }, type);
    if (selection.kind === Kind.FRAGMENT_SPREAD) {
      return this.#fragment(selection.name.value) && { ...selection, directives };
    }
    const condition = selection.typeCondition && this.schema.getType(selection.typeCondition.name.value);
    const selectionSet = this.#selections(selection.selectionSet, condition ?? type);
    return selectionSet && { ...selection, directives, selectionSet };
  }

  #field(field: FieldNode, type: GraphQLNamedType): FieldNode | undefined {
    const name = field.name.value;
    if (INTROSPECTION.has(name) || (name === '__typename' && this.#roots.has(type.name))) return undefined;
    if (!field.selectionSet) return field;
    const below = isObjectType(type) || isInterfaceType(type) ? type.getFields()[name]?.type : undefined;
    const left = below && this.#selections(field.selectionSet, getNamedType(below));
    return { ...field, selectionSet: left ?? { kind: Kind.SELECTION_SET, selections: [TYPENAME] } };
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

/** The value of a literal `if`, or undefined when it is a variable or another directive. */
function literalCondition(directive: DirectiveNode): boolean | undefined {
  if (directive.name.value !== 'skip' && directive.name.value !== 'include') return undefined;
  const value = directive.arguments?.find((argument) => argument.name.value === 'if')?.value;
  return value?.kind === Kind.BOOLEAN ? value.value : undefined;
}

function hasLiteralCondition(directive: DirectiveNode): boolean {
  return literalCondition(directive) !== undefined;
}

function isTakenOut(directives: readonly DirectiveNode[] | undefined): boolean {
  return (directives ?? []).some((directive) => {
    const value = literalCondition(directive);
    return value !== undefined && value === (directive.name.value === 'skip');
  });
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
