import { growYoungGeneration, YOUNG_GENERATION } from '../../../router/young-generation.ts';

function begun(given: Partial<NodeJS.Process>, environment: Record<string, string> = {}): unknown[] | undefined {
  let became: unknown[] | undefined;
  const started = {
    execPath: '/bin/node',
    execArgv: ['--enable-source-maps'],
    argv: ['/bin/node', '/router.js', 'word'],
    connected: false,
    platform: 'linux',
    execve: (...all: unknown[]) => {
      became = all;
    },
    ...given,
  };
  growYoungGeneration(started as unknown as NodeJS.Process, environment);
  return became;
}

test('the router becomes itself with a larger young generation, its words and environment the same', () => {
  expect(begun({}, { PORT: '1' })).toEqual([
    '/bin/node',
    ['/bin/node', ...YOUNG_GENERATION, '--enable-source-maps', '/router.js', 'word'],
    { PORT: '1' },
  ]);
});

test.each<[string, Partial<NodeJS.Process>, Record<string, string>]>([
  ['the size is given to node', { execArgv: ['--max-semi-space-size=8'] }, {}],
  ['the size is given by the environment', {}, { NODE_OPTIONS: '--max_semi_space_size=8' }],
  ['a parent speaks with it', { connected: true }, {}],
  ['the platform has no such call', { platform: 'win32' }, {}],
  ['node is too old for it', { execve: undefined as never }, {}],
])('it stays what it is when %s', (_, given, environment) => {
  expect(begun(given, environment)).toBeUndefined();
});
