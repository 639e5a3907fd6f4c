import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(__dirname, '../..');
const node = (program: string, ...options: string[]) =>
  execFileSync(process.execPath, [...options, '-e', program], { cwd: root, encoding: 'utf8' }).trim();

/** Every file that a file needs, itself among them, and every package. */
function needs(file: string, found = { files: new Set<string>(), packages: new Set<string>() }) {
  if (found.files.has(file)) return found;
  found.files.add(file);
  for (const [, from = ''] of readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)) {
    if (from.startsWith('.')) needs(path.join(path.dirname(file), from), found);
    else found.packages.add(from);
  }
  return found;
}

/** Bundled as one module and minified, then by gzip -9. */
const WEIGHED = `
const swc = require('@swc/core');
const { gzipSync } = require('node:zlib');
const jsc = { target: 'es2022', parser: { syntax: 'typescript' } };
swc
  .bundle({ mode: 'production', entry: { sdk: process.cwd() + '/sdk/index.ts' }, target: 'node', module: {},
    externalModules: [], output: { path: '/', name: 'sdk' }, options: { sourceMaps: false, jsc } })
  .then((bundled) => swc.minify(Object.values(bundled)[0].code, { compress: { passes: 3 }, mangle: { toplevel: true }, module: true }))
  .then(({ code }) => console.log(gzipSync(code, { level: 9 }).length));
`;
/** What it weighs today, and a little; so that it grows by decision only. */
const MOST_BYTES = 13_600;

describe('the package', () => {
  test('its core needs nothing but Node; the factory awilix beside', () => {
    expect([...needs(path.join(root, 'sdk/index.ts')).packages].filter((name) => !name.startsWith('node:'))).toEqual(
      [],
    );
    const factory = needs(path.join(root, 'sdk/factory/index.ts')).packages;
    expect([...factory].filter((name) => !name.startsWith('node:'))).toEqual(['awilix']);
  });

  test('its core stays small', () => {
    expect(Number(node(WEIGHED))).toBeLessThanOrEqual(MOST_BYTES);
  });

  test.each([
    [
      'import',
      ['--input-type=module'],
      'const sdk = await import("fleetgraph/sdk"), factory = await import("fleetgraph/sdk/factory");',
    ],
    ['require', [], 'const sdk = require("fleetgraph/sdk"), factory = require("fleetgraph/sdk/factory");'],
  ])('as built it loads by %s', (_, options, load) => {
    const said = node(
      `${load} console.log(typeof sdk.connect, sdk.HOOKS.length, typeof factory.createFactory)`,
      ...options,
    );
    expect(said).toBe('function 19 function');
  });

  test('named imports work from a module', () => {
    const said = node(
      'import { connect, HOOKS } from "fleetgraph/sdk"; import { defineKind } from "fleetgraph/sdk/factory"; console.log(typeof connect, HOOKS.length, typeof defineKind)',
      '--input-type=module',
    );
    expect(said).toBe('function 19 function');
  });
});
