import { type ConstDirectiveNode, Kind, type ObjectTypeDefinitionNode, parse, valueFromASTUntyped } from 'graphql';
import { OWN_SUBGRAPH } from './sdl.ts';

/** Which subgraph knows whether a node exists: type → subgraph. */
export type NodeOwners = ReadonlyMap<string, string>;

/**
 * The owners of a supergraph's nodes. A type may be resolved by several subgraphs; its owner is the one whose root field
 * gives out a single one of it, for every node type has such a field.
 */
export function nodeOwners(supergraphSdl: string): NodeOwners {
  const objects = parse(supergraphSdl, { noLocation: true }).definitions.filter(
    (definition): definition is ObjectTypeDefinitionNode => definition.kind === Kind.OBJECT_TYPE_DEFINITION,
  );
  const names = graphNames(supergraphSdl);
  const query = objects.find(({ name }) => name.value === 'Query');
  const owners = new Map<string, string>();
  for (const type of objects) {
    if (!type.interfaces?.some(({ name }) => name.value === 'Node')) continue;
    const resolving = directivesOf(type, 'join__type')
      .filter(({ key, resolvable }) => typeof key === 'string' && resolvable !== false)
      .map(({ graph }) => String(graph));
    const giving = query ? rootGraphs(query, type.name.value) : [];
    const owner = giving.find((graph) => resolving.includes(graph)) ?? resolving[0];
    const name = owner === undefined ? undefined : names.get(owner);
    if (name !== undefined && name !== OWN_SUBGRAPH) owners.set(type.name.value, name);
  }
  return owners;
}

/** Graphs of the root fields that give out one object of the type. */
function rootGraphs(query: ObjectTypeDefinitionNode, type: string): string[] {
  return (query.fields ?? [])
    .filter((field) => field.type.kind === Kind.NAMED_TYPE && field.type.name.value === type)
    .flatMap((field) => directivesOf(field, 'join__field').map(({ graph }) => String(graph)));
}

/** join__Graph's value → the subgraph's name. */
function graphNames(supergraphSdl: string): Map<string, string> {
  const names = new Map<string, string>();
  for (const definition of parse(supergraphSdl, { noLocation: true }).definitions) {
    if (definition.kind !== Kind.ENUM_TYPE_DEFINITION || definition.name.value !== 'join__Graph') continue;
    for (const value of definition.values ?? []) {
      const [graph] = directivesOf(value, 'join__graph');
      if (graph) names.set(value.name.value, String(graph['name']));
    }
  }
  return names;
}

function directivesOf(
  node: { readonly directives?: readonly ConstDirectiveNode[] },
  name: string,
): Record<string, unknown>[] {
  return (node.directives ?? [])
    .filter((directive) => directive.name.value === name)
    .map((directive) =>
      Object.fromEntries(
        (directive.arguments ?? []).map((given) => [given.name.value, valueFromASTUntyped(given.value)]),
      ),
    );
}
