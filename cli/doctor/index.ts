import { type Check, error, type Finding, type Place } from './check.ts';
import { checkEngines } from './engines.ts';
import { checkFolder } from './folder.ts';
import { checkInstall } from './install.ts';
import { checkMachine } from './machine.ts';
import { checkPlatform } from './platform.ts';
import { checkSettings } from './settings.ts';

export type { Finding, Place } from './check.ts';

/** What is looked at, in the order in which one thing needs another. */
const AREAS: readonly [area: string, check: Check][] = [
  ['install', checkInstall],
  ['settings', checkSettings],
  ['data folder', checkFolder],
  ['machine', checkMachine],
  ['engines', checkEngines],
  ['platform', checkPlatform],
];

export interface Examined {
  area: string;
  findings: Finding[];
}

/** Looks at everything, area by area; one that cannot be looked at is a finding, and the others are looked at all the same. */
export async function* examine(place: Place): AsyncGenerator<Examined> {
  for (const [area, check] of AREAS) {
    try {
      yield { area, findings: await check(place) };
    } catch (cause) {
      const what = `the ${area} could not be looked at: ${cause instanceof Error ? cause.message : String(cause)}`;
      yield { area, findings: [error('check-failed', what, 'tell us: a check should not fail')] };
    }
  }
}
