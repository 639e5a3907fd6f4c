import { errorAttributes } from '../telemetry/error-fields.ts';
import type { Agent } from './agent.ts';

/** What of a process a crash needs: `process` is one. */
export interface CrashingProcess {
  /** Hears of what nobody catches. */
  on(event: 'uncaughtException', listener: (error: unknown) => void): unknown;
  /** Hears of it no longer. */
  removeListener(event: 'uncaughtException', listener: (error: unknown) => void): unknown;
  /** Ends the process. */
  exit(code: number): void;
  /** Where the error is written before it is sent. */
  readonly stderr: { write(text: string): unknown };
}

/**
 * Tells the platform what a process dies of: an error that nobody catches, or a promise that is rejected and nobody waits for. It
 * becomes the agent's FATAL line, is sent, and the process ends with 1, as it would have done.
 * @param limitMs how long sending may keep it, milliseconds
 * @returns undoes it
 */
export function reportCrashes(agent: Agent, limitMs = 2_000, dying: CrashingProcess = process): () => void {
  let isDying = false;
  const crash = (error: unknown) => {
    dying.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    // A second error while the first is told must not keep the process.
    if (isDying) return dying.exit(1);
    isDying = true;
    agent.tell('fatal', 'crashed', errorAttributes(error));
    void agent.flush(limitMs).finally(() => dying.exit(1));
  };
  dying.on('uncaughtException', crash);
  return () => void dying.removeListener('uncaughtException', crash);
}
