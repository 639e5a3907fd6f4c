import { isMainThread, parentPort } from 'node:worker_threads';
import { keepCompiled, saveCompiled } from '../lib/compiled.ts';
import { growYoungGeneration, runInThread, type ThreadWord } from './young-generation.ts';

/** How long it may take to go down, milliseconds; whoever runs it may kill it after 5 seconds. */
const STOP_MS = 4_700;

/** A router of any supergraph, in the foreground until it is told to stop. */
async function main(): Promise<void> {
  if (isMainThread && growYoungGeneration(process, process.env)) return runInThread(__filename, failed);
  keepCompiled();
  const { startStandalone } = await import('./standalone.ts');
  const router = await startStandalone(process.env);
  process.stdout.write(`router: ${router.url}/graphql\n`);
  saveCompiled();
  const stop = () => {
    // Whatever clients and others do: what is not told by then is not waited for.
    setTimeout(() => process.exit(0), STOP_MS);
    void router.stop().then(() => process.exit(0));
  };
  const reload = () => void router.reload();
  // In a thread they come from the process, by its port.
  parentPort?.on('message', (word: ThreadWord) => (word === 'stop' ? stop() : reload()));
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  process.on('SIGHUP', reload);
}

/** Loads what tells of it only now: the process of a thread that works has no use for it. */
async function failed(error: unknown): Promise<void> {
  const [{ messageOf }, { exitCodeOf }] = await Promise.all([import('../lib/errors.ts'), import('./exit-code.ts')]);
  process.stderr.write(`router: ${messageOf(error)}\n`);
  process.exit(exitCodeOf(error));
}

void main().catch(failed);
