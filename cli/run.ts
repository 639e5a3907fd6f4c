import { keepCompiled, saveCompiled } from '../lib/compiled.ts';
import { assert, messageOf } from '../lib/errors.ts';
import { loadSettings } from '../lib/settings/index.ts';
import { housesOf } from './platform/processes.ts';
import { processFlags, processLog } from './platform/surroundings.ts';

/** How long a child waits for its supervisor to call the order in which all stop, milliseconds. */
const ORDER_MS = 1_500;

/** One process of the platform: `router`, `state`, `telemetry`, or one house. Started by the supervisor or alone. */
async function main(name: string): Promise<void> {
  keepCompiled();
  const settings = loadSettings(process.env);
  const secret = settings.FLEET_SECRET;
  assert(secret, 'a process of the platform is told the secret');
  const { log, file } = processLog(name, settings);
  process.on('uncaughtException', (error) => {
    log.error('process.crashed', { error: messageOf(error), stack: error.stack });
    process.stderr.write(`${error.stack}\n`);
    process.exit(1);
  });
  const flags = processFlags(settings, log);
  const { startInstruments } = await import('./platform/instruments.ts');
  // Before anything loads graphql or pg: hooks patch modules as they load.
  const instruments = startInstruments(name, settings, secret, flags);
  const houses = housesOf(name);
  const running: { stop(): Promise<void>; reload?(): Promise<void> } = houses
    ? await (await import('./platform/houses.ts')).runHouses({
        names: houses,
        settings,
        secret,
        log,
        flags,
        metrics: instruments.metrics,
        registry: instruments.registry,
      })
    : await (await import('./platform/router.ts')).runRouter({
        settings,
        secret,
        log,
        flags,
        metrics: instruments.metrics,
      });
  const { reporterOf } = await import('./platform/configuration.ts');
  const reporter = reporterOf(name, process.env, { settings, secret, flags, log });
  reporter?.start();
  log.info('process.ready', { process: name, pid: process.pid });
  process.send?.({ ready: true });
  saveCompiled();
  process.on('SIGHUP', () => void running.reload?.());
  onStop(async () => {
    await reporter?.stop();
    await running.stop();
    await instruments.stop();
    flags.close();
    log.info('process.stopped', { process: name });
    file.close();
    process.exit(0);
  });
}

function onStop(stop: () => Promise<void>): void {
  let stopping = false;
  const once = () => {
    if (stopping) return;
    stopping = true;
    void stop();
  };
  process.on('message', (message) => (message as { stop?: boolean }).stop && once());
  // Its supervisor is gone: nobody would restart or stop it any more.
  process.on('disconnect', once);
  // A signal to the whole group reaches the supervisor too, which stops all in order; alone, it is obeyed.
  const later = () => (process.connected ? setTimeout(once, ORDER_MS) : once());
  process.on('SIGTERM', later);
  process.on('SIGINT', later);
}

void main(process.argv[2] ?? '').catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
});
