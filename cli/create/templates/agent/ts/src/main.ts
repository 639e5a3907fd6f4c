import { type LineSink, reportCrashes } from 'fleetgraph/sdk';
import { createFactory } from 'fleetgraph/sdk/factory';
import { agentKind, takeTasks } from './agent.js';
import { findPlatform, readEnvFile } from './platform.js';

readEnvFile();
/** Each log line goes to the platform, and here as JSON. */
const lines: LineSink = { write: (line) => void process.stdout.write(`${line}\n`) };
const factory = createFactory({ kinds: [agentKind], link: { ...findPlatform(process.env), lines } });

// It stops its work, says farewell, and sends what waits; also when who started it is gone.
for (const end of ['SIGINT', 'SIGTERM', 'disconnect'] as const)
  process.once(end, () => void factory.close().finally(() => process.exit(0)));

// Waits for a platform that is not up yet.
const built = await factory.create(agentKind, process.env['AGENT_NAME'] || '{{name}}');
reportCrashes(built.agent);
takeTasks(built);
