import {
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql';
import { systemClock } from '../../lib/clock.ts';
import { nodeId } from '../../lib/node-id.ts';

/** Telemetry comes by these: too many to audit, and idempotent by sequence or batch. */
export const UNAUDITED = ['agentBeat', 'agentBeats', 'ingestLogs', 'recordSamples'];

/** A mutation of the composed API with arguments that it accepts in form, whatever it thinks of their meaning. */
export interface SampleMutation {
  name: string;
  isAudited: boolean;
  /** Whether it can be asked what it would do. */
  hasDryRun: boolean;
  /** An operation with the one variable `$input`; selects the receipt where it is audited. */
  query: string;
  input(known: KnownIds, more?: { clientMutationId?: string; dryRun?: boolean }): object;
}

/** Name of an input type → the id of something that is there, for its ids. */
export type KnownIds = Readonly<Record<string, string>>;

/** Every mutation of a composed schema: a new one is among them without anybody's doing. */
export function mutationsOf(schema: GraphQLSchema): SampleMutation[] {
  return Object.values(schema.getMutationType()?.getFields() ?? {}).map(sampleOf);
}

function sampleOf(field: GraphQLField<unknown, unknown>): SampleMutation {
  const [argument] = field.args;
  if (argument?.name !== 'input') throw new Error(`${field.name} does not take one input`);
  const input = isNonNullType(argument.type) ? argument.type.ofType : argument.type;
  const payload = isNonNullType(field.type) ? field.type.ofType : field.type;
  const isAudited = !UNAUDITED.includes(field.name);
  if (isAudited && !(isObjectType(payload) && payload.getFields()['auditEntry'])) {
    throw new Error(`the payload of ${field.name} has no auditEntry: it must carry its receipt`);
  }
  const receipt =
    'userErrors { code } auditEntry { id action outcome isDryRun requestId leafHash proof { leafIndex } }';
  return {
    name: field.name,
    isAudited,
    hasDryRun: isInputObjectType(input) && 'dryRun' in input.getFields(),
    query: `mutation ($input: ${String(argument.type)}) { ${field.name}(input: $input) { ${isAudited ? receipt : '__typename'} } }`,
    input: (known, more = {}) => ({ ...(sampleValue(argument.type, 'input', known) as object), ...more }),
  };
}

/** Texts that are more than any word. */
const WORDS: Record<string, () => string> = {
  name: () => `sample-${systemClock.uuid()}`,
  scopes: () => 'viewer',
  target: () => 'https://example.org/alerts',
};

const SCALARS: Record<string, (name: string) => unknown> = {
  String: (name) => WORDS[name]?.() ?? 'sample',
  Int: () => 1,
  Float: () => 1,
  SafeInt: () => 1,
  Boolean: () => true,
  DateTime: () => '2099-01-01T00:00:00Z',
  Duration: () => 'PT5M',
  JSON: () => ({ sample: true }),
  Labels: () => ({ sample: 'true' }),
};

/** What is required of an input, and no more. */
function sampleValue(type: GraphQLInputType, name: string, known: KnownIds, owner = ''): unknown {
  if (isNonNullType(type)) return sampleValue(type.ofType, name, known, owner);
  if (isListType(type)) return [sampleValue(type.ofType, name, known, owner)];
  if (isEnumType(type)) return type.getValues()[0]?.name;
  if (isInputObjectType(type)) {
    const required = Object.values(type.getFields()).filter((field) => isNonNullType(field.type));
    return Object.fromEntries(
      required.map((field) => [field.name, sampleValue(field.type, field.name, known, type.name)]),
    );
  }
  if (type.name === 'ID') return known[owner] ?? nodeId('Agent', systemClock.uuid());
  const sample = SCALARS[type.name];
  if (!sample) throw new Error(`no sample of the scalar ${type.name}`);
  return sample(name);
}
