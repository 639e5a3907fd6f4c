/** What a value of a configuration may be: the part of JSON Schema that a type can be inferred from. */
export type Schema = (
  | { type: 'string'; enum?: readonly string[]; minLength?: number; maxLength?: number; default?: string }
  | { type: 'number' | 'integer'; minimum?: number; maximum?: number; default?: number }
  | { type: 'boolean'; default?: boolean }
  | { type: 'array'; items: Schema; minItems?: number; maxItems?: number; default?: readonly unknown[] }
  | ObjectSchema
) & {
  /** What it is, for people; nothing is decided by it. */
  description?: string;
};

/** What a configuration may be: an object whose properties have schemas of their own; others are refused. */
export interface ObjectSchema {
  /** Says that it is an object. */
  type: 'object';
  /** Name of a property → what its value may be. */
  properties: Readonly<Record<string, Schema>>;
  /** Properties that must be given; those with a default are always there. */
  required?: readonly string[];
}

/** The names of an object schema that its value always has. */
export type Present<S extends ObjectSchema> = {
  [K in keyof S['properties']]: S['properties'][K] extends { default: unknown }
    ? K
    : S extends { required: readonly (infer R)[] }
      ? K extends R
        ? K
        : never
      : never;
}[keyof S['properties']];

/** The type of what a schema describes. */
export type Infer<S> = S extends { type: 'string'; enum: readonly (infer E)[] }
  ? E
  : S extends { type: 'string' }
    ? string
    : S extends { type: 'number' | 'integer' }
      ? number
      : S extends { type: 'boolean' }
        ? boolean
        : S extends { type: 'array'; items: infer I }
          ? Infer<I>[]
          : S extends ObjectSchema
            ? { [K in Present<S>]: Infer<S['properties'][K]> } & {
                [K in Exclude<keyof S['properties'], Present<S>>]?: Infer<S['properties'][K]>;
              }
            : never;

/** A configuration that does not fit its schema; every place that does not is named by its JSON pointer. */
export class BadConfig extends TypeError {
  /** @param problems one line for each place, with its JSON pointer */
  constructor(readonly problems: readonly string[]) {
    super(problems.join('; '));
    this.name = 'BadConfig';
  }
}

/**
 * Reads a configuration: defaults filled in, nothing else changed.
 * @throws BadConfig when it does not fit
 */
export function readConfig<S extends ObjectSchema>(schema: S, value: unknown): Infer<S> {
  const problems: string[] = [];
  const read = readValue(schema, value, '', problems);
  if (problems.length) throw new BadConfig(problems);
  return read as Infer<S>;
}

function readValue(schema: Schema, value: unknown, at: string, problems: string[]): unknown {
  const refuse = (sentence: string) => void problems.push(`${at || '/'} ${sentence}`);
  const within = (size: number, least = 0, most = Number.POSITIVE_INFINITY, unit = '') => {
    if (size < least || size > most) refuse(`must be ${least} to ${most}${unit}, not ${size}`);
  };
  if (schema.type === 'object') return readObject(schema, value, at, problems);
  if (schema.type === 'array') {
    if (!Array.isArray(value)) return refuse('must be a list');
    within(value.length, schema.minItems, schema.maxItems, ' items');
    return value.map((item, index) => readValue(schema.items, item, `${at}/${index}`, problems));
  }
  if (schema.type === 'string') {
    if (typeof value !== 'string') return refuse('must be a text');
    within(value.length, schema.minLength, schema.maxLength, ' characters');
    if (schema.enum && !schema.enum.includes(value)) refuse(`must be one of ${schema.enum.join(', ')}`);
  } else if (schema.type === 'boolean') {
    if (typeof value !== 'boolean') refuse('must be true or false');
  } else if (typeof value !== 'number' || !Number.isFinite(value)) refuse('must be a number');
  else if (schema.type === 'integer' && !Number.isInteger(value)) refuse('must be a whole number');
  else within(value, schema.minimum ?? Number.NEGATIVE_INFINITY, schema.maximum);
  return value;
}

function readObject(schema: ObjectSchema, value: unknown, at: string, problems: string[]): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    problems.push(`${at || '/'} must be an object`);
    return undefined;
  }
  const given = value as Record<string, unknown>;
  const pointer = (name: string) => `${at}/${name.replace(/~/g, '~0').replace(/\//g, '~1')}`;
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(schema.properties, name)) problems.push(`${pointer(name)} is unknown`);
  }
  const read: Record<string, unknown> = {};
  for (const [name, part] of Object.entries(schema.properties)) {
    if (given[name] !== undefined) read[name] = readValue(part, given[name], pointer(name), problems);
    else if ('default' in part) read[name] = structuredClone(part.default);
    else if (schema.required?.includes(name)) problems.push(`${pointer(name)} is missing`);
  }
  return read;
}
