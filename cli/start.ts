import { Command } from 'commander';
import { systemClock } from '../lib/clock.ts';
import { asFleetError, messageOf } from '../lib/errors.ts';
import { loadSettings, SettingsError } from '../lib/settings/index.ts';
import { HOUSE_NAMES } from './platform/processes.ts';
import { runAlone } from './supervisor/alone.ts';
import { announcement } from './supervisor/announce.ts';
import { EXIT, StartFailure } from './supervisor/failure.ts';
import { Progress } from './supervisor/progress.ts';
import { Supervisor } from './supervisor/supervisor.ts';

interface StartOptions {
  demo: boolean;
  split: boolean;
}

async function startAll({ demo, split }: StartOptions): Promise<void> {
  const settings = loadSettings(process.env);
  const progress = new Progress(process.stderr, () => systemClock.nowMs());
  const supervisor = new Supervisor({ settings, env: process.env, demo, split, progress });
  let stopping: Promise<void> | undefined;
  const stop = () => {
    stopping ??= supervisor.stop().then(() => process.exit(0));
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  // Whoever started us by a channel is gone when it closes: nobody would stop us any more.
  process.on('disconnect', stop);
  process.on('message', (message) => obey(message as Order, supervisor, stop));
  try {
    await supervisor.start();
  } catch (error) {
    if (!stopping) {
      fail(error);
      await supervisor.abandon();
      process.exit();
    }
  }
  if (stopping) return;
  say({ ready: true, url: supervisor.url });
  const lines = announcement({
    versions: `node ${process.versions.node}, ${supervisor.postgresVersion}, ClickHouse ${settings.CLICKHOUSE_URL ? 'by URL' : 'as a library'}`,
    url: supervisor.url,
    tokenFile: settings.FLEET_ADMIN_TOKEN ? 'FLEET_ADMIN_TOKEN' : `${settings.FLEET_DATA}/admin-token`,
    ...(supervisor.token.isNew ? { newToken: supervisor.token.value } : {}),
    demo,
  });
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** What whoever started us by a channel may ask. */
interface Order {
  stop?: boolean;
  /** Processes or houses that are to be started anew. */
  restart?: string[];
}

function obey({ stop: isStop, restart }: Order, supervisor: Supervisor, stop: () => void): void {
  if (isStop) stop();
  if (!restart) return;
  supervisor.restart(restart).then(
    (restarted) => say({ restarted }),
    (error: unknown) => say({ refused: messageOf(error) }),
  );
}

/** Tells whoever started us by a channel, if somebody did and is there. */
function say(message: object): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}

function fail(error: unknown): void {
  process.exitCode = exitCodeOf(error);
  process.stderr.write(`fleetgraph cannot start: ${messageOf(error)}\n`);
}

function exitCodeOf(error: unknown): number {
  if (error instanceof StartFailure) return error.exitCode;
  if (error instanceof SettingsError) return EXIT.SETTINGS;
  return asFleetError(error)?.code === 'ENGINE_MISSING' ? EXIT.ENGINE : EXIT.SOFTWARE;
}

const program = new Command('start')
  .description('Starts the whole platform on this machine, with the demo fleet.')
  .option('--no-demo', 'leave the demo fleet out')
  .option('--split', 'a process for each subgraph', false)
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : EXIT.USAGE))
  .action((options: StartOptions) => startAll(options));
program
  .command('router')
  .description('Runs the router alone.')
  .action(() => runAlone('router'));
program
  .command('subgraph')
  .description(`Runs one subgraph alone: ${HOUSE_NAMES.join(', ')}.`)
  .argument('<name>', 'which one')
  .action((name: string) => runAlone(name));
void program.parseAsync().catch((error: unknown) => {
  fail(error);
  process.exit();
});
