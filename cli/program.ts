import { Command, CommanderError } from 'commander';
import { addAck } from './commands/ack.ts';
import { addAgents } from './commands/agents.ts';
import { addAlerts } from './commands/alerts.ts';
import { addAudit } from './commands/audit.ts';
import { addBottleneck } from './commands/bottleneck.ts';
import { addCompletion } from './commands/completion.ts';
import { addCreate } from './commands/create.ts';
import { addDebug } from './commands/debug.ts';
import { addDemo } from './commands/demo.ts';
import { addDev } from './commands/dev.ts';
import { addDoctor } from './commands/doctor.ts';
import { addFlags } from './commands/flags.ts';
import { addHealth } from './commands/health.ts';
import { addLogMetrics } from './commands/log-metrics.ts';
import { addLogs } from './commands/logs.ts';
import { addPlan } from './commands/plan.ts';
import { addProfile } from './commands/profile.ts';
import { addQuery } from './commands/query.ts';
import { addRecovery } from './commands/recovery.ts';
import { addRetention } from './commands/retention.ts';
import { addRollout } from './commands/rollout.ts';
import { addRun } from './commands/run.ts';
import { addSchema } from './commands/schema.ts';
import { addSearches } from './commands/searches.ts';
import { addStart, start } from './commands/start.ts';
import { addStatus } from './commands/status.ts';
import { addToken } from './commands/token.ts';
import { addTrace } from './commands/trace.ts';
import { addVersions } from './commands/versions.ts';
import type { Surface } from './context.ts';
import { EXIT_CODE, explain } from './output/exit-code.ts';

/** The program with all its commands, before it reads any words. @param words what it is going to read: some hand on what is behind `--` */
export function programOf(surface: Surface, words: readonly string[] = []): Command {
  const program = new Command('fleet')
    .description('Asks and commands a fleet of agents.')
    .option('--url <address>', 'the platform’s address (FLEET_URL, else http://127.0.0.1:4000)')
    .option('--json', 'JSON for scripts instead of tables')
    .exitOverride()
    .configureOutput({ writeOut: (text) => surface.out.write(text), writeErr: (text) => surface.err.write(text) });
  const behind = words.includes('--') ? words.slice(words.indexOf('--') + 1) : [];
  for (const add of [
    addStart,
    addDev,
    addStatus,
    addDoctor,
    addAgents,
    addVersions,
    addRollout,
    addHealth,
    addProfile,
    addBottleneck,
    addDebug,
    addRecovery,
    addLogs,
    addLogMetrics,
    addTrace,
    addSearches,
    addRetention,
    addAlerts,
    addAck,
    addQuery,
    addToken,
    addSchema,
    addPlan,
    addFlags,
    addAudit,
    addRun,
    addCreate,
    addDemo,
    addCompletion,
  ])
    add(program, surface, behind);
  for (const command of everyCommand(program)) command.copyInheritedSettings(program);
  return program;
}

/** Runs one command line; the exit code is told to the surface, never thrown. */
export async function run(words: readonly string[], surface: Surface): Promise<void> {
  const program = programOf(surface, words);
  try {
    // Every word behind `start` is the supervisor's, --help and --json too.
    if (words[0] === 'start') await start(words.slice(1), surface);
    else await program.parseAsync([...words], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return surface.exit(error.exitCode === 0 ? EXIT_CODE.ok : EXIT_CODE.usage);
    const { line, exitCode } = explain(error);
    surface.err.write(`${line}\n`);
    surface.exit(exitCode);
  }
}

function everyCommand(program: Command): Command[] {
  return program.commands.flatMap((command) => [command, ...everyCommand(command)]);
}
