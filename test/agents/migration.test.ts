import { Chance } from '../../fleet/chance.ts';
import { canonicalJson } from '../../lib/write/canonical.ts';
import { type ConfigOperation, ConfigOperationKind } from '../../subgraphs/agents/entity/config-operation.ts';
import { migrateDown, migrateUp } from '../../subgraphs/agents/service/migration/migrate.ts';
import { type Operation, readOperations } from '../../subgraphs/agents/service/migration/operations.ts';
import type { Config } from '../../subgraphs/agents/service/migration/pointer.ts';
import { carry } from '../../subgraphs/agents/service/migration/route.ts';
import { compileSchema, withDefaults } from '../../subgraphs/agents/service/version/config-schema.ts';
import { compareVersions, isSemver } from '../../subgraphs/agents/service/version/semver.ts';

const K = ConfigOperationKind;
/** Few names, so that operations meet what is there, and each other. */
const NAMES = ['a', 'b', 'c', 'd~/', '__proto__'];
const VALUES = [
  'x',
  'y',
  '',
  'true',
  'false',
  '7',
  '0.5',
  true,
  false,
  null,
  0,
  1,
  7,
  -3.5,
  0.1,
  1e21,
  [],
  {},
  [1, 'x'],
];
const TYPES = ['string', 'number', 'boolean'];

/** Random configurations and operations, by the seed alone. */
class Random extends Chance {
  of<T>(all: readonly T[]): T {
    return this.pick(all) as T;
  }

  config(depth = 3): Config {
    const names = NAMES.filter(() => this.happens(0.5));
    const value = () => (depth > 1 && this.happens(0.4) ? this.config(depth - 1) : this.of(VALUES));
    return Object.fromEntries(names.map((each) => [each, value()]));
  }

  path(): string {
    const steps = Array.from({ length: this.between(1, 2) }, () => this.of(NAMES));
    return steps.map((step) => `/${step.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
  }

  /** What could be published. */
  operations(): Operation[] {
    const fromType = this.of(TYPES);
    const values = [this.of(VALUES), this.of(VALUES)].map((from) => ({ from, to: this.of(VALUES) }));
    const given = Array.from({ length: this.between(1, 3) }, () => ({
      kind: this.of(Object.values(K)),
      path: this.path(),
      to: this.path(),
      name: this.of(NAMES),
      value: this.of(VALUES),
      values,
      type: this.of(TYPES.filter((each) => each !== fromType)),
      fromType,
      factor: this.of([1_000, 60, 0.5, 0.1, -3]),
    }));
    try {
      return readOperations(given);
    } catch {
      return this.operations();
    }
  }
}

/** The migrated config, or the path of what would be lost. */
function attempt(work: () => Config): Config | { lost: string } {
  try {
    return work();
  } catch (error) {
    const { code, path: lost } = (error as { extensions?: Record<string, string> }).extensions ?? {};
    if (code !== 'CONFLICT' || !lost?.startsWith('/')) throw error;
    return { lost };
  }
}

const isLost = (result: Config | { lost: string }): result is { lost: string } => Object.keys(result).join() === 'lost';
/** Text of what JSON keeps; the sign of zero is not among it. */
const text = (value: unknown) => canonicalJson(value);

describe('a migration', () => {
  // Most tries are refused, and where is of no interest.
  const { stackTraceLimit } = Error;
  beforeAll(() => {
    Error.stackTraceLimit = 0;
  });
  afterAll(() => {
    Error.stackTraceLimit = stackTraceLimit;
  });

  test('gives back exactly what it took, up and down and up, in 10,000 random round trips that change something', () => {
    const random = new Random(2_026);
    let [trips, refusals] = [0, 0];
    while (trips < 10_000) {
      const [before, steps] = [random.config(), random.operations()];
      const up = attempt(() => migrateUp(before, steps));
      if (isLost(up)) refusals += 1;
      else if (text(up) !== text(before)) {
        trips += 1;
        const down = migrateDown(up, steps);
        if (text(down) !== text(before) || text(migrateUp(down, steps)) !== text(up)) {
          throw new Error(`trip ${trips}: ${text({ before, steps, up, down })}`);
        }
      }
    }
    expect(refusals).toBeGreaterThan(1_000);
  });

  test('gives back exactly what it took when it begins with the way down', () => {
    const random = new Random(74);
    for (let trips = 0; trips < 2_000; ) {
      const [after, steps] = [random.config(), random.operations()];
      const down = attempt(() => migrateDown(after, steps));
      if (isLost(down) || text(down) === text(after)) continue;
      trips += 1;
      if (text(migrateUp(down, steps)) !== text(after))
        throw new Error(`trip ${trips}: ${text({ after, steps, down })}`);
    }
  });

  test.each<[string, Partial<ConfigOperation>, Config, Config | { lost: string }]>([
    ['renames', { kind: K.RENAME, path: '/a/b', name: 'c' }, { a: { b: 1 } }, { a: { c: 1 } }],
    ['will not rename over another', { kind: K.RENAME, path: '/a', name: 'b' }, { a: 1, b: 2 }, { lost: '/b' }],
    ['moves, and makes the way', { kind: K.MOVE, path: '/a', to: '/b/c' }, { a: 1 }, { b: { c: 1 } }],
    ['will not move into a text', { kind: K.MOVE, path: '/a', to: '/b/c' }, { a: 1, b: 'x' }, { lost: '/b' }],
    ['sets what is not set', { kind: K.SET_DEFAULT, path: '/a', value: 5 }, {}, { a: 5 }],
    ['will not set what is set', { kind: K.SET_DEFAULT, path: '/a', value: 5 }, { a: 5 }, { lost: '/a' }],
    ['removes what it can put back', { kind: K.REMOVE, path: '/a/b', value: 5 }, { a: { b: 5 } }, {}],
    ['will not remove another value', { kind: K.REMOVE, path: '/a', value: 5 }, { a: 6 }, { lost: '/a' }],
    ['maps values', { kind: K.MAP_VALUES, path: '/a', values: [{ from: 'x', to: 'y' }] }, { a: 'x' }, { a: 'y' }],
    [
      'will not make two values one',
      { kind: K.MAP_VALUES, path: '/a', values: [{ from: 'x', to: 'y' }] },
      { a: 'y' },
      { lost: '/a' },
    ],
    ['wraps', { kind: K.WRAP, path: '/a', name: 'b' }, { a: [1] }, { a: { b: [1] } }],
    ['wraps into a list', { kind: K.WRAP, path: '/a' }, { a: 1 }, { a: [1] }],
    ['unwraps', { kind: K.UNWRAP, path: '/a', name: 'b' }, { a: { b: 1 } }, { a: 1 }],
    [
      'will not unwrap what has more',
      { kind: K.UNWRAP, path: '/a', name: 'b' },
      { a: { b: 1, c: 2 } },
      { lost: '/a/c' },
    ],
    ['converts', { kind: K.CONVERT, path: '/a', fromType: 'number', type: 'string' }, { a: 0.5 }, { a: '0.5' }],
    [
      'will not convert 07',
      { kind: K.CONVERT, path: '/a', fromType: 'string', type: 'number' },
      { a: '07' },
      { lost: '/a' },
    ],
    ['scales', { kind: K.SCALE, path: '/a', factor: 1_000 }, { a: 1.5 }, { a: 1_500 }],
    ['will not scale a text', { kind: K.SCALE, path: '/a', factor: 1_000 }, { a: '1' }, { lost: '/a' }],
    ['leaves what is not there', { kind: K.SCALE, path: '/a/b', factor: 2 }, { a: 'x' }, { a: 'x' }],
  ])('%s', (_what, operation, before, after) => {
    const steps = readOperations([operation as ConfigOperation]);
    expect(attempt(() => migrateUp(before, steps))).toEqual(after);
  });

  test.each<[Partial<ConfigOperation>, string]>([
    [{ kind: K.RENAME, path: 'a', name: 'b' }, 'operations.0.path'],
    [{ kind: K.RENAME, path: '/a' }, 'operations.0.name'],
    [{ kind: K.MOVE, path: '/a', to: '/a/b' }, 'operations.0.to'],
    [{ kind: K.SET_DEFAULT, path: '/a' }, 'operations.0.value'],
    [{ kind: K.CONVERT, path: '/a', fromType: 'number', type: 'number' }, 'operations.0.fromType'],
    [{ kind: K.SCALE, path: '/a', factor: 0 }, 'operations.0.factor'],
    [{ kind: K.MAP_VALUES, path: '/a', values: [1, 2].map((from) => ({ from, to: 3 })) }, 'operations.0.values'],
  ])('that could not be taken back is not published: %j', (operation, field) => {
    expect(() => readOperations([operation as ConfigOperation])).toThrow(
      expect.objectContaining({ extensions: expect.objectContaining({ code: 'BAD_INPUT', field: field.split('.') }) }),
    );
  });

  test('leads over every version between, up and down, and says when no way leads there', () => {
    const scale = (factor: number) => readOperations([{ kind: K.SCALE, path: '/a', factor }]);
    const edges = [
      { version: '2.0.0', migratesFrom: '1.0.0', operations: scale(2) },
      { version: '3.0.0', migratesFrom: '2.0.0', operations: scale(5) },
      { version: '2.5.0', migratesFrom: '2.0.0', operations: scale(3) },
    ];
    expect(carry({ a: 1 }, edges, '1.0.0', '3.0.0')).toEqual({ a: 10 });
    expect(carry({ a: 10 }, edges, '3.0.0', '2.5.0')).toEqual({ a: 6 });
    expect(carry({ a: 1 }, edges, '0.9.0', '0.8.0')).toEqual({ a: 1 });
    expect(() => carry({ a: 1 }, edges, '0.9.0', '3.0.0')).toThrow('no migrations lead from 0.9.0 to 3.0.0');
  });
});

describe('the schema of a version', () => {
  const problem = (schema: unknown, value: Config = {}) => {
    try {
      compileSchema(schema).check(value);
      return undefined;
    } catch (error) {
      const { code, field } = (error as { extensions: { code: string; field: string[] } }).extensions;
      return `${code} ${field.join('.')}`;
    }
  };
  const deep = (levels: number): unknown => (levels ? { not: deep(levels - 1) } : {});

  test.each<[unknown, Config, string | undefined]>([
    [{ properties: { a: { type: 'integer' } } }, { a: 1 }, undefined],
    [{ properties: { a: { properties: { b: { type: 'integer' } } } } }, { a: { b: 'x' } }, 'BAD_INPUT config.a.b'],
    [{ $defs: { n: { type: 'number' } }, properties: { a: { $ref: '#/$defs/n' } } }, { a: 'x' }, 'BAD_INPUT config.a'],
    [{ properties: { a: { format: 'uri' } } }, { a: 'no' }, 'BAD_INPUT config.a'],
    [{ properties: { a: { pattern: '^(a+)+$' } } }, { a: `${'a'.repeat(40)}!` }, 'BAD_INPUT config.a'],
    [{ $ref: 'https://example.org/schema' }, {}, 'BAD_INPUT configSchema.$ref'],
    [{ $defs: { n: { $ref: '#/$defs/n' } }, $ref: '#/$defs/n' }, {}, 'BAD_INPUT configSchema.$defs.n.$ref'],
    [{ $dynamicRef: '#x' }, {}, 'BAD_INPUT configSchema.$dynamicRef'],
    [{ properties: { a: { pattern: '(a)\\1' } } }, {}, 'BAD_INPUT configSchema.properties.a'],
    [{ properties: { a: { uniqueItems: true } } }, {}, 'BAD_INPUT configSchema.properties.a'],
    [{ type: 'nothing' }, {}, 'BAD_INPUT configSchema'],
    ['text', {}, 'BAD_INPUT configSchema'],
  ])('%j', (schema, value, expected) => {
    expect(problem(schema, value)).toBe(expected);
  });

  test('is refused when it is too deep, or too dear once references are followed', () => {
    expect(problem({ description: 'x'.repeat(64_000) })).toBe('BAD_INPUT configSchema');
    expect(problem(deep(60))).toMatch('BAD_INPUT configSchema.not.not');
    const doubling = Object.fromEntries(
      Array.from({ length: 20 }, (_, at) => [
        `n${at}`,
        at === 19 ? {} : { allOf: [{ $ref: `#/$defs/n${at + 1}` }, { $ref: `#/$defs/n${at + 1}` }] },
      ]),
    );
    expect(problem({ $defs: doubling, $ref: '#/$defs/n0' })).toMatch('BAD_INPUT configSchema');
  });

  test('leaves to defaults what a configuration does not say', () => {
    expect(withDefaults({ a: { b: 1 }, l: [1] }, { a: { b: 2, c: 3 }, l: [2, 3], d: null })).toEqual({
      a: { b: 1, c: 3 },
      l: [1],
      d: null,
    });
  });
});

test('versions have the order of semver.org', () => {
  const order =
    '1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0 1.2.0 1.10.0 2.0.0';
  const versions = order.split(' ');
  expect([...versions].reverse().sort(compareVersions)).toEqual(versions);
  expect(compareVersions('nightly', '0.0.1')).toBeLessThan(0);
  expect(['1.2', '01.2.3', '1.2.3-01', 'v1.2.3', `1.2.${'3'.repeat(90)}`].filter(isSemver)).toEqual([]);
});
