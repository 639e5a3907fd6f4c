import { spawn } from 'node:child_process';
import { isLoopback, loadSettings } from '../../lib/settings/index.ts';
import { YOUNG_GENERATION } from '../../router/young-generation.ts';
import { HOUSE_NAMES } from '../platform/processes.ts';
import { packageRoot } from '../platform/surroundings.ts';
import { EXIT, StartFailure } from './failure.ts';

/**
 * Runs one part with engines and neighbours by URL, as a container does.
 * @throws StartFailure when a setting that it needs is absent
 */
export function runAlone(name: string): Promise<void> {
  const settings = loadSettings(process.env);
  if (name !== 'router' && !(HOUSE_NAMES as readonly string[]).includes(name)) {
    throw new StartFailure(EXIT.USAGE, `there is no subgraph ${name}: ${HOUSE_NAMES.join(', ')}`);
  }
  const needed = name === 'router' ? ['FLEET_SECRET', 'FLEET_ADMIN_TOKEN'] : ['FLEET_SECRET', 'DATABASE_URL'];
  const absent = needed.find((setting) => !process.env[setting]);
  if (absent) throw new StartFailure(EXIT.SETTINGS, `${name} alone needs ${absent}: see docs/settings.md`);
  const unknown = HOUSE_NAMES.find((house) => !settings.FLEET_HOUSES[house]);
  if (unknown) throw new StartFailure(EXIT.SETTINGS, `FLEET_HOUSES must name ${unknown}: agents=http://host:port,…`);
  if (name === 'router' && !isLoopback(settings.HOST) && !settings.FLEET_ADMIN_TOKEN) {
    throw new StartFailure(EXIT.SETTINGS, 'a router that is reachable from elsewhere needs FLEET_ADMIN_TOKEN');
  }
  const child = spawn(
    process.execPath,
    [...(name === 'router' ? YOUNG_GENERATION : []), '--enable-source-maps', 'dist/cli/run.js', name],
    {
      cwd: packageRoot(),
      stdio: 'inherit',
      env: { ...process.env, UV_THREADPOOL_SIZE: process.env['UV_THREADPOOL_SIZE'] ?? '12' },
    },
  );
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve) => {
    child.once('close', (code) => {
      process.exitCode = code ?? EXIT.SOFTWARE;
      resolve();
    });
  });
}
