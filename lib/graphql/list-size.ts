import { type GraphQLFieldConfig, getNamedType, getNullableType, isListType, isObjectType } from 'graphql';
import { DEFAULT_PAGE } from '../page.ts';

/** What `@listSize` says of a connection: every one has pages of the same size, so one rule speaks for all. */
export interface ListSizeArguments {
  assumedSize: number;
  slicingArguments: string[];
  sizedFields: string[];
  requireOneSlicingArgument: false;
}

/** The `@listSize` of a field that gives out a connection; undefined for any other. */
export function connectionSize({ args, type }: GraphQLFieldConfig<unknown, unknown>): ListSizeArguments | undefined {
  const slicingArguments = ['first', 'last'].filter((name) => args?.[name]);
  const connection = getNamedType(type);
  if (slicingArguments.length === 0 || !isObjectType(connection)) return undefined;
  const fields = connection.getFields();
  const sizedFields = ['nodes', 'edges'].filter((name) => {
    const field = fields[name];
    return field && isListType(getNullableType(field.type));
  });
  if (sizedFields.length === 0) return undefined;
  return { assumedSize: DEFAULT_PAGE, slicingArguments, sizedFields, requireOneSlicingArgument: false };
}
