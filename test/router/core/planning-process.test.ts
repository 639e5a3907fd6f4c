import { fixedFlags } from '../../../lib/flags/index.ts';
import { composeSupergraph } from '../../../router/compose.ts';
import { createEngine } from '../../../router/core.ts';
import { isRefused } from '../../../router/engine.ts';
import { apolloPlanner } from '../../../router/plan/apollo-planner.ts';
import { NativeProcess } from '../../../router/plan/native-process.ts';
import { nativePlanner, PLANNING_LIMITS } from '../../../router/plan/planner.ts';
import { stillClock } from './world.ts';

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9",
  import: ["@key", "@external", "@requires", "@shareable"])`;
/** Below a member of a union, a field that requires another ends Hive's planner where the entity has several keys. */
const supergraphSdl = composeSupergraph(
  Object.entries({
    a: `type Query { shelf: Shelf } type Shelf @key(fields: "id") { id: ID! any: Any } union Any = Item | Other
      type Other @shareable { x: Int } type Item @key(fields: "sku") { sku: ID! size: Int }`,
    b: `type Shelf @key(fields: "id") { id: ID! y: Int } union Any = Item | Other type Other @shareable { x: Int }
      type Item @key(fields: "sku") @key(fields: "id") {
        id: ID! sku: ID! size: Int @external weight: Int @requires(fields: "size")
      }`,
  }).map(([name, sdl]) => ({ name, url: `http://${name}`, sdl: `${LINK}\n${sdl}` })),
);
const ENDING = '{ shelf { any { ... on Item { weight } } } }';
const ORDINARY = '{ shelf { id y } }';
/** For tests that are not about time: the machine may have much else to do. */
const PATIENT = { ...PLANNING_LIMITS, timeoutMs: 120_000 };
const TASK = { document: ORDINARY, operationName: undefined, labels: [], percentage: 0 };

test("an operation that ends the native planner's process is planned by the other, and the next one natively", async () => {
  const reasons: string[] = [];
  const engine = createEngine({
    flags: fixedFlags({ 'router.apollo-fallback': true }),
    supergraphSdl,
    caller: { execute: () => Promise.reject(new Error('nobody is there')), subscribe: () => [] as never },
    clock: stillClock,
    secondPlanner: apolloPlanner(),
    reportFault: ({ error }) => reasons.push(error),
  });
  expect(isRefused(await engine.prepare({ query: ENDING }))).toBe(false);
  expect(reasons).toEqual([expect.stringContaining('the planning process ended: SIGABRT')]);
  expect(reasons[0]).toContain('panicked');
  expect(isRefused(await engine.prepare({ query: ORDINARY }))).toBe(false);
  expect(reasons).toHaveLength(1);
});

test('what is planned beside an operation that takes too long is planned all the same', async () => {
  const hasty = nativePlanner({}, { ...PLANNING_LIMITS, timeoutMs: 0 })(supergraphSdl);
  const patient = nativePlanner({}, PATIENT)(supergraphSdl);
  // The first of each may take its time: the process may have to start, and reads the supergraph. While it reads nobody is late.
  for (const planner of [hasty, patient]) expect((await planner.plan(ORDINARY, undefined))?.kind).toBe('Sequence');
  const fields = Array.from({ length: 500 }, (_, at) => `a${at}: shelf { id y }`).join(' ');
  const late = hasty.plan(`{ ${fields} }`, undefined);
  const beside = Array.from({ length: 10 }, () => patient.plan(ORDINARY, undefined));
  await expect(late).rejects.toMatchObject({ code: 'QUERY_TOO_LARGE' });
  for (const plan of await Promise.all(beside)) expect(plan?.kind).toBe('Sequence');
});

test('supergraphs that the process has forgotten for newer ones are told to it again', async () => {
  const planners = Array.from({ length: 10 }, () => nativePlanner({}, PATIENT)(supergraphSdl));
  for (const planner of [...planners, ...planners]) {
    expect((await planner.plan(ORDINARY, undefined))?.kind).toBe('Sequence');
  }
});

test('what was being planned beside an operation that ends the process is planned natively all the same', async () => {
  const planning = new NativeProcess();
  const schema = { schema: 1, supergraphSdl };
  const documents = [ORDINARY, ENDING, ORDINARY, ORDINARY, ORDINARY, ENDING, ORDINARY];
  const outcomes = await Promise.allSettled(
    documents.map((document) => planning.plan(schema, { ...TASK, document }, PATIENT.timeoutMs)),
  );
  expect(outcomes.map(({ status }) => status)).toEqual(
    documents.map((document) => (document === ENDING ? 'rejected' : 'fulfilled')),
  );
});

test('who keeps ending the process is sent to the other planner at once', async () => {
  const planning = new NativeProcess(3);
  const schema = { schema: 1, supergraphSdl };
  const reasons: string[] = [];
  for (let at = 0; at < 4; at++) {
    await planning
      .plan(schema, { ...TASK, document: ENDING }, PATIENT.timeoutMs)
      .catch(({ message }) => reasons.push(message));
  }
  const ended = expect.stringContaining('SIGABRT');
  expect(reasons).toEqual([ended, ended, ended, 'the planning process has ended too often just now']);
});

test('for a text that is no supergraph there are no plans', async () => {
  await expect(nativePlanner()('type Query {').plan('{ a }', undefined)).rejects.toThrow('cannot be planned for');
});

test('while the process reads another supergraph nobody is refused for waiting, and no process is ended', async () => {
  const planning = new NativeProcess();
  const schema = { schema: 1, supergraphSdl };
  await planning.plan(schema, TASK, 10_000);
  // So large that it is read for longer than anybody may wait.
  const types = Array.from({ length: 3_000 }, (_, at) => `type T${at} @join__type(graph: A) { a: Int b: Int c: Int }`);
  planning.learn({ schema: 2, supergraphSdl: `${supergraphSdl}\n${types.join('\n')}` });
  // As many as it takes at once.
  const plans = await Promise.all(Array.from({ length: 4 }, () => planning.plan(schema, TASK, 1)));
  for (const plan of plans) expect(plan?.kind).toBe('Sequence');
});
