import { FleetError } from '../../../../lib/errors.ts';
import { linearExpression } from '../../../../lib/label-match.ts';

const MAX_CHARACTERS = 64_000;
const MAX_DEPTH = 24;
/** Parts that are looked at once for a value, references followed. */
const MAX_PARTS = 2_000;
const MAX_UNIQUE = 1_000;

/** The words of JSON Schema 2020-12 that a configuration needs; whatever fetches, or depends on where it stands, is not among them. */
const WORDS = new Set(
  `$schema $ref $defs $comment title description default examples deprecated readOnly writeOnly type enum const
   properties patternProperties additionalProperties propertyNames required minProperties maxProperties dependentRequired
   dependentSchemas items prefixItems contains minContains maxContains minItems maxItems uniqueItems minLength maxLength pattern
   format minimum maximum exclusiveMinimum exclusiveMaximum multipleOf allOf anyOf oneOf not if then else`.split(/\s+/),
);
const ONE = ['additionalProperties', 'propertyNames', 'items', 'contains', 'not', 'if', 'then', 'else'];
const LIST = ['prefixItems', 'allOf', 'anyOf', 'oneOf'];
const NAMED = ['properties', 'patternProperties', 'dependentSchemas'];

type Schema = Record<string, unknown>;

/**
 * Keeps a schema of a stranger within what may be compiled and run: bounded in size, depth and cost, expressions of linear time,
 * references to `$defs` of itself without a cycle.
 * @throws BAD_INPUT with the path of the part that is wrong
 */
export function assertBounded(schema: unknown): asserts schema is Schema {
  if (JSON.stringify(schema).length > MAX_CHARACTERS) refuse([], `it has more than ${MAX_CHARACTERS} characters`);
  const budget = { parts: MAX_PARTS };
  visit(schema, [], schema as Schema, [], budget);
}

function visit(part: unknown, at: string[], root: Schema, followed: string[], budget: { parts: number }): void {
  budget.parts -= 1;
  if (budget.parts < 0) refuse(at, `it has more than ${MAX_PARTS} parts, references followed`);
  if (at.length > MAX_DEPTH * 2) refuse(at, `it is deeper than ${MAX_DEPTH}`);
  if (typeof part === 'boolean' && at.length) return;
  if (typeof part !== 'object' || part === null || Array.isArray(part)) refuse(at, 'a schema is an object');
  const schema = part as Schema;
  for (const word of Object.keys(schema)) {
    if (!WORDS.has(word)) refuse([...at, word], 'this word of JSON Schema is not taken here');
  }
  if (schema['uniqueItems'] && !(Number(schema['maxItems']) <= MAX_UNIQUE)) {
    refuse(at, `uniqueItems goes with maxItems of at most ${MAX_UNIQUE}`);
  }
  patternsOf(schema).forEach((pattern) => {
    try {
      linearExpression(pattern);
    } catch {
      refuse(at, `${pattern.slice(0, 80)} cannot be matched in linear time`);
    }
  });
  const next = (child: unknown, ...steps: string[]) => visit(child, [...at, ...steps], root, followed, budget);
  for (const word of ONE) if (word in schema) next(schema[word], word);
  for (const word of LIST) {
    for (const [index, child] of listOf(schema, word, at).entries()) next(child, word, String(index));
  }
  // What is in $defs counts where it is used.
  if ('$defs' in schema && at.length) refuse([...at, '$defs'], '$defs stands at the top');
  for (const word of NAMED) {
    for (const [name, child] of Object.entries((schema[word] as object | undefined) ?? {})) next(child, word, name);
  }
  if ('$ref' in schema) follow(schema['$ref'], at, root, followed, budget);
}

function follow(reference: unknown, at: string[], root: Schema, followed: string[], budget: { parts: number }): void {
  const name = /^#\/\$defs\/([\w.-]+)$/.exec(String(reference))?.[1];
  const found = name !== undefined && (root['$defs'] as Schema | undefined);
  if (!name || !found || !Object.hasOwn(found, name)) {
    refuse([...at, '$ref'], 'a reference leads to $defs of the same schema, e.g. #/$defs/model');
  }
  if (followed.includes(name as string)) refuse([...at, '$ref'], 'it leads back to itself');
  visit((found as Schema)[name as string], ['$defs', name as string], root, [...followed, name as string], budget);
}

function patternsOf(schema: Schema): string[] {
  const named = schema['patternProperties'];
  const own = typeof schema['pattern'] === 'string' ? [schema['pattern']] : [];
  return [...own, ...(named && typeof named === 'object' ? Object.keys(named) : [])];
}

function listOf(schema: Schema, word: string, at: string[]): unknown[] {
  const list = schema[word] ?? [];
  if (!Array.isArray(list)) refuse([...at, word], 'it is a list of schemas');
  return list as unknown[];
}

function refuse(at: readonly string[], why: string): never {
  throw new FleetError('BAD_INPUT', `the schema at /${at.join('/')}: ${why}`, { field: ['configSchema', ...at] });
}
