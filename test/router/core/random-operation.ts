import {
  type GraphQLArgument,
  GraphQLBoolean,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isUnionType,
} from 'graphql';

/** A number in [0, 1) from a seed: mulberry32. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export interface RandomOperation {
  query: string;
  variables: Record<string, unknown>;
}

const IDS = ['p1', 'p2', 'p3', 'p4', 'p5', 'o1', 'o2', 'g1', 'nobody'];

/** Of a thorough operation. */
const MAX_SELECTIONS = 40;

/** Writes operations over a schema: aliases, fragments, conditions, variables, abstract types, whatever the seed says. */
export class RandomWriter {
  #next = 0;
  #selected = 0;
  readonly #fragments: string[] = [];
  readonly #variables = new Map<string, { type: string; value: unknown; byDefault?: string }>();

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly random: () => number,
    /** Whether some variables are left to their defaults, and some values are null. */
    private readonly isThorough = false,
  ) {}

  write(): RandomOperation {
    const isMutation = this.random() < 0.15 && Boolean(this.schema.getMutationType());
    const root = (isMutation ? this.schema.getMutationType() : this.schema.getQueryType()) as GraphQLCompositeType;
    const body = this.#selections(root, 3);
    const declared = [...this.#variables]
      .map(([name, { type, byDefault }]) => `$${name}: ${type}${byDefault === undefined ? '' : ` = ${byDefault}`}`)
      .join(', ');
    const head = `${isMutation ? 'mutation' : 'query'} Random${declared ? `(${declared})` : ''}`;
    return {
      query: [`${head} ${body}`, ...this.#fragments].join('\n'),
      variables: Object.fromEntries(
        [...this.#variables].flatMap(([name, { value }]) => (value === undefined ? [] : [[name, value]])),
      ),
    };
  }

  #chance(probability: number): boolean {
    return this.random() < probability;
  }

  #pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.random() * items.length)] as T;
  }

  #selections(type: GraphQLCompositeType, depth: number): string {
    const count = 1 + Math.floor(this.random() * 3);
    return `{ ${Array.from({ length: count }, () => this.#selection(type, depth)).join(' ')} }`;
  }

  #selection(type: GraphQLCompositeType, depth: number): string {
    // Graphs in which much is abstract would be written about without end.
    if (this.isThorough && (++this.#selected > MAX_SELECTIONS || depth < -1)) return '__typename';
    if (isUnionType(type) || (isAbstractType(type) && this.#chance(0.6)) || this.#chance(0.12)) {
      return this.#fragment(type, depth);
    }
    if (this.#chance(0.06)) return this.#chance(0.3) ? `kind${this.#next++}: __typename` : '__typename';
    return this.#field(type, depth);
  }

  #fragment(type: GraphQLCompositeType, depth: number): string {
    if (isUnionType(type) && this.#chance(0.2)) return '__typename';
    const possible = isAbstractType(type) ? this.schema.getPossibleTypes(type) : [type];
    const contracts = possible.flatMap((object) => ('getInterfaces' in object ? object.getInterfaces() : []));
    const condition = this.#pick<GraphQLCompositeType>([...possible, ...possible, ...contracts, type]);
    const body = this.#selections(condition, this.isThorough ? depth - 0.5 : depth);
    if (this.#chance(0.6)) return `... on ${condition.name} ${this.#conditions()} ${body}`;
    const name = `F${this.#next++}`;
    this.#fragments.push(`fragment ${name} on ${condition.name} ${body}`);
    return `...${name} ${this.#conditions()} ${this.#chance(0.2) ? `...${name}` : ''}`;
  }

  #field(type: GraphQLCompositeType, depth: number): string {
    if (isUnionType(type)) return '__typename';
    const fields = Object.values(type.getFields());
    const leaves = fields.filter((field) => !isCompositeType(getNamedType(field.type)));
    const field = this.#pick(depth <= 0 && leaves.length > 0 ? leaves : fields);
    const below = getNamedType(field.type);
    if (isCompositeType(below) && depth <= 0) return '__typename';
    const body = isCompositeType(below) ? this.#selections(below, depth - 1) : '';
    const isAliased = field.args.length > 0 ? this.#chance(0.8) : this.#chance(0.2);
    // Also under another field's name, which a key or a `@requires` may need.
    const shadowed = this.isThorough && isAliased && this.#chance(0.15) ? this.#pick(fields).name : undefined;
    const alias = isAliased ? `${shadowed ?? `${field.name}${this.#next++}`}: ` : '';
    return `${alias}${field.name}${this.#arguments(field)} ${this.#conditions()} ${body}`;
  }

  #arguments(field: GraphQLField<unknown, unknown>): string {
    const given = field.args.filter((argument) => isNonNullType(argument.type) || this.#chance(0.5));
    return given.length > 0 ? `(${given.map((argument) => this.#argument(argument)).join(', ')})` : '';
  }

  #argument({ name, type }: GraphQLArgument): string {
    const value = this.#value(type);
    return `${name}: ${this.#chance(0.4) ? this.#variable(String(type), value, type) : literal(value, type)}`;
  }

  #value(type: GraphQLInputType, mayBeNull = true): unknown {
    if (isNonNullType(type)) return this.#value(type.ofType, false);
    if (mayBeNull && this.isThorough && this.#chance(0.08)) return null;
    if (isListType(type)) return Array.from({ length: Math.floor(this.random() * 3) }, () => this.#value(type.ofType));
    if (isEnumType(type)) return this.#pick(type.getValues()).name;
    if (isInputObjectType(type)) {
      const fields = Object.values(type.getFields()).filter(() => this.#chance(0.6));
      return Object.fromEntries(fields.map((field) => [field.name, this.#value(field.type)]));
    }
    if (type.name === 'ID') return this.#pick(IDS);
    return type.name === 'Int' ? Math.floor(this.random() * 4) : `s${Math.floor(this.random() * 5)}`;
  }

  #conditions(): string {
    if (this.#chance(0.85)) return '';
    const directive = this.#pick(['skip', 'include']);
    const value = this.#chance(0.5);
    const condition = this.#chance(0.3) ? String(value) : this.#variable('Boolean!', value, GraphQLBoolean);
    return `@${directive}(if: ${condition})`;
  }

  #variable(type: string, value: unknown, input: GraphQLInputType): string {
    const known = [...this.#variables].filter(([, variable]) => variable.type === type);
    if (known.length > 0 && this.#chance(0.4)) return `$${this.#pick(known)[0]}`;
    const name = `v${this.#next++}`;
    const isLeft = this.isThorough && this.#chance(0.2);
    this.#variables.set(name, isLeft ? { type, value: undefined, byDefault: literal(value, input) } : { type, value });
    return `$${name}`;
  }
}

function literal(value: unknown, type: GraphQLInputType): string {
  if (isNonNullType(type)) return literal(value, type.ofType);
  if (Array.isArray(value) && isListType(type))
    return `[${value.map((each) => literal(each, type.ofType)).join(', ')}]`;
  if (isInputObjectType(type) && value !== null) {
    const fields = Object.entries(value as object).map(
      ([name, each]) => `${name}: ${literal(each, type.getFields()[name]?.type as GraphQLInputType)}`,
    );
    return `{${fields.join(', ')}}`;
  }
  return isEnumType(type) ? String(value) : JSON.stringify(value);
}
