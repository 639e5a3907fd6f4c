import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** Where the platform is, and the token that this agent registers with. */
export interface Platform {
  url: string;
  token: string;
}

/**
 * FLEET_URL, else this machine's. FLEET_TOKEN, else what the platform on this machine wrote into the folder of its data, FLEET_DATA.
 * @throws Error when nothing says the token
 */
export function findPlatform(env: NodeJS.ProcessEnv): Platform {
  const url = env['FLEET_URL'] || 'http://127.0.0.1:4000';
  if (env['FLEET_TOKEN']) return { url, token: env['FLEET_TOKEN'] };
  const file = path.join(env['FLEET_DATA'] || '.data', 'admin-token');
  if (existsSync(file)) return { url, token: readFileSync(file, 'utf8').trim() };
  throw new Error(
    `no token: set FLEET_TOKEN, or FLEET_DATA to the data folder of a platform on this machine (${file} is not there)`,
  );
}

/** What .env says holds where the environment says nothing. */
export function readEnvFile(file = '.env'): void {
  if (existsSync(file)) process.loadEnvFile(file);
}
