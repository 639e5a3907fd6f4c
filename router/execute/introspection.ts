import { setImmediate } from 'node:timers/promises';
import {
  __Schema,
  __Type,
  type DocumentNode,
  execute,
  type GraphQLFieldConfig,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  type GraphQLOutputType,
  GraphQLSchema,
  GraphQLString,
  getNamedType,
  introspectionTypes,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql';
import { FleetError } from '../../lib/errors.ts';

/** Names of introspection that would find graphql-js's own fields and types, which wait for nobody. */
const RESERVED = /^__(?!TypeKind$|DirectiveLocation$)/;

/** The name of a field or type of introspection as it is here. */
export function nameWithin(name: string): string {
  return name.replace(RESERVED, '');
}

/** Parts told between two turns of the loop; some two milliseconds. */
const PARTS_PER_TURN = 3_000;
const RESUMED_AT_ONCE = 32;
/** Items of a list that are written out between two turns of the loop. */
const WRITTEN_PER_TURN = 50;
/** How often each part of a schema may be told in one answer: tools ask for some fifteen. */
const TIMES_TOLD = 30;
const LEAST_PARTS = 300_000;

interface Source {
  schema: GraphQLSchema;
  pace: Pace;
}

/**
 * Answers introspection a bit at a time, so that no schema, however large, holds the loop.
 * @param mostParts fields of introspection in one answer
 * @returns JSON by response key
 * @param document only introspection, with the names of `nameWithin`
 * @throws QUERY_TOO_LARGE when it would tell much more than all there is
 */
export async function introspect(
  schema: GraphQLSchema,
  document: DocumentNode,
  variables: Readonly<Record<string, unknown>>,
  mostParts = Math.max(LEAST_PARTS, TIMES_TOLD * partsOf(schema)),
): Promise<Record<string, string>> {
  metaSchema ??= makeMetaSchema();
  const meta = metaSchema;
  const told = await new Promise<Record<string, unknown>>((resolve, reject) => {
    const contextValue: Source = { schema, pace: new Pace(mostParts, reject) };
    Promise.resolve(execute({ schema: meta, document, variableValues: variables, contextValue })).then(
      ({ data, errors }) => {
        if (data) resolve(data);
        else reject(new Error(`the consumer schema cannot be introspected: ${errors?.[0]?.message}`));
      },
      reject,
    );
  });
  const texts: Record<string, string> = {};
  for (const [key, value] of Object.entries(told)) texts[key] = await written(value);
  return texts;
}

/** JSON of what one root field tells: only its lists are long. */
async function written(value: unknown): Promise<string> {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members: string[] = [];
  for (const [name, member] of Object.entries(value)) {
    members.push(
      `${JSON.stringify(name)}:${Array.isArray(member) ? await writtenList(member) : JSON.stringify(member)}`,
    );
  }
  return `{${members.join()}}`;
}

async function writtenList(items: readonly unknown[]): Promise<string> {
  const parts: string[] = [];
  for (let at = 0; at < items.length; at += WRITTEN_PER_TURN) {
    if (at > 0) await setImmediate();
    parts.push(JSON.stringify(items.slice(at, at + WRITTEN_PER_TURN)).slice(1, -1));
  }
  return `[${parts.join()}]`;
}

/** Counts what one answer tells, and makes it wait for others. */
class Pace {
  #told = 0;
  #left = PARTS_PER_TURN;
  /** The last that came goes on first: so the fewest are under way. */
  readonly #waiting: (() => void)[] = [];
  #isDue = false;

  constructor(
    private readonly most: number,
    private readonly refuse: (error: FleetError) => void,
  ) {}

  count(): void {
    this.#told += 1;
    this.#left -= 1;
  }

  /** @returns undefined when it may go on at once; else its turn, which never comes to what tells too much */
  turn(): Promise<void> | undefined {
    this.count();
    const isTooMuch = this.#told > this.most;
    if (isTooMuch) this.refuse(new FleetError('QUERY_TOO_LARGE', `introspection tells at most ${this.most} parts`));
    else if (this.#left > 0) return undefined;
    return new Promise((resolve) => {
      if (isTooMuch) return;
      this.#waiting.push(resolve);
      if (!this.#isDue) this.#later();
    });
  }

  #later(): void {
    this.#isDue = true;
    void setImmediate().then(() => {
      this.#left = PARTS_PER_TURN;
      this.#resume();
    });
  }

  #resume(): void {
    this.#isDue = this.#waiting.length > 0;
    if (!this.#isDue) return;
    if (this.#left <= 0) {
      this.#later();
      return;
    }
    for (const resume of this.#waiting.splice(-RESUMED_AT_ONCE)) resume();
    // A tick comes when all that they set off is done.
    queueMicrotask(() => process.nextTick(() => this.#resume()));
  }
}

const partsKnown = new WeakMap<GraphQLSchema, number>();

/** Types, fields, arguments and values of a schema. */
function partsOf(schema: GraphQLSchema): number {
  const known = partsKnown.get(schema);
  if (known !== undefined) return known;
  let parts = 0;
  for (const type of Object.values(schema.getTypeMap())) {
    parts += 1;
    if (isEnumType(type)) parts += type.getValues().length;
    else if (isInputObjectType(type)) parts += Object.keys(type.getFields()).length;
    else if (isObjectType(type) || isInterfaceType(type)) {
      for (const { args } of Object.values(type.getFields())) parts += 1 + args.length;
    }
  }
  partsKnown.set(schema, parts);
  return parts;
}

/** Made when it is first asked for. */
let metaSchema: GraphQLSchema | undefined;

/** graphql-js's introspection, each field of which waits its turn. */
function makeMetaSchema(): GraphQLSchema {
  const copies = new Map<string, GraphQLOutputType>();
  const copyOf = (type: GraphQLOutputType): GraphQLOutputType => {
    if (isNonNullType(type)) return new GraphQLNonNull(copyOf(type.ofType) as never);
    if (isListType(type)) return new GraphQLList(copyOf(type.ofType));
    return copies.get(type.name) ?? type;
  };
  const paced = (field: GraphQLFieldConfig<unknown, Source>): GraphQLFieldConfig<unknown, Source> => {
    const { resolve } = field;
    if (!resolve) throw new Error('invariant broken: a field of introspection without a resolver');
    const isLeaf = isLeafType(getNamedType(field.type));
    return {
      ...field,
      type: copyOf(field.type),
      resolve(source, args, context, info) {
        if (isLeaf) context.pace.count();
        const turn = isLeaf ? undefined : context.pace.turn();
        return turn ? turn.then(() => resolve(source, args, context, info)) : resolve(source, args, context, info);
      },
    };
  };
  for (const type of introspectionTypes) {
    if (!isObjectType(type)) continue;
    const { fields, ...config } = type.toConfig();
    const typename = { type: new GraphQLNonNull(GraphQLString), resolve: () => type.name };
    const own = () => ({
      ...Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, paced(field)])),
      typename,
    });
    copies.set(type.name, new GraphQLObjectType({ ...config, name: nameWithin(type.name), fields: own }));
  }
  const query = new GraphQLObjectType<unknown, Source>({
    name: 'Introspection',
    fields: {
      schema: { type: copyOf(new GraphQLNonNull(__Schema)), resolve: (_source, _args, { schema }) => schema },
      type: {
        type: copyOf(__Type),
        args: { name: { type: new GraphQLNonNull(GraphQLString) } },
        resolve: (_source, { name }, { schema }) => schema.getType(name as string),
      },
    },
  });
  return new GraphQLSchema({ query });
}
