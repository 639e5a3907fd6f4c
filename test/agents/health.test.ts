import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { buildSchema, parse, validate } from 'graphql';
import { AgentPresence } from '../../lib/graphql/agent-presence.ts';
import { AgentState, HealthGrade } from '../../subgraphs/agents/entity/enums.ts';
import { evidenceQuery } from '../../subgraphs/agents/entity/evidence.ts';
import { HealthFactor } from '../../subgraphs/agents/entity/health-model.ts';
import { type Grading, nextGrading } from '../../subgraphs/agents/service/grade.ts';
import { gradeOf, type HealthFacts, healthOf } from '../../subgraphs/agents/service/health.ts';
import { tryWeights } from '../../subgraphs/agents/service/health-trial.ts';
import { STANDARD_WEIGHTS } from '../../subgraphs/agents/service/penalty/weights.ts';
import { rootCauses } from '../../subgraphs/agents/service/root-cause.ts';
import {
  anomalyOf,
  type BeatVitals,
  budgetOf,
  memoryGrowthOf,
  NO_VITALS,
  nextVitals,
  spendOf,
} from '../../subgraphs/agents/service/vitals.ts';
import type { AnyShape, TestHouse } from '../support/house.ts';
import { until } from '../support/until.ts';
import { AgentsDriver, type MovableClock, movableClock, OPERATOR, startAgents } from './support.ts';

const well: HealthFacts = {
  state: AgentState.RUNNING,
  desired: AgentState.RUNNING,
  presence: AgentPresence.ONLINE,
  seen: true,
  window: [],
  failedChecks: [],
  queue: 0,
  restartsAtMs: [],
};

describe('a score', () => {
  test.each<[string, Partial<HealthFacts>, number, string, string]>([
    ['a busy processor', { cpu: 0.98 }, 88, 'its processor is busy', '98 % of a processor in the last beats'],
    [
      'a leak',
      { memoryGrowth: 2.4 },
      85,
      'its memory grows',
      'it uses 240 % of the memory that it used in the last minutes',
    ],
    [
      'what is unlike itself',
      { anomaly: { what: 'latency', distance: 13, value: 420.4, usual: 30 } },
      87,
      'it is slower than it uses to be',
      '420 ms where 30 ms is usual: 13.0 deviations',
    ],
    [
      'errors unlike itself',
      { anomaly: { what: 'errors', distance: 99, value: 0.4, usual: 0.01 } },
      75,
      'it fails more than it uses to',
      '40 % where 1 % is usual: 99.0 deviations',
    ],
    [
      'an overspent budget',
      { spend: { usd: 3, budgetUsd: 2 } },
      70,
      'it spends its budget',
      '3.00 of 2.00 US dollars within the hour (150 %)',
    ],
    [
      'another’s fault',
      { cause: { uuid: 'u', name: 'db-1' } },
      90,
      'db-1, which it depends on, is the cause',
      'db-1 was unwell first',
    ],
  ])('tells %s, with its evidence', (_what, facts, score, reason, evidence) => {
    const health = healthOf({ ...well, ...facts }, 0);
    expect(health.score).toBe(score);
    expect(health.penalties).toMatchObject([{ reason, evidence, points: 100 - score }]);
  });

  test('takes what the weights say, and still sums up', () => {
    const weight = fc.record({ points: fc.integer({ min: 0, max: 100 }), from: fc.constant(0), to: fc.constant(1) });
    const weights = fc.record(Object.fromEntries(Object.values(HealthFactor).map((factor) => [factor, weight])));
    const facts: HealthFacts = {
      ...well,
      state: AgentState.FAILED,
      presence: AgentPresence.SUSPECT,
      failedChecks: [{ name: 'a', message: null }],
      cpu: 2,
      memoryGrowth: 3,
      spend: { usd: 9, budgetUsd: 1 },
    };
    fc.assert(
      fc.property(weights, (some) => {
        const { score, penalties } = healthOf(facts, 0, some as typeof STANDARD_WEIGHTS);
        expect(100 - penalties.reduce((sum, { points }) => sum + points, 0)).toBe(score);
      }),
    );
  });
});

test('every factor has a query of the public graph that shows it', () => {
  const api = buildSchema(readFileSync(path.resolve(__dirname, '../../schema/api.graphql'), 'utf8'));
  for (const factor of Object.values(HealthFactor))
    expect({ factor, errors: validate(api, parse(evidenceQuery(factor, 'id'))) }).toEqual({ factor, errors: [] });
});

describe('a grade', () => {
  const run = (scores: readonly number[], everyMs = 2_000) => {
    let grading: Grading = { grade: HealthGrade.UNKNOWN, risingMs: undefined };
    return scores.map((score, at) => {
      grading = nextGrading(grading, score, at * everyMs);
      return grading.grade;
    });
  };
  const movesOf = (grades: readonly HealthGrade[]) =>
    grades.filter((grade, at) => at && grade !== grades[at - 1]).length;

  test('falls at once, rises after ten seconds well above the bound, or a minute above it', () => {
    expect(run([100, 40, 100, 100, 100, 100, 100, 100])).toEqual(['HEALTHY', ...Array(6).fill('CRITICAL'), 'HEALTHY']);
    const slow = run([79, ...Array(31).fill(81)]);
    expect(slow.lastIndexOf(HealthGrade.DEGRADED)).toBe(30);
    expect(slow[31]).toBe('HEALTHY');
    // Between: as far as the margin allows, at once; the rest goes on from there.
    expect(run([20, ...Array(8).fill(82)]).slice(5, 8)).toEqual(['CRITICAL', 'DEGRADED', 'DEGRADED']);
  });

  test('does not flap about a bound, whatever the noise', () => {
    const noise = fc.array(fc.integer({ min: -4, max: 4 }), { minLength: 150, maxLength: 300 });
    fc.assert(
      fc.property(noise, fc.constantFrom(50, 80), (some, bound) => {
        // A rise without the margin needs a whole minute above the bound: no more than one fall and one rise in it.
        const minutes = Math.ceil((some.length * 2_000) / 60_000);
        expect(movesOf(run(some.map((each) => bound + each)))).toBeLessThanOrEqual(2 * minutes);
      }),
    );
    const scores = fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 2, maxLength: 200 });
    fc.assert(
      fc.property(scores, (some) => {
        const grades = run(some);
        const rank = (grade: HealthGrade) => ['CRITICAL', 'DEGRADED', 'HEALTHY'].indexOf(grade);
        grades.forEach((grade, at) => {
          // Never better than its score, and never risen within ten seconds of a fall.
          expect(rank(grade)).toBeLessThanOrEqual(rank(gradeOf(some[at] as number)));
          const before = grades.slice(Math.max(0, at - 5), at);
          if (before.length && rank(grade) > rank(before.at(-1) as HealthGrade))
            expect(before.every((one, near) => !near || rank(one) >= rank(before[near - 1] as HealthGrade))).toBe(true);
        });
      }),
    );
  });
});

describe('vitals', () => {
  const beaten = (beats: readonly BeatVitals[]) =>
    beats.reduce<typeof NO_VITALS>((vitals, beat, at) => nextVitals(vitals, beat, at * 2_000), NO_VITALS);
  const usual = Array.from({ length: 100 }, (_, at) => ({ requests: 10, errors: 0, latencyMs: 40 + (at % 5) }));

  test('know an agent’s habit, are not moved by a few beats, and see what is unlike it', () => {
    const known = beaten(usual);
    const window = (latencyMs: number, errors = 0) => [{ requests: 10, errors, latencyMs }];
    expect(anomalyOf(known, window(42))?.distance ?? 0).toBeLessThan(1);
    expect(anomalyOf(known, window(400))).toMatchObject({ what: 'latency', value: 400 });
    expect(anomalyOf(known, window(400))?.distance).toBeGreaterThan(10);
    expect(anomalyOf(known, window(42, 5))).toMatchObject({ what: 'errors', value: 0.5 });
    const upset = beaten([...usual, ...Array(10).fill({ requests: 10, errors: 0, latencyMs: 400 })]);
    expect(anomalyOf(upset, window(400))?.distance).toBeGreaterThan(6);
    expect(anomalyOf(beaten(usual.slice(0, 20)), window(400))).toBeUndefined();
    expect(anomalyOf(known, [{ requests: 2, errors: 2, latencyMs: 9_000 }])).toBeUndefined();
  });

  test('see memory that grows, and none in what only trembles', () => {
    const memory = (bytes: (at: number) => number) =>
      memoryGrowthOf(beaten(Array.from({ length: 200 }, (_, at) => ({ memoryBytes: bytes(at) }))));
    expect(memory((at) => 100e6 * (1 + 0.05 * Math.sin(at)))).toBeCloseTo(1, 1);
    expect(memory((at) => 100e6 + at * 5e6)).toBeGreaterThan(1.5);
    expect(memoryGrowthOf(beaten([{ memoryBytes: 1 }, { memoryBytes: 9 }]))).toBeUndefined();
  });

  test('add up what was spent within the hour, by slots of five minutes', () => {
    let vitals = NO_VITALS;
    const [minuteMs, budget] = [60_000, 2];
    for (let minute = 0; minute < 90; minute += 1) vitals = nextVitals(vitals, { costUsd: 0.1 }, minute * minuteMs);
    expect(spendOf(vitals, budget, 89 * minuteMs)?.usd).toBeCloseTo(6, 5);
    expect(spendOf(vitals, budget, 119 * minuteMs)?.usd).toBeCloseTo(3, 5);
    expect(spendOf(vitals, budget, 200 * minuteMs)?.usd).toBe(0);
    expect(spendOf(vitals, undefined, 0)).toBeUndefined();
    const budgets = [budgetOf({ budgetUsdPerHour: '2.5' }, {}), budgetOf({}, { budgetUsdPerHour: 3 })];
    expect(budgets).toEqual([2.5, 3]);
    for (const given of ['x', -1, 0, null]) expect(budgetOf({}, { budgetUsdPerHour: given })).toBeUndefined();
  });
});

describe('a root cause', () => {
  test('is named through those between, and never what began later or what is its own', () => {
    const needs: Record<string, string[]> = { planner: ['coder'], coder: ['database'], other: ['cache'] };
    const graph = {
      dependsOn: (id: string) => needs[id] ?? [],
      dependants: (id: string) => Object.keys(needs).filter((each) => needs[each]?.includes(id)),
    };
    const ill = (id: string, sinceMs: number, severity = 0.5) => ({ id, sinceMs, severity });
    const firsts = (found: ReturnType<typeof rootCauses>) =>
      Object.fromEntries([...found].map(([id, [first]]) => [id, first?.id]));
    const all = [ill('planner', 9_000), ill('coder', 5_000), ill('database', 6_000, 0.9), ill('other', 7_000)];
    expect(firsts(rootCauses(all, graph))).toEqual({
      planner: 'database',
      coder: 'database',
      database: 'database',
      other: 'other',
    });
    const late = [ill('other', 0), ill('cache', 120_000)];
    expect(firsts(rootCauses(late, graph))).toEqual({ other: 'other', cache: 'cache' });
    // One that copes between them makes it doubtful, not impossible.
    const through = rootCauses([ill('planner', 3_000), ill('database', 0)], graph).get('planner');
    expect(through?.map(({ id }) => id)).toEqual(['planner', 'database']);
  });
});

describe('a trial of other weights', () => {
  test('tells what would have been graded otherwise, and of whom', () => {
    const slow = { ...well, window: [{ requests: 10, errors: 0, latencyMs: 3_000 }] };
    const minute = (agent: string, facts: HealthFacts) => ({
      agent,
      atMs: 0,
      facts,
      score: 0,
      grade: HealthGrade.UNKNOWN,
    });
    const tried = { ...STANDARD_WEIGHTS, LATENCY: { points: 60, from: 1_000, to: 5_000 } };
    const trial = tryWeights([minute('a', slow), minute('a', slow), minute('b', well)], STANDARD_WEIGHTS, tried);
    expect(trial).toEqual({
      minutes: 3,
      moves: [{ from: 'HEALTHY', to: 'DEGRADED', minutes: 2 }],
      agents: [{ uuid: 'a', minutes: 2, meanScore: 85, triedMeanScore: 70 }],
    });
  });
});

describe('the health of a fleet', () => {
  let house: TestHouse;
  let driver: AgentsDriver;
  let clock: MovableClock;
  beforeAll(async () => {
    clock = movableClock();
    house = await startAgents({ clock, settings: { FLEET_BEAT_MS: 600_000 } });
    driver = new AgentsDriver(house);
  });
  afterAll(() => house.stop());

  const FAILING = { stats: { requests: 10, errors: 5, latencyMs: 20 } };
  const HEALTH = 'health { score grade penalties { factor points evidence query } } rootCause { name }';

  test('is computed by weights that are applied, versioned and audited, and tried on the minutes that were', async () => {
    const agent = await driver.register();
    await driver.beat(agent, FAILING);
    clock.skip(61_000);
    await driver.beat(agent, FAILING);
    const weights = [{ factor: 'ERRORS', points: 90, from: 0, to: 0.5 }];
    const TRY =
      'query ($weights: [HealthWeightInput!]!) { tryHealthModel(weights: $weights) { minutes moves { from to minutes } agents { agent { name } minutes } } }';
    const trial = await until(async () => {
      const { tryHealthModel } = await driver.do(TRY, { weights });
      return tryHealthModel.minutes > 0 && tryHealthModel;
    });
    expect(trial).toMatchObject({
      moves: [{ from: 'DEGRADED', to: 'CRITICAL', minutes: 1 }],
      agents: [{ agent: { name: agent.name }, minutes: 1 }],
    });
    const apply = async (input: object) =>
      (
        await driver.do(
          `mutation ($input: HealthModelInput!) { applyHealthModel(input: $input) {
             model { version weights { factor points from to } } changes { path value } userErrors { code field } } }`,
          { input },
          { principal: OPERATOR },
        )
      ).applyHealthModel;
    expect(await apply({ weights, dryRun: true, expectedVersion: 0 })).toMatchObject({ model: { version: 1 } });
    expect((await driver.do('{ healthModel { version } }')).healthModel.version).toBe(0);
    expect(await apply({ weights, expectedVersion: 0 })).toMatchObject({ model: { version: 1 }, userErrors: [] });
    expect(await apply({ weights })).toMatchObject({ model: { version: 1 }, changes: [] });
    expect(await apply({ weights, expectedVersion: 0 })).toMatchObject({ userErrors: [{ code: 'CONFLICT' }] });
    for (const [wrong, field] of [
      [{ points: 101 }, 'points'],
      [{ from: 1, to: 1 }, 'from'],
    ] as const) {
      const answer = await apply({ weights: [{ ...weights[0], ...wrong }] });
      expect(answer).toMatchObject({
        model: null,
        userErrors: [{ code: 'BAD_INPUT', field: ['weights', '0', field] }],
      });
    }
    expect(await apply({ weights: [...weights, ...weights] })).toMatchObject({ userErrors: [{ code: 'BAD_INPUT' }] });
    await driver.beat(agent, FAILING);
    const { health } = await driver.agent(agent.id, HEALTH);
    expect(health).toMatchObject({ score: 10, grade: 'CRITICAL', penalties: [{ factor: 'ERRORS', points: 90 }] });
    expect(health.penalties[0].query).toBe(evidenceQuery(HealthFactor.ERRORS, agent.id));
    expect(await driver.entries('default')).toMatchObject([
      { action: 'applyHealthModel', isDryRun: true },
      { action: 'applyHealthModel', after: { ERRORS: { points: 90 } } },
      { outcome: 'SUCCEEDED' },
      ...Array(4).fill({ outcome: 'FAILED' }),
    ]);
  });

  test('names the agent that others are unwell by, and has that one alone restarted', async () => {
    const database = await driver.register({ kind: 'database' });
    const coder = await driver.register({ kind: 'coder', dependencies: ['database'] });
    const CRITICAL = { stats: { requests: 10, errors: 10 } };
    const DEGRADED = { stats: { requests: 10, errors: 2 } };
    await driver.beat(database, { state: 'FAILED' });
    const named = await until(async () => {
      // Unwell, though not so much that it would be restarted before the cause is found.
      await driver.beat(coder, DEGRADED);
      const found = await driver.agent(coder.id, `${HEALTH} dependencies`);
      return found.rootCause && found;
    });
    expect(named).toMatchObject({ rootCause: { name: database.name }, dependencies: ['database'] });
    expect(named.health.penalties.map(({ factor }: AnyShape) => factor)).toContain('DEPENDENCY');
    expect((await driver.agent(database.id, HEALTH)).rootCause).toBeNull();
    for (let beat = 0; beat < 8; beat += 1) await driver.beat(coder, CRITICAL);
    const told = await until(async () => {
      const { events } = await driver.agent(coder.id, 'events(first: 50) { nodes { name detail } }');
      return events.nodes.find(({ name }: AnyShape) => name === 'recovery.held');
    });
    expect(told.detail.reason).toMatch(new RegExp(`the cause is ${database.name}: that is healed first$`));
    expect((await driver.entries(coder.id)).filter(({ action }) => action === 'agent.recovery.restart')).toEqual([]);
    expect((await driver.entries(database.id)).map(({ action }) => action)).toContain('agent.recovery.restart');
  });

  test('pauses an agent that spent its budget; whoever resumes it grants another hour', async () => {
    const agent = await driver.register({ labels: { budgetUsdPerHour: '1' } });
    await driver.beat(agent, { stats: { requests: 1, inputTokens: 9_000, outputTokens: 900, costUsd: 1.2 } });
    await until(async () => (await driver.agent(agent.id)).desiredState === 'PAUSED');
    const [entry] = (await driver.entries(agent.id)).filter(({ action }) => action === 'agent.recovery.pause');
    expect(entry).toMatchObject({ reason: 'it spent 120 % of its budget of an hour' });
    expect((await driver.agent(agent.id, HEALTH)).health.penalties).toMatchObject([{ factor: 'SPEND' }]);
    await driver.act('resume', agent.id);
    await driver.beat(agent, { stats: { requests: 1, costUsd: 0.1 } });
    expect(await driver.agent(agent.id)).toMatchObject({ desiredState: 'RUNNING' });
    expect((await driver.agent(agent.id, HEALTH)).health.score).toBe(100);
  });
});
