import { Bus } from '../../fleet/bus.ts';
import { Chance } from '../../fleet/chance.ts';
import { TRADES } from '../../fleet/kinds/index.ts';
import {
  BadConfig,
  createFactory,
  defineKind,
  FactoryError,
  type Infer,
  perAgent,
  perTask,
  readConfig,
  singleton,
  testAgent,
} from '../../sdk/factory/index.ts';
import { FleetLink, HOOKS } from '../../sdk/index.ts';
import { until } from '../support/until.ts';
import { ContractServer } from './contract-server.ts';

const NOTHING = { type: 'object', properties: {} } as const;
const kindOf = (kind: string, dependsOn: string[] = []) =>
  defineKind({ kind, version: '1.0.0', config: NOTHING, dependsOn });

describe('a configuration', () => {
  const SCHEMA = {
    type: 'object',
    required: ['model'],
    properties: {
      model: { type: 'string', enum: ['small', 'large'] },
      depth: { type: 'integer', minimum: 1, maximum: 9, default: 3 },
      share: { type: 'number', maximum: 1 },
      dry: { type: 'boolean', default: false },
      tags: { type: 'array', maxItems: 2, items: { type: 'string', minLength: 2 } },
      'a/b': { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] },
    },
  } as const;

  test('has its defaults and its type', () => {
    const read: Infer<typeof SCHEMA> = readConfig(SCHEMA, { model: 'small', tags: ['ab'] });
    const depth: number = read.depth;
    const share: number | undefined = read.share;
    expect([read, depth, share]).toEqual([{ model: 'small', depth: 3, dry: false, tags: ['ab'] }, 3, undefined]);
  });

  test('that does not fit is refused with every place', () => {
    const bad = { model: 'huge', depth: 1.5, share: 2, dry: 1, tags: ['a', 'bc', 'de'], 'a/b': {}, other: 1 };
    const problems = (value: unknown) => {
      try {
        return readConfig(SCHEMA, value);
      } catch (error) {
        return (error as BadConfig).problems;
      }
    };
    expect(problems(bad)).toEqual([
      '/other is unknown',
      '/model must be one of small, large',
      '/depth must be a whole number',
      '/share must be -Infinity to 1, not 2',
      '/dry must be true or false',
      '/tags must be 0 to 2 items, not 3',
      '/tags/0 must be 2 to Infinity characters, not 1',
      '/a~1b/name is missing',
    ]);
    expect(problems({ depth: 0, share: 'x', tags: 1, 'a/b': [] })).toEqual([
      '/model is missing',
      '/depth must be 1 to 9, not 0',
      '/share must be a number',
      '/tags must be a list',
      '/a~1b must be an object',
    ]);
    expect(problems({ model: 7 })).toEqual(['/model must be a text']);
    expect(problems([])).toEqual(['/ must be an object']);
    expect(() => readConfig(SCHEMA, null)).toThrow(BadConfig);
  });
});

describe('a kind without a platform', () => {
  const ended: string[] = [];
  const ending = (name: string) => () => void ended.push(name);
  const scout = defineKind({
    kind: 'scout',
    version: '1.2.0',
    config: { type: 'object', properties: { depth: { type: 'integer', maximum: 9, default: 1 } } },
    provide: {
      store: singleton(() => ({ seen: [] as string[] }), ending('store')),
      log: perAgent(
        ({ store }: { store: { seen: string[] } }) => ({ note: (text: string) => store.seen.push(text) }),
        ending('log'),
      ),
      eyes: perAgent(({ log }: { log: object }) => ({ log }), ending('eyes')),
      sketch: perTask(({ task, eyes }: { task: string; eyes: object }) => ({ task, eyes }), ending('sketch')),
    },
    hooks: {
      afterStart: ({ log }) => void log.note('started'),
      onConfig: ({ log, config }) => void log.note(`depth was ${config.depth}`),
    },
    commands: { look: ({ at }, { config, log }) => ({ looked: log.note(String(at)), depth: config.depth }) },
    checks: { eyes: ({ eyes }) => ({ ok: Boolean(eyes) }) },
    upgrade: ({ version }, { log }) => void log.note(`now ${version}`),
    work: async (task: string, { sketch, eyes, span }) => `${task} ${sketch.eyes === eyes} ${span.name}`,
  });
  beforeEach(() => {
    ended.length = 0;
  });

  test('it starts, works, obeys, is configured and upgraded, and ends its parts in the reverse order', async () => {
    const test = testAgent(scout, { config: { depth: 2 } });
    expect(await test.start()).toBe('RUNNING');
    expect(await test.do('draw')).toBe('draw true scout task');
    expect(ended).toEqual(['sketch']);
    expect(await test.command('look', { at: 'Mars' })).toMatchObject({ outcome: 'DONE', result: { depth: 2 } });
    expect(await test.configure({ depth: 5 })).toMatchObject({ outcome: 'DONE' });
    expect(test.built.config).toEqual({ depth: 5 });
    expect(await test.configure({ depth: 50 })).toMatchObject({
      outcome: 'FAILED',
      result: { message: '/depth must be -Infinity to 9, not 50' },
    });
    expect(test.built.config.depth).toBe(5);
    expect(await test.command('upgrade', { version: '2.0.0', config: { depth: 6 } })).toMatchObject({
      outcome: 'DONE',
    });
    expect([test.agent.definition.version, test.built.config.depth]).toEqual(['2.0.0', 6]);
    expect(test.agent.beat().checks).toEqual([{ name: 'eyes', ok: true }]);
    expect((test.built.part('store') as { seen: string[] }).seen).toEqual([
      'started',
      'Mars',
      'depth was 2',
      'now 2.0.0',
    ]);
    await test.close();
    expect(ended).toEqual(['sketch', 'eyes', 'log', 'store']);
    expect(test.events.map(({ name }) => name)).toContain('hook.afterStart');
    expect(test.agent.state).toBe('STOPPED');
  });

  test('overrides take the place of its parts in every scope, and one of nothing is a mistake', async () => {
    const notes: string[] = [];
    const test = testAgent(scout, { overrides: { log: { note: (text: string) => notes.push(text) } } });
    await test.start();
    expect(notes).toEqual(['started']);
    await test.close();
    expect(ended).toEqual(['eyes']);
    expect(() => testAgent(scout, { overrides: { ears: 1 } })).toThrow('nothing provides ears');
  });

  test('cycles and what is missing are named with their path, as is what outlives its scope', async () => {
    const broken = defineKind({
      kind: 'broken',
      version: '1.0.0',
      config: NOTHING,
      provide: {
        a: perAgent(({ b }: { b: unknown }) => b),
        b: perAgent(({ c }: { c: unknown }) => c),
        c: singleton(({ a }: { a: unknown }) => a),
        d: perAgent(({ e }: { e: unknown }) => e),
        e: perAgent(({ f }: { f: unknown }) => f),
        f: perAgent(({ d }: { d: unknown }) => d),
        h: singleton(({ agent }: { agent: unknown }) => agent),
        g: perAgent(({ task }: { task: unknown }) => task),
      },
      work: async (_: string, { g }) => String(g),
    });
    const test = testAgent(broken);
    expect(() => test.built.part('d')).toThrow('these need each other: d → e → f → d');
    expect(() => test.built.part('a')).toThrow('these need each other: a → b → c → a');
    // A singleton cannot need what each agent has its own of.
    expect(() => test.built.part('h')).toThrow('nothing provides agent: h → agent');
    await expect(test.do('x')).rejects.toThrow('nothing provides task: g → task');
    expect(() => test.built.part('z')).toThrow(FactoryError);
    await test.close();
  });

  test('all parts are ended though one cannot be, and what failed is told', async () => {
    const clumsy = defineKind({
      kind: 'clumsy',
      version: '1.0.0',
      config: NOTHING,
      provide: {
        a: perAgent(() => 1, ending('a')),
        b: perAgent(
          ({ a }: { a: number }) => a,
          () => Promise.reject(new Error('stuck')),
        ),
      },
    });
    const test = testAgent(clumsy);
    test.built.part('b');
    await expect(test.close()).rejects.toMatchObject({ errors: [{ message: 'b could not be disposed' }] });
    expect(ended).toEqual(['a']);
    await expect(async () => testAgent(clumsy).do('x' as never)).rejects.toThrow('take no tasks');
  });

  test.each(Object.entries(TRADES))('a %s of the demo has every hook and starts', async (_, kind) => {
    const provide = { bus: singleton(() => new Bus(new Chance(1))), dice: singleton(() => () => new Chance(2)) };
    const test = testAgent(kind, { provide });
    expect(new Set(kind.hooks.map(({ name }) => name))).toEqual(new Set(HOOKS));
    expect(await test.start()).toBe('RUNNING');
    for (const name of ['pause', 'resume', 'report']) expect((await test.command(name)).outcome).toBe('DONE');
    expect(await test.command('diagnose', { part: 'x' })).toMatchObject({ outcome: 'FAILED' });
    await test.close();
  });
});

describe('a factory', () => {
  const server = new ContractServer();
  beforeAll(() => server.start());
  afterAll(() => server.stop());
  const link = () => ({ url: server.url, token: 'enrol' });

  test('knows its kinds in the order they need each other, and refuses cycles and gaps', async () => {
    const factory = createFactory({ kinds: Object.values(TRADES), link: link(), provide: { bus: singleton(() => 0) } });
    const at = (kind: string) => factory.order.indexOf(kind);
    for (const { kind, dependsOn } of Object.values(TRADES))
      for (const needed of dependsOn) expect(at(needed)).toBeLessThan(at(kind));
    await factory.close(0);
    const make = (...kinds: ReturnType<typeof kindOf>[]) => createFactory({ kinds, link: link() });
    expect(() => make(kindOf('x', ['a']), kindOf('a', ['b']), kindOf('b', ['a']))).toThrow(
      'these kinds depend on each other: a → b → a',
    );
    expect(() => make(kindOf('a', ['b']))).toThrow('no kind b is defined: a → b');
    const other = make(kindOf('a'));
    await expect(other.create(kindOf('a'), 'a-1')).rejects.toThrow('no kind a is defined: a-1 → a');
    await other.close(0);
  });

  test('builds agents that share what is shared, and ends all of it', async () => {
    const ended: string[] = [];
    const made: string[] = [];
    const kind = defineKind({
      kind: 'twin',
      version: '1.0.0',
      config: { type: 'object', properties: { depth: { type: 'integer', default: 1 } } },
      capabilities: ['be'],
      provide: {
        pool: singleton(
          () => made.push('pool'),
          () => void ended.push('pool'),
        ),
        own: perAgent(
          ({ pool }: { pool: number }) => made.push(`own ${pool}`),
          () => void ended.push('own'),
        ),
      },
      hooks: { beforeStart: { timeoutMs: 1_000, run: ({ own }) => void made.push(`start ${own}`) } },
    });
    const provide = {
      bus: singleton(
        () => made.push('bus'),
        () => void ended.push('bus'),
      ),
    };
    const factory = createFactory({ kinds: [kind], link: new FleetLink({ ...link(), shared: true }), provide });
    await factory.create(kind, 'twin-1', { depth: 4 }, { labels: { team: 'atlas' } });
    const second = await factory.create(kind, 'twin-2');
    await until(() => factory.agents.every(({ agent }) => agent.state === 'RUNNING'));
    expect(second.part('bus')).toBe(6);
    expect(made).toEqual(['pool', 'own 1', 'start 2', 'own 1', 'start 4', 'bus']);
    expect(server.agent('twin-1').config).toEqual({ depth: 4 });
    expect(second.config).toEqual({ depth: 1 });
    await expect(factory.create(kind, 'twin-3', { depth: 'x' })).rejects.toBeInstanceOf(BadConfig);
    await factory.close(1_000);
    expect(ended).toEqual(['own', 'own', 'pool', 'bus']);
  });

  test('an agent whose configuration on the platform is none of its kind does not start', async () => {
    const kind = kindOf('strict');
    const factory = createFactory({ kinds: [kind], link: link() });
    const field = server.fields['registerAgent'];
    server.fields['registerAgent'] = (call) => {
      const answer = field?.(call) as { agent: { config: object } };
      return { ...answer, agent: { ...answer.agent, config: { left: 'over' } } };
    };
    const { agent } = await factory.create(kind, 'strict-1');
    await until(() => agent.state === 'FAILED');
    if (field) server.fields['registerAgent'] = field;
    await factory.close(1_000);
  });
});
