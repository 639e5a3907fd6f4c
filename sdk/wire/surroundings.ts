/** What an agent takes from the machine it runs on; tests and simulations pass their own. */
export interface Surroundings {
  /** Milliseconds since 1970, with a fraction. */
  nowMs(): number;
  /** A number in [0, 1). */
  random(): number;
  /** Resolves after `ms` milliseconds, or at once when the signal is aborted. Never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** The network: `fetch` as the platform’s own. */
  fetch: typeof fetch;
}

/** The wall clock's milliseconds with the monotonic clock's fraction; follows the wall when it is set anew. */
function fineClock(): () => number {
  let baseMs = Date.now() - performance.now();
  return () => {
    const now = baseMs + performance.now();
    const wall = Date.now();
    if (Math.abs(wall - now) < 250) return now;
    baseMs = wall - performance.now();
    return wall;
  };
}

function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done);
  });
}

/** The machine's own clock, randomness, timers and network. */
export function machine(): Surroundings {
  return { nowMs: fineClock(), random: Math.random, sleep, fetch: (input, init) => fetch(input, init) };
}
