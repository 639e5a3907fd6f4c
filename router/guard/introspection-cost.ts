import { type FragmentDefinitionNode, Kind, type OperationDefinitionNode, type SelectionSetNode } from 'graphql';

/**
 * How many of a thing there are for each of what has them. Fixed, not of the schema at hand: what is refused must not depend on how
 * large a schema has become, and what tools send must always pass.
 */
const MEMBERS: Readonly<Record<string, number>> = {
  types: 150,
  directives: 15,
  fields: 8,
  inputFields: 6,
  args: 2,
  enumValues: 5,
  interfaces: 1,
  possibleTypes: 2,
  // Few types are wrapped, and fewer twice.
  ofType: 0.4,
};

/** About how many parts of the schema the operation's introspection tells. Of a document whose expansion is bounded already. */
export function introspectionCost(
  operation: OperationDefinitionNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): number {
  let cost = 0;
  const walk = (set: SelectionSetNode, each: number, isInside: boolean, under: readonly string[]): void => {
    for (const selection of set.selections) {
      if (selection.kind === Kind.INLINE_FRAGMENT) {
        walk(selection.selectionSet, each, isInside, under);
      } else if (selection.kind === Kind.FRAGMENT_SPREAD) {
        const name = selection.name.value;
        const fragment = under.includes(name) ? undefined : fragments.get(name);
        if (fragment) walk(fragment.selectionSet, each, isInside, [...under, name]);
      } else {
        const name = selection.name.value;
        const starts = !isInside && (name === '__schema' || name === '__type');
        if (!isInside && !starts) continue;
        const below = each * (MEMBERS[name] ?? 1);
        cost += below;
        if (selection.selectionSet) walk(selection.selectionSet, below, true, under);
      }
    }
  };
  walk(operation.selectionSet, 1, false, []);
  return cost;
}
