import {
  type DocumentNode,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import type { Fragments } from './reduction.ts';

/** Root fields that the router answers from its own schema. */
export const INTROSPECTION: ReadonlySet<string> = new Set(['__schema', '__type']);

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
