import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { buildSchema, type GraphQLSchema, isObjectType, Kind, parse } from 'graphql';
import { contract } from '../../cli/platform/contract.ts';
import { readContract } from '../../reference/api/contract.ts';
import { silentParts } from '../../reference/api/silent.ts';
import { startTestPlatform, type TestPlatform } from '../support/platform.ts';

const folder = path.resolve(__dirname, '../../schema/operations');
const operations = readdirSync(folder).filter((file) => file.endsWith('.graphql'));
const text = (file: string) => readFileSync(path.join(folder, file), 'utf8');

/** Root fields that an operation selects. */
function rootsOf(source: string): string[] {
  return parse(source).definitions.flatMap((definition) =>
    definition.kind === Kind.OPERATION_DEFINITION
      ? definition.selectionSet.selections.flatMap((field) => (field.kind === Kind.FIELD ? [field.name.value] : []))
      : [],
  );
}

describe('the contract', () => {
  let files: Record<string, string>;
  let schema: GraphQLSchema;
  beforeAll(async () => {
    files = await contract();
    schema = buildSchema(files['api.graphql'] as string);
  });

  test('schema/ holds what the code has (npm run schema writes it)', () => {
    for (const [name, sdl] of Object.entries(files)) {
      expect({ name, sdl: readFileSync(path.resolve(folder, '..', name), 'utf8') }).toEqual({ name, sdl });
    }
  });

  test('every type, field, argument and enum value says what it is', () => {
    expect(silentParts(readContract(files['supergraph.graphql'] as string))).toEqual([]);
  });

  test('every field of every object has an access rule', () => {
    const access = JSON.parse(readFileSync(path.resolve(folder, '../access.json'), 'utf8')) as Record<string, string[]>;
    const open = Object.values(schema.getTypeMap())
      .filter((type) => isObjectType(type) && !type.name.startsWith('__'))
      .flatMap((type) =>
        Object.keys((type as never as { getFields(): object }).getFields()).map((field) => [type.name, field] as const),
      )
      .filter(([type, field]) => !access[`${type}.${field}`] && !access[type])
      .map(([type, field]) => `${type}.${field}`);
    expect(open).toEqual([]);
  });

  test('every root field has an example operation', () => {
    const shown = new Set(operations.flatMap((file) => rootsOf(text(file))));
    const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
    const missing = roots.flatMap((type) => Object.keys(type?.getFields() ?? {})).filter((field) => !shown.has(field));
    expect(missing).toEqual([]);
  });
});

describe('the example operations', () => {
  let platform: TestPlatform;
  beforeAll(async () => {
    platform = await startTestPlatform();
  });
  afterAll(() => platform.stop());

  const answering = operations.filter((file) => !/^\s*subscription/m.test(text(file)));
  test.each(answering)('%s answers without errors', async (file) => {
    const answer = await platform.ask(text(file));
    expect(answer.errors).toBeUndefined();
  });

  const live = operations.filter((file) => /^\s*subscription/m.test(text(file)));
  test.each(live)('%s opens a stream', async (file) => {
    const abort = new AbortController();
    const response = await platform.fetch('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query: text(file) }),
      signal: abort.signal,
    });
    expect(response.status).toBe(200);
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    const first = await reader?.read();
    expect(first?.value).not.toContain('"errors"');
    abort.abort();
    await reader?.cancel().catch(() => undefined);
  });
});
