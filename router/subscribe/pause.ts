/** Waits; ends early, without an error, when the signal fires. */
export type Pause = (ms: number, signal: AbortSignal) => Promise<void>;

/** Waits on the machine's own timer. */
export const systemPause: Pause = (ms, signal) =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
  });
