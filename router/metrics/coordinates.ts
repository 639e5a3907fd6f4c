import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  getOperationAST,
  isCompositeType,
  isInterfaceType,
  isObjectType,
  Kind,
  type SelectionSetNode,
} from 'graphql';

/**
 * The schema coordinate of the field that an error's path leads to, e.g. `Alert.agent`; undefined when it leads nowhere.
 * Where a key stands under several type conditions, the first that has it.
 */
export function coordinateOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | undefined,
  path: readonly (string | number)[],
): string | undefined {
  const operation = getOperationAST(document, operationName);
  const root = operation && schema.getRootType(operation.operation);
  if (!operation || !root) return undefined;
  let type: GraphQLNamedType = root;
  let sets: readonly SelectionSetNode[] = [operation.selectionSet];
  let coordinate: string | undefined;
  for (const key of path) {
    if (typeof key === 'number') continue;
    const found = fieldAt(schema, document, type, sets, key);
    if (!found) return undefined;
    const field = fieldOf(found.parent, found.nodes[0]?.name.value);
    if (!field) return undefined;
    coordinate = `${found.parent.name}.${field.name}`;
    type = getNamedType(field.type);
    sets = found.nodes.flatMap(({ selectionSet }) => selectionSet ?? []);
  }
  return coordinate;
}

interface Found {
  parent: GraphQLNamedType;
  nodes: FieldNode[];
}

/** Every selection of a response key below these sets, and the type under which it stands first. */
function fieldAt(
  schema: GraphQLSchema,
  document: DocumentNode,
  type: GraphQLNamedType,
  sets: readonly SelectionSetNode[],
  key: string,
): Found | undefined {
  let found: Found | undefined;
  const walk = (set: SelectionSetNode, parent: GraphQLNamedType): void => {
    for (const selection of set.selections) {
      if (selection.kind === Kind.FIELD) {
        if ((selection.alias ?? selection.name).value !== key) continue;
        found ??= { parent, nodes: [] };
        found.nodes.push(selection);
        continue;
      }
      const fragment = selection.kind === Kind.FRAGMENT_SPREAD ? fragmentOf(document, selection.name.value) : selection;
      const condition = fragment?.typeCondition && schema.getType(fragment.typeCondition.name.value);
      if (fragment) walk(fragment.selectionSet, isCompositeType(condition) ? condition : parent);
    }
  };
  for (const set of sets) walk(set, type);
  return found;
}

function fragmentOf(document: DocumentNode, name: string): FragmentDefinitionNode | undefined {
  return document.definitions.find(
    (each): each is FragmentDefinitionNode => each.kind === Kind.FRAGMENT_DEFINITION && each.name.value === name,
  );
}

function fieldOf(type: GraphQLNamedType, name: string | undefined) {
  return name !== undefined && (isObjectType(type) || isInterfaceType(type)) ? type.getFields()[name] : undefined;
}
