import { printSchema } from 'graphql';
import { composeSupergraph } from '../../../router/compose.ts';
import { createEngine } from '../../../router/core.ts';
import { readSupergraph } from '../../../router/supergraph/supergraph.ts';
import { Fleet, fleetSupergraph } from './fleet.ts';
import { stillClock } from './world.ts';

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable", "@inaccessible", "@cost"])`;
const compose = (...sdls: string[]) =>
  composeSupergraph(
    sdls.map((sdl, index) => ({ name: `s${index}`, url: `http://s${index}/graphql`, sdl: `${LINK}\n${sdl}` })),
  );

test('composition tells every error, with its code', () => {
  expect(() =>
    compose('type Query { a: Int b: A } type A { x: Int }', 'type Query { a: Int } type A { x: Int }'),
  ).toThrow(
    /^the subgraphs do not compose:\nINVALID_FIELD_SHARING: [^\n]*"Query.a"[^\n]*\nINVALID_FIELD_SHARING: [^\n]*"A.x"/,
  );
});

test('a type that differs between subgraphs is an error, although federation only hints at it', () => {
  expect(() =>
    compose(
      'type Query { a(in: In): Int } input In { x: Int y: Int }',
      'type Query { b(in: In): Int } input In { x: Int }',
    ),
  ).toThrow(/INCONSISTENT_INPUT_OBJECT_FIELD: /);
  expect(() =>
    compose(
      'type Query { a: T } "one" type T @shareable { x: Int }',
      'type Query { b: T } "another" type T @shareable { x: Int }',
    ),
  ).toThrow(/INCONSISTENT_DESCRIPTION: /);
});

test('a stub of an entity and an enum of one subgraph alone are fine', () => {
  expect(
    compose('type Query { a: T } type T @key(fields: "id") { id: ID! }', 'type Query { b: Int } enum Unused { X }'),
  ).toContain('enum Unused');
});

test('the consumer schema shows neither machinery nor what is inaccessible, and keeps what tells clients something', () => {
  const sdl = compose(
    `"what it is" type Query { "asked" a(in: In, hidden: Int @inaccessible): U @cost(weight: 3) secret: Secret @inaccessible old: Int @deprecated(reason: "new") }
     type T implements Hidden { x: E } interface Hidden @inaccessible { x: E } type Secret @inaccessible { x: Int } union U = T | Secret
     input In { a: Int = 4 b: Int @inaccessible } enum E { SEEN UNSEEN @inaccessible } scalar Time @specifiedBy(url: "https://time")`,
  );
  const { schema, schemaSdl, subgraphs } = readSupergraph(sdl);
  expect(schemaSdl).not.toMatch(/join__|link__|nacessible|Secret|secret|hidden|Hidden|UNSEEN|b: Int/);
  expect(schemaSdl).toContain('@cost(weight: 3)');
  const printed = printSchema(schema);
  expect(printed).toMatch(/union U = T$/m);
  expect(printed).toContain('"""what it is"""');
  expect(printed).toContain('old: Int @deprecated(reason: "new")');
  expect(printed).toContain('a: Int = 4');
  expect([...subgraphs]).toEqual([['s0', 'http://s0/graphql']]);
});

test.each([
  ['text that is no schema', 'type {', 'Syntax Error'],
  ['a schema that is no supergraph', 'type Query { a: Int }', 'this is no Federation 2 supergraph'],
  [
    'a supergraph without subgraphs',
    'schema @link(url: "https://specs.apollo.dev/join/v0.5", for: EXECUTION) { query: Query } type Query { a: Int }',
    'names no subgraph',
  ],
  [
    'protection this router does not give',
    fleetSupergraph.replace(
      '@link(url: "https://specs.apollo.dev/join',
      '@link(url: "https://specs.apollo.dev/authenticated/v0.1", for: SECURITY) @link(url: "https://specs.apollo.dev/join',
    ),
    'asks for https://specs.apollo.dev/authenticated/v0.1, which this router does not enforce',
  ],
])('%s is refused at start', (_, supergraphSdl, reason) => {
  expect(() => createEngine({ supergraphSdl, caller: new Fleet(), clock: stillClock })).toThrow(reason);
});

test('an engine tells its schema and its subgraphs', () => {
  const engine = createEngine({ supergraphSdl: fleetSupergraph, caller: new Fleet(), clock: stillClock });
  expect([...engine.subgraphs]).toEqual([
    ['agents', 'http://127.0.0.1:4000/agents'],
    ['alerts', 'http://127.0.0.1:4000/alerts'],
    ['router', 'http://127.0.0.1:4000/router'],
  ]);
  expect(engine.schema.getType('Agent')).toBeDefined();
  expect(engine.schemaSdl).toContain('directive @access(scopes: [String!]!)');
});
