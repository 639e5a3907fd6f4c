import {
  type GraphQLInterfaceType,
  type GraphQLOutputType,
  type GraphQLSchema,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql';

/**
 * Objects may promise more than their interface: `author: Person!` where the interface says `Person`. Planners write an
 * interface's field out for each object, and then two types meet under one key, which GraphQL forbids. So such a field is
 * asked for under a key of its own for each strictness.
 */
const MARKED = /(__r)?(__o[nl]+)?$/;

/** `n` for non-null, `l` for list, from the outside in. */
function strictness(type: GraphQLOutputType): string {
  if (isNonNullType(type)) return `n${strictness(type.ofType)}`;
  return isListType(type) ? `l${strictness(type.ofType)}` : '';
}

/** Whether some objects of an interface are stricter about a field than it is. */
export function hasStricterObjects(schema: GraphQLSchema, contract: GraphQLInterfaceType, field: string): boolean {
  const declared = contract.getFields()[field];
  return schema.getPossibleTypes(contract).some((object) => {
    const own = object.getFields()[field];
    return own !== undefined && declared !== undefined && strictness(own.type) !== strictness(declared.type);
  });
}

/** The key under which an object's field is asked for by way of an interface: its own when it is stricter. */
export function keyByWayOf(
  schema: GraphQLSchema,
  contract: GraphQLInterfaceType,
  object: string,
  field: string,
  key: string,
): string {
  const type = schema.getType(object);
  const own = isObjectType(type) ? type.getFields()[field] : undefined;
  const declared = contract.getFields()[field];
  const isStricter = own && declared && strictness(own.type) !== strictness(declared.type);
  return isStricter ? `${key}__o${strictness(own.type)}` : key;
}

/** The other key under which a field may have been answered; undefined when no interface is laxer about it. */
export function otherKey(schema: GraphQLSchema, type: string, field: string, key: string): string | undefined {
  const object = schema.getType(type);
  if (!isObjectType(object)) return undefined;
  const keys = object.getInterfaces().map((contract) => keyByWayOf(schema, contract, type, field, key));
  return keys.find((each) => each !== key);
}

/** A key as the client gave it. */
export function clientKey(key: string): string {
  return key.replace(MARKED, '');
}
