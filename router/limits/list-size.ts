import {
  type FieldNode,
  type GraphQLField,
  GraphQLInt,
  getNamedType,
  getNullableType,
  isListType,
  isObjectType,
  type ValueNode,
  valueFromASTUntyped,
  visit,
} from 'graphql';
import { FleetError } from '../../lib/errors.ts';
import type { Amount, Variables } from './amount.ts';
import type { ListSize } from './cost-rules.ts';

/** Arguments that say how long a list is, where no directive names others. */
const SLICING: readonly string[] = ['first', 'last', 'limit'];
/** Lists of a connection, where no directive names others. */
const SIZED: readonly string[] = ['nodes', 'edges'];

type Field = GraphQLField<unknown, unknown>;

export function isList(field: Field): boolean {
  return isListType(getNullableType(field.type));
}

/** What a field's own shape says of its length: a list, or a connection, with `first`, `last` or `limit`. */
export function conventionalSize(field: Field): ListSize | undefined {
  const slicing = SLICING.filter((name) =>
    field.args.some((argument) => argument.name === name && getNullableType(argument.type) === GraphQLInt),
  );
  if (slicing.length === 0) return undefined;
  const named = getNamedType(field.type);
  const below = isObjectType(named) ? named.getFields() : {};
  const sizedFields = SIZED.filter((name) => below[name] && isList(below[name]));
  if (!isList(field) && sizedFields.length === 0) return undefined;
  return {
    slicingArguments: slicing,
    sizedFields: isList(field) ? [] : sizedFields,
    requireOneSlicingArgument: false,
  };
}

/**
 * How many items a field gives out at most.
 * @param otherwise where neither the operation nor the schema says
 * @throws BAD_QUERY, at once or once the variables are known, when exactly one slicing argument is asked for and not given
 */
export function sizeOf(rule: ListSize, field: Field, node: FieldNode, otherwise: number): Amount {
  const readers = rule.slicingArguments.map((name) => readerOf(name, field, node));
  const size = (variables: Variables): number => {
    const given = readers.map((read) => read.value(variables)).filter((value) => typeof value === 'number');
    if (rule.requireOneSlicingArgument && given.length !== 1) {
      const names = rule.slicingArguments.join(', ');
      throw new FleetError('BAD_QUERY', `${field.name} needs exactly one of ${names}`);
    }
    return given.length > 0 ? Math.max(0, ...given) : (rule.assumedSize ?? otherwise);
  };
  return readers.every(({ isKnown }) => isKnown) ? size({}) : size;
}

interface Reader {
  isKnown: boolean;
  value(variables: Variables): unknown;
}

function readerOf(name: string, field: Field, node: FieldNode): Reader {
  const given = node.arguments?.find((argument) => argument.name.value === name)?.value;
  const standard = field.args.find((argument) => argument.name === name)?.defaultValue;
  if (!given) return { isKnown: true, value: () => standard };
  return {
    isKnown: isConstant(given),
    value: (variables) => valueFromASTUntyped(given, { ...variables }) ?? standard,
  };
}

/** Whether a value has no variable in it. */
export function isConstant(value: ValueNode): boolean {
  let constant = true;
  visit(value, {
    Variable() {
      constant = false;
    },
  });
  return constant;
}
