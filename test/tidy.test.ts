import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(__dirname, '..');
const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts'], { cwd: root })
  .toString()
  .split('\n')
  // What `fleet create` writes is another's tree.
  .filter((file) => file && !file.startsWith('cli/create/templates/') && existsSync(path.join(root, file)));
const source = (file: string) => readFileSync(path.join(root, file), 'utf8');
const product = tracked.filter((file) => !file.startsWith('test/') && !file.startsWith('migrations/'));
const lines = (file: string) => source(file).split('\n').length - 1;

/** Where a relative import leads, as a path from the root. */
function importsOf(file: string): string[] {
  return [...source(file).matchAll(/(?:from|import)\s*\(?\s*'(\.[^']*)'/g)].map((match) =>
    path.posix.normalize(path.posix.join(path.posix.dirname(file), match[1] as string)),
  );
}

const HOUSES = ['agents', 'logs', 'audit', 'alerts', 'metrics'];
const ROOMS = ['entity', 'store', 'service', 'loaders', 'resolver', 'index'];

/** The folders that each folder may import from. */
const ALLOWED: Record<string, RegExp> = {
  lib: /^lib\//,
  router: /^(router|lib)\//,
  migrations: /^(migrations|lib)\//,
  'sdk/wire': /^sdk\/wire\//,
  'sdk/telemetry': /^sdk\/(telemetry|wire)\//,
  'sdk/agent': /^sdk\/(agent|telemetry|wire)\//,
  sdk: /^sdk\//,
  fleet: /^(fleet|sdk)\//,
  console: /^(console|schema)\//,
  bench: /^(bench|lib|router|subgraphs|sdk|cli|test)\//,
  reference: /^(reference|cli|fleet|lib|router|sdk)\//,
  cli: /^(cli|lib|router|subgraphs|migrations|sdk)\//,
  ...Object.fromEntries(HOUSES.map((house) => [`subgraphs/${house}`, new RegExp(`^(subgraphs/${house}|lib)/`)])),
};

function roomOf(file: string): string | undefined {
  const [, , third = ''] = file.split('/');
  return ROOMS.find((room) => third === room || third === `${room}.ts`);
}

describe('the tree', () => {
  test('imports go one way', () => {
    const breaches = tracked.flatMap((file) => {
      const place = Object.keys(ALLOWED).find((folder) => file.startsWith(`${folder}/`));
      const allowed = place && ALLOWED[place];
      return allowed
        ? importsOf(file)
            .filter((target) => !allowed.test(target))
            .map((target) => `${file} → ${target}`)
        : [];
    });
    expect(breaches).toEqual([]);
  });

  test('each house has the same rooms, and they import downward', () => {
    const breaches = tracked
      .filter((file) => file.startsWith('subgraphs/'))
      .flatMap((file) => {
        const from = ROOMS.indexOf(roomOf(file) ?? 'none');
        if (from < 0) return [`${file} is in no room`];
        return importsOf(file)
          .filter((target) => target.startsWith('subgraphs/') && ROOMS.indexOf(roomOf(target) ?? 'none') > from)
          .map((target) => `${file} → ${target}`);
      });
    expect(breaches).toEqual([]);
    for (const house of HOUSES) {
      const readme = path.join(root, 'subgraphs', house, 'README.md');
      expect({ house, lines: readFileSync(readme, 'utf8').split('\n').length <= 41 }).toEqual({ house, lines: true });
    }
  });

  test('files are small', () => {
    const sizes = product.map(lines).sort((a, b) => a - b);
    const at = (share: number) => sizes[Math.floor(sizes.length * share)] as number;
    expect(at(0.5)).toBeLessThanOrEqual(90);
    expect(at(0.9)).toBeLessThanOrEqual(220);
    expect(tracked.filter((file) => lines(file) > 400)).toEqual([]);
  });

  test('functions are at most 70 lines', () => {
    const long = product.flatMap((file) => longFunctions(file));
    expect(long).toEqual([]);
  });

  test('files are kebab-case nouns that say what they hold', () => {
    const vague = /(^|[-/])(utils?|helpers?|common|misc|manager|data|handle)(\.ts|\/)/;
    expect(tracked.filter((file) => vague.test(file))).toEqual([]);
    expect(tracked.filter((file) => !/^[a-z0-9-]+(\.test)?\.ts$/.test(path.basename(file)))).toEqual([]);
  });

  test('rules and routers are told the time and chance', () => {
    const clockless = product.filter((file) => /^(router\/|subgraphs\/[a-z]+\/service)/.test(file));
    const breaches = clockless.filter((file) => /Date\.now\(|Math\.random\(|new Date\(\)/.test(source(file)));
    expect(breaches).toEqual([]);
  });

  test('settings are read in one place', () => {
    const readers = product.filter((file) => /process\.env\b/.test(source(file)));
    expect(readers.filter((file) => !ENVIRONMENT_READERS.test(file))).toEqual([]);
  });

  test('nothing is left over', () => {
    const marks =
      /\b(TODO|FIXME|XXX|HACK)\b|\b(it|test|describe)\.(skip|only|todo)\(|@ts-(ignore|nocheck|expect-error)|biome-ignore/;
    expect(tracked.filter((file) => file !== 'test/tidy.test.ts' && marks.test(source(file)))).toEqual([]);
  });
});

/** Entry points read the environment once and pass it on. */
const ENVIRONMENT_READERS =
  /^(cli\/(start|run|fleet|schema)\.ts|cli\/supervisor\/alone\.ts|cli\/client|cli\/place|router\/main\.ts|fleet\/main\.ts|bench\/)/;

/** Functions whose body spans more than 70 lines, by brace and indentation as the formatter writes them. */
function longFunctions(file: string): string[] {
  const rows = source(file).split('\n');
  const long: string[] = [];
  rows.forEach((row, start) => {
    const opens =
      /^(\s*)(?:export )?(?:default )?(?:static )?(?:async )?(?:function\b|#?[a-zA-Z]+(?:<[^>]*>)?\([^;]*\)?[^;]*\{$|(?:const|let) \w+ = .*=> \{$)/.exec(
        row,
      );
    if (!opens || !row.trimEnd().endsWith('{') || /^\s*(if|for|while|switch|catch|describe|test|it)\b/.test(row))
      return;
    const indent = opens[1] as string;
    const end = rows.findIndex((line, at) => at > start && new RegExp(`^${indent}\\}`).test(line));
    if (end - start > 70) long.push(`${file}:${start + 1} ${end - start} lines`);
  });
  return long;
}
