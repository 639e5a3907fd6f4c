import type { LeaveSignal } from '../leave-signal.ts';

/** A signal that fires when time is up or the caller left, whichever is first. */
export interface Deadline {
  readonly signal: AbortSignal;
  readonly timedOut: boolean;
  clear(): void;
}

/** @param timeoutMs counted from now, also while a connection is waited for */
export function callDeadline(timeoutMs: number, caller: LeaveSignal | undefined): Deadline {
  const controller = new AbortController();
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    controller.abort();
  }, timeoutMs);
  const leave = () => controller.abort();
  caller?.addEventListener('abort', leave, { once: true });
  if (caller?.aborted) leave();
  return {
    signal: controller.signal,
    get timedOut() {
      return timedOut;
    },
    clear() {
      clearTimeout(timer);
      caller?.removeEventListener('abort', leave);
    },
  };
}
