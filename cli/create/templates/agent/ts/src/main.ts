import { type LineSink, reportCrashes } from 'fleetgraph/sdk';
import { createFactory } from 'fleetgraph/sdk/factory';
import { agentKind, takeTasks } from './agent.js';
import { findPlatform, readEnvFile } from './platform.js';

/** Each log line goes to the platform, and here as JSON. */
const lines: LineSink = { write: (line) => void process.stdout.write(`${line}\n`) };

let isEnding = false;

async function main(): Promise<void> {
  readEnvFile();
  const platform = findPlatform(process.env);
  const factory = createFactory({ kinds: [agentKind], link: { ...platform, lines } });
  // It stops its work, says farewell, and sends what waits; also when who started it is gone.
  for (const end of ['SIGINT', 'SIGTERM', 'disconnect'] as const) {
    process.once(end, () => {
      isEnding = true;
      void factory.close().finally(() => process.exit(0));
    });
  }
  console.error(`joining the platform at ${platform.url}`);
  // Waits for a platform that is not up yet.
  const built = await factory.create(agentKind, process.env['AGENT_NAME'] || '{{name}}');
  reportCrashes(built.agent);
  takeTasks(built);
}

main().catch((error: unknown) => {
  // Told to end while it waits for a platform, it gives up what it waits for.
  if (isEnding) return;
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
