import {
  type DocumentNode,
  Kind,
  type OperationDefinitionNode,
  print,
  type SelectionNode,
  type SelectionSetNode,
  visit,
} from 'graphql';
import { nameWithin } from '../execute/introspection.ts';
import type { Fragments } from './reduction.ts';

/** Root fields that the router answers from its own schema. */
export const INTROSPECTION: ReadonlySet<string> = new Set(['__schema', '__type']);

const TAKEN: ReadonlySet<string> = new Set(['Boolean', 'Boolean!', 'String', 'String!']);

/**
 * Only the introspection an operation asks for at its root, as `introspect` runs it; undefined when it asks for none. Its
 * fields' arguments take variables of two types: others belong to the rest of the operation.
 */
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
  const variableDefinitions = (operation.variableDefinitions ?? []).filter(({ type }) => TAKEN.has(print(type)));
  const definitions = document.definitions.filter((definition) => definition.kind === Kind.FRAGMENT_DEFINITION);
  return within({
    kind: Kind.DOCUMENT,
    definitions: [{ ...operation, variableDefinitions, selectionSet }, ...definitions],
  });
}

/** With the names that fields and types of introspection have where they are run; the answer bears those that were asked. */
function within(document: DocumentNode): DocumentNode {
  return visit(document, {
    Field(field) {
      const { name, alias = name } = field;
      const value = nameWithin(name.value);
      return value === name.value ? undefined : { ...field, alias, name: { ...name, value } };
    },
    NamedType: (type) => ({ ...type, name: { ...type.name, value: nameWithin(type.name.value) } }),
  });
}
