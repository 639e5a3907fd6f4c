import path from 'node:path';
import fc from 'fast-check';
import { execute, type GraphQLSchema, parse } from 'graphql';
import { loadAccessTable } from '../../lib/access.ts';
import type { Principal } from '../../lib/call/principal.ts';
import { systemClock } from '../../lib/clock.ts';
import { FleetError } from '../../lib/errors.ts';
import { houseForSchema } from '../../lib/house.ts';
import { silentLog } from '../../lib/log.ts';
import { loadSettings } from '../../lib/settings/index.ts';
import { BEAT_MANY, BEAT_ONE } from '../../sdk/wire/operations.ts';
import { agentsSubgraph } from '../../subgraphs/agents/index.ts';
import { BeatRoad } from '../../subgraphs/agents/resolver/beat-road/index.ts';
import type { AgentsContext } from '../../subgraphs/agents/resolver/context.ts';
import { callOf } from '../support/house.ts';

const access = loadAccessTable(path.resolve(__dirname, '../..'));
const at = new Date('2026-12-01T12:00:00Z');
let schema: GraphQLSchema;

beforeAll(async () => {
  schema = (await agentsSubgraph(houseForSchema('agents', loadSettings({}), access, systemClock, silentLog))).schema;
});

const ANSWER = {
  ...{ agentId: 'agent-1', beatEveryMs: 2_000, leaseMs: 6_000, desiredState: 'RUNNING', configVersion: 3 },
  ...{ commands: [] as object[], userErrors: [] as object[] },
};
const COMMAND = { id: 'c', cursor: 'x', agentId: 'a', name: 'work', arguments: { n: 1 }, fence: '1.1', issuedAt: at };
const ANSWERS = [
  ANSWER,
  { ...ANSWER, agentId: 'with "quotes" \u2028' },
  { ...ANSWER, commands: [COMMAND] },
  { ...ANSWER, userErrors: [{ code: 'NOT_FOUND', message: 'gone', field: ['agentId'] }] },
  { ...ANSWER, configVersion: 2 ** 40 },
];

const DOCUMENTS = [
  BEAT_MANY,
  BEAT_ONE,
  'mutation ($i: AgentBeatsInput!) { b: agentBeats(input: $i) { all: beats { __typename id: agentId leaseMs commands { name } userErrors { code } } } }',
  'mutation ($i: AgentBeatInput!) { agentBeat(input: $i) { desiredState desiredState } }',
  'mutation ($i: AgentBeatInput!, $yes: Boolean!) { agentBeat(input: $i) { desiredState leaseMs @include(if: $yes) } }',
  'mutation ($i: AgentBeatInput!) { agentBeat(input: $i) { ...F } } fragment F on AgentBeatPayload { leaseMs }',
  'mutation ($i: AgentBeatInput!) { a: agentBeat(input: $i) { leaseMs } b: agentBeat(input: $i) { leaseMs } }',
  'mutation ($i: AgentBeatsInput! = {beats: []}) { agentBeats(input: $i) { beats { leaseMs } } }',
];

const PRINCIPALS: Pick<Principal, 'scopes'>[] = [{ scopes: ['agent'] }, { scopes: ['admin'] }, { scopes: ['auditor'] }];

/** Mostly what it should be, now and then anything. */
const mostly = (good: fc.Arbitrary<unknown>) =>
  fc.oneof({ weight: 12, arbitrary: good }, { weight: 1, arbitrary: fc.jsonValue() });
const beat = fc
  .record(
    {
      agentId: mostly(fc.string()),
      sequence: mostly(fc.maxSafeInteger()),
      state: mostly(fc.constantFrom('RUNNING', 'FAILED', 'toString')),
      version: mostly(fc.option(fc.string())),
      configVersion: mostly(fc.option(fc.integer())),
      checks: mostly(
        fc.array(
          fc.record(
            { name: fc.string(), ok: mostly(fc.boolean()), message: fc.string() },
            { requiredKeys: ['name', 'ok'] },
          ),
          { maxLength: 2 },
        ),
      ),
      stats: mostly(
        fc.record(
          {
            requests: fc.maxSafeNat(),
            latencyMs: fc.double({ noNaN: true }),
            queue: mostly(fc.option(fc.integer())),
            costUsd: fc.double({ noNaN: true }),
          },
          { requiredKeys: [] },
        ),
      ),
      events: mostly(
        fc.array(
          fc.record(
            {
              id: fc.string(),
              occurredAt: mostly(fc.constantFrom('2026-12-01T11:00:00+01:00', '2026-02-30T00:00:00Z')),
              name: fc.string(),
              detail: fc.jsonValue(),
            },
            { requiredKeys: ['id', 'occurredAt', 'name'] },
          ),
          { maxLength: 2 },
        ),
      ),
      other: fc.jsonValue(),
    },
    { requiredKeys: ['agentId', 'sequence', 'state'] },
  )
  .map(({ other, ...rest }) => (other === 'z' ? { ...rest, other } : rest));

interface Seen {
  answer: unknown;
  given: unknown[];
}

/** An answer as it is on the wire, and the beats that the service was given. */
async function asked(
  query: string,
  variables: object,
  scopes: Principal['scopes'],
  outcome: object[] | Error,
  isShort: boolean,
): Promise<Seen> {
  const given: unknown[] = [];
  const takeAll = async (_principal: Principal, beats: object[]) => {
    given.push(...beats);
    if (outcome instanceof Error) throw outcome;
    return beats.map((_beat, index) => outcome[index % outcome.length]);
  };
  const take = async (principal: Principal, one: object) => (await takeAll(principal, [one]))[0];
  const call = callOf({ principal: { id: 'p', kind: 'AGENT', name: 'p', scopes } });
  const context = { call, services: { beats: { take, takeAll } } } as unknown as AgentsContext;
  const road = isShort ? new BeatRoad(schema, access, () => context).shortcut(query, undefined) : undefined;
  const answered = road ? await road(variables as Record<string, unknown>, call) : context;
  if (typeof answered === 'string') return wire({ answer: { data: JSON.parse(answered) }, given });
  const answer = await execute({
    schema,
    document: parse(query),
    variableValues: variables,
    contextValue: answered,
  } as never);
  return wire({ answer, given });
}

const wire = (seen: Seen): Seen => JSON.parse(JSON.stringify(seen));

test('the short road of beats answers, refuses and takes what the schema does', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...DOCUMENTS),
      fc.oneof({ weight: 5, arbitrary: fc.array(beat, { maxLength: 3 }) }, { weight: 1, arbitrary: fc.jsonValue() }),
      fc.constantFrom(...PRINCIPALS),
      fc.oneof(
        { weight: 5, arbitrary: fc.array(fc.constantFrom(...ANSWERS), { minLength: 1, maxLength: 3 }) },
        {
          weight: 1,
          arbitrary: fc.constantFrom(new FleetError('BAD_INPUT', 'too many'), new Error('the database is away')),
        },
      ),
      async (query, beats, { scopes }, outcome) => {
        const isMany = query.includes('AgentBeatsInput');
        const input = isMany ? { beats } : Array.isArray(beats) ? (beats[0] ?? null) : beats;
        const variables = { input, i: input, yes: false };
        const [short, long] = await Promise.all(
          [true, false].map((isShort) => asked(query, variables, scopes, outcome as object[], isShort)),
        );
        expect(short).toEqual(long);
      },
    ),
    { numRuns: 1_500 },
  );
});

test('plain beats take it, and no other operation', () => {
  const road = new BeatRoad(schema, access, () => ({}) as never);
  const takes = (query: unknown, name?: string) => road.shortcut(query, name) !== undefined;
  expect(DOCUMENTS.map((query) => takes(query))).toEqual([true, true, true, false, false, false, false, true]);
  expect(takes(BEAT_MANY, 'AgentBeats')).toBe(true);
  expect(takes(BEAT_MANY, 'Another')).toBe(false);
  expect(
    [
      undefined,
      '{ agents { nodes { id } } }',
      'mutation { agentBeat',
      'mutation ($i: Int) { agentBeat(input: $i) { leaseMs } }',
    ].map((query) => takes(query)),
  ).toEqual([false, false, false, false]);
});

test('a plain beat is answered as text', async () => {
  const services = { beats: { takeAll: async () => [ANSWER] } };
  const context = { call: callOf(), services } as unknown as AgentsContext;
  const input = {
    agentId: 'a',
    sequence: 1,
    state: 'RUNNING',
    checks: [{ name: 'db', ok: true }],
    stats: { cpu: 0.5 },
  };
  const answer = await new BeatRoad(schema, access, () => context).shortcut(BEAT_ONE, null)?.({ input }, context.call);
  expect(answer).toBe(`{"agentBeat":${JSON.stringify(ANSWER)}}`);
});
