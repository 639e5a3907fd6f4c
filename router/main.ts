import { messageOf } from '../lib/errors.ts';
import { startStandalone } from './standalone.ts';

/** A router of any supergraph, in the foreground until it is told to stop. */
async function main(): Promise<void> {
  const router = await startStandalone(process.env);
  process.stdout.write(`router: ${router.url}/graphql\n`);
  const stop = () => void router.stop().then(() => process.exit(0));
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  process.on('SIGHUP', () => void router.reload());
}

void main().catch((error: unknown) => {
  process.stderr.write(`router: ${messageOf(error)}\n`);
  process.exit(1);
});
