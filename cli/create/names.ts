import { FleetFailure } from '../../sdk/index.ts';

/** Names that a folder, a package of npm, a module of Python and a label can all be. */
const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const MOST = 64;
const VERSION = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z]+(\.[0-9A-Za-z]+)*)?$/;
/** What the SDK is called in both languages. */
const TAKEN = ['fleetgraph'];

/** @throws BAD_INPUT with the rule that it breaks */
export function checkName(what: string, name: string): string {
  if (name.length > MOST || !NAME.test(name))
    throw refused(
      `${what} “${name}” must be 1 to ${MOST} lower-case letters, digits and single hyphens, a letter first`,
    );
  if (TAKEN.includes(name)) throw refused(`${what} “${name}” is the SDK’s own`);
  return name;
}

/** @throws BAD_INPUT unless it is a semantic version */
export function checkVersion(flag: string, version: string): string {
  if (version.length > MOST || !VERSION.test(version))
    throw refused(`${flag} “${version}” is no semantic version such as 1.1.0`);
  return version;
}

/**
 * The Python package of an agent.
 * @param taken Python’s own words and modules, which a package of that name would stand before
 */
export function pythonPackage(name: string, taken: ReadonlySet<string>): string {
  const snake = name.replaceAll('-', '_');
  return taken.has(snake) ? `${snake}_agent` : snake;
}

export const refused = (sentence: string) => new FleetFailure('BAD_INPUT', sentence);
