import { createServer } from 'node:net';
import { loadSettings } from '../../lib/settings/index.ts';
import { type Check, error, type Finding, type Place, warning } from './check.ts';

const OPEN_FILES = 4_096;
const MEMORY = 2 * 1024 ** 3;

/** Whether this machine has what it takes. */
export const checkMachine: Check = async (place) => [...limits(place), ...(await port(place))];

function limits({ openFiles, memoryBytes }: Place): Finding[] {
  const findings: Finding[] = [];
  if (openFiles !== undefined && openFiles < OPEN_FILES) {
    findings.push(
      warning(
        'open-files',
        `a process may hold ${openFiles} files and sockets: so many callers at most`,
        'ulimit -n 65536 before the start, or LimitNOFILE= in its unit',
      ),
    );
  }
  if (memoryBytes < MEMORY) {
    findings.push(
      warning(
        'memory',
        `there are ${(memoryBytes / 1024 ** 3).toFixed(1)} GiB of memory; the platform with its engines takes 2`,
        'give it more, or move engines away by DATABASE_URL and CLICKHOUSE_URL',
      ),
    );
  }
  return findings;
}

async function port(place: Place): Promise<Finding[]> {
  const { env, isRoot } = place;
  let wanted: { PORT: number; HOST: string };
  try {
    wanted = loadSettings({ PORT: env['PORT'], HOST: env['HOST'] });
  } catch {
    // What is wrong with them is told by the settings' own check.
    return [];
  }
  const { PORT, HOST } = wanted;
  const cause = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
    const server = createServer();
    server.once('error', resolve);
    server.listen(PORT, HOST, () => server.close(() => resolve(undefined)));
  });
  if (cause?.code === 'EACCES' && !isRoot) {
    return [error('port-privileged', `port ${PORT} is for root`, 'set PORT above 1023, and put a proxy before it')];
  }
  if (cause?.code === 'EADDRNOTAVAIL') {
    return [
      error(
        'host-elsewhere',
        `${HOST} is no address of this machine`,
        'set HOST to one (`ip addr`), to 127.0.0.1, or to 0.0.0.0',
      ),
    ];
  }
  if (cause?.code !== 'EADDRINUSE' || (await isOurs(HOST, PORT))) return [];
  return [
    error('port-taken', `another program has port ${PORT}`, `end it (\`ss -ltnp sport = :${PORT}\`), or set PORT`),
  ];
}

/** A platform that runs has its port. */
async function isOurs(host: string, port: number): Promise<boolean> {
  try {
    const answer = await fetch(`http://${host.includes(':') ? `[${host}]` : host}:${port}/health`, {
      signal: AbortSignal.timeout(2_000),
    });
    return ['ok', 'starting'].includes(((await answer.json()) as { status?: string }).status ?? '');
  } catch {
    return false;
  }
}
