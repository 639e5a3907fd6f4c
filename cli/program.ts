import { Command, CommanderError } from 'commander';
import { addAck } from './commands/ack.ts';
import { addAgents } from './commands/agents.ts';
import { addAlerts } from './commands/alerts.ts';
import { addAudit } from './commands/audit.ts';
import { addCompletion } from './commands/completion.ts';
import { addDemo } from './commands/demo.ts';
import { addDoctor } from './commands/doctor.ts';
import { addFlags } from './commands/flags.ts';
import { addHealth } from './commands/health.ts';
import { addLogMetrics } from './commands/log-metrics.ts';
import { addLogs } from './commands/logs.ts';
import { addPlan } from './commands/plan.ts';
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
import { addVersions } from './commands/versions.ts';
import type { Surface } from './context.ts';
import { EXIT_CODE, explain } from './output/exit-code.ts';

/** Runs one command line; the exit code is told to the surface, never thrown. */
export async function run(words: readonly string[], surface: Surface): Promise<void> {
  const program = new Command('fleet')
    .description('Asks and commands a fleet of agents.')
    .option('--url <address>', 'the platform’s address (FLEET_URL, else http://127.0.0.1:4000)')
    .option('--json', 'JSON for scripts instead of tables')
    .exitOverride()
    .configureOutput({ writeOut: (text) => surface.out.write(text), writeErr: (text) => surface.err.write(text) });
  for (const add of [
    addStart,
    addStatus,
    addDoctor,
    addAgents,
    addVersions,
    addRollout,
    addHealth,
    addRecovery,
    addLogs,
    addLogMetrics,
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
    addDemo,
    addCompletion,
  ])
    add(program, surface);
  for (const command of everyCommand(program)) command.copyInheritedSettings(program);
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
