import path from 'node:path';
import { systemClock } from '../../lib/clock.ts';
import { Log } from '../../lib/log.ts';
import { RotatingFile } from '../../lib/log-file.ts';
import type { Settings } from '../../lib/settings/index.ts';

/** The package's root: where package.json, schema/ and node_modules/ are, from source and from dist/ alike. */
export function packageRoot(): string {
  const here = path.resolve(__dirname, '../..');
  return path.basename(here) === 'dist' ? path.dirname(here) : here;
}

export function logFolder(settings: Settings): string {
  return path.resolve(settings.FLEET_DATA, 'logs');
}

/** A process's own log: rotated files under the data folder, from where they are shipped to the logs house. */
export function processLog(service: string, settings: Settings): { log: Log; file: RotatingFile } {
  const file = new RotatingFile(logFolder(settings), service);
  return { log: new Log(service, [file], () => systemClock.nowMs(), settings.FLEET_LOG_LEVEL), file };
}
