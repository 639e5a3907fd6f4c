import { setFlagsFromString } from 'node:v8';
import { SHARE_ENV, Worker } from 'node:worker_threads';

const LEAST_MB = 16;
const MOST_MB = 64;
/** The young generation is two halves and room for large objects, each of up to that size. */
const PARTS = 3;

/**
 * Arguments of node for a process that routes. What requests under way hold lives as long as they do: in a young
 * generation of the default size it is copied twice and then collected among the old, a fifth of the processor time, and
 * half of it where answers are large. Measured with 50 requests at once.
 */
export const YOUNG_GENERATION = [`--min-semi-space-size=${LEAST_MB}`, `--max-semi-space-size=${MOST_MB}`] as const;

/** What of a process decides how it comes to a larger young generation. */
type Started = Pick<NodeJS.Process, 'execPath' | 'execArgv' | 'argv' | 'connected' | 'platform' | 'execve'>;

/**
 * Becomes the same program with a young generation of that size, where nobody has set the size.
 * @returns whether it is still to be had: by `threadOf`, because this node cannot become another program (before 22.15)
 */
export function growYoungGeneration(
  { execPath, execArgv, argv, connected, platform, execve }: Started,
  environment: Readonly<Record<string, string | undefined>>,
): boolean {
  const isSet = /--(min|max)[-_]semi[-_]space/.test([...execArgv, environment['NODE_OPTIONS'] ?? ''].join(' '));
  // A parent that speaks with this process would lose it.
  if (isSet || connected) return false;
  if (platform === 'win32' || !execve) return true;
  execve(execPath, [execPath, ...YOUNG_GENERATION, ...execArgv, ...argv.slice(1)], { ...environment });
  return false;
}

/** Words of the process to the thread that does its work. */
export type ThreadWord = 'stop' | 'reload';

/**
 * Runs a program in a thread with a young generation of that size: a thread's is made with it. The process does nothing
 * but hand its signals on, and ends with the thread and its exit code.
 * @param onFault told of what the thread did not catch
 */
export function runInThread(file: string, onFault: (error: unknown) => void): void {
  // No limit of threads sets the least size; a flag does, for those made from now on.
  setFlagsFromString(`--min-semi-space-size=${LEAST_MB}`);
  const resourceLimits = { maxYoungGenerationSizeMb: PARTS * MOST_MB };
  const worker = new Worker(file, { env: SHARE_ENV, resourceLimits, argv: process.argv.slice(2) });
  const tell = (word: ThreadWord) => () => worker.postMessage(word);
  process.on('SIGTERM', tell('stop'));
  process.on('SIGINT', tell('stop'));
  process.on('SIGHUP', tell('reload'));
  worker.on('error', onFault);
  worker.on('exit', (code) => {
    process.exitCode ??= code;
  });
}
