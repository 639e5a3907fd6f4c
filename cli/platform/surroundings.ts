import path from 'node:path';
import { systemClock } from '../../lib/clock.ts';
import { FileFlags, holdOf } from '../../lib/flags/index.ts';
import { Log } from '../../lib/log.ts';
import { RotatingFile } from '../../lib/log-file.ts';
import type { Settings } from '../../lib/settings/index.ts';

export { packageRoot, packageVersion } from '../package-root.ts';

export function logFolder(settings: Settings): string {
  return path.resolve(settings.FLEET_DATA, 'logs');
}

/** A process's own log: rotated files under the data folder, from where they are shipped to the logs house. */
export function processLog(service: string, settings: Settings): { log: Log; file: RotatingFile } {
  const file = new RotatingFile(logFolder(settings), service);
  return { log: new Log(service, [file], () => systemClock.nowMs(), settings.FLEET_LOG_LEVEL), file };
}

/** The feature flags of a process: one file for all processes of a fleet. @throws FlagsError when it is there and bad */
export function processFlags(settings: Settings, log: Log): FileFlags {
  return new FileFlags({ file: flagsFile(settings), hold: holdOf(settings), log });
}

/** Where the feature flags are, or will be once one is set. */
export function flagsFile({ FLEET_FLAGS_FILE, FLEET_DATA }: Settings): string {
  return path.resolve(FLEET_FLAGS_FILE ?? path.join(FLEET_DATA, 'flags.json'));
}
