import { buildASTSchema, lexicographicSortSchema, parse, printSchema, validate } from 'graphql';
import { composeSupergraph } from '../../../router/compose.ts';
import { COMPOSITION_LIMITS, Composition } from '../../../router/schema/composition.ts';
import { schemaInSteps } from '../../../router/supergraph/schema-of-pieces.ts';
import { readSupergraph, supergraphInTurns } from '../../../router/supergraph/supergraph.ts';
import { largeSupergraph } from './large-fleet.ts';
import { lightSdl } from './support.ts';

const SDL = largeSupergraph({ subgraphs: 4, types: 40 }, (name) => `http://${name}/graphql`);

test('a supergraph that is read in a thread and put together in turns is the one that is read at once', async () => {
  const composition = new Composition();
  const facts = await composition.read(SDL);
  await composition.close();
  const read = await supergraphInTurns(SDL, facts);
  const atOnce = readSupergraph(SDL);
  expect(read.schemaSdl).toBe(atOnce.schemaSdl);
  const whole = buildASTSchema(parse(atOnce.schemaSdl));
  for (const { schema } of [read, atOnce]) {
    expect(printSchema(lexicographicSortSchema(schema))).toBe(printSchema(lexicographicSortSchema(whole)));
    expect(validate(schema, parse('{ s0 { f0(a: 1) next { by1 } } }'))).toEqual([
      expect.objectContaining({ message: 'Cannot query field "by1" on type "T0_1". Did you mean "f1"?' }),
    ]);
  }
  expect([...read.subgraphs]).toEqual([...atOnce.subgraphs]);
  expect(read.keysOf('sub1', 'T0_0')).toEqual([{ id: undefined }]);
  expect(read.satisfies('T0_0', 'T0_1')).toBe(false);
});

test('no step of it reads more than a few thousand characters, or the fields of more than a few types', async () => {
  const composition = new Composition();
  const { pieces } = await composition.read(SDL);
  await composition.close();
  expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(10_000);
  const types = Object.keys(readSupergraph(SDL).schema.getTypeMap()).length;
  expect([...schemaInSteps(pieces)].length).toBeGreaterThan(pieces.length + types / 10);
});

test('a supergraph whose clients would see a schema that is not valid is refused, at start and while it runs', async () => {
  const sdl = composeSupergraph([{ name: 'light', url: 'http://light/graphql', sdl: lightSdl('lamp: String') }]);
  const wrong = sdl.replace(/type Flash\b/, 'interface Lit { shine: Int }\ntype Flash implements Lit');
  const reason = /not valid: .*Lit\.shine/;
  expect(() => readSupergraph(wrong)).toThrow(reason);
  const composition = new Composition(COMPOSITION_LIMITS);
  await expect(composition.read(wrong)).rejects.toThrow(reason);
  await composition.close();
});
