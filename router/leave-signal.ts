/**
 * Who is told. An object is told without a closure made for it; on the way of every call closures were measured to keep
 * whole requests from the young collection, which took a fifth of the processor's time to copy them about.
 */
export type LeaveListener = (() => void) | { handleEvent(): void };

/** Fires once, when a caller leaves: as much of an AbortSignal as a call needs, so that one that costs nothing will do. */
export interface LeaveSignal {
  readonly aborted: boolean;
  /** How many callers stand behind it; one unless it says so. */
  readonly callers?: number;
  addEventListener(type: 'abort', listener: LeaveListener, options?: { once: boolean }): void;
  removeEventListener(type: 'abort', listener: LeaveListener): void;
}

/** A caller's presence. Made for every request; an AbortController would cost more than the rest of the bookkeeping. */
export class Presence implements LeaveSignal {
  callers = 1;
  #aborted = false;
  #listeners: LeaveListener[] | undefined;

  get aborted(): boolean {
    return this.#aborted;
  }

  addEventListener(_type: 'abort', listener: LeaveListener): void {
    if (this.#listeners) this.#listeners.push(listener);
    else this.#listeners = [listener];
  }

  removeEventListener(_type: 'abort', listener: LeaveListener): void {
    const at = this.#listeners?.indexOf(listener) ?? -1;
    if (at >= 0) this.#listeners?.splice(at, 1);
  }

  /** The caller left; each listener hears it once. */
  leave(): void {
    if (this.#aborted) return;
    this.#aborted = true;
    const listeners = this.#listeners;
    this.#listeners = undefined;
    for (const listener of listeners ?? []) {
      if (typeof listener === 'function') listener();
      else listener.handleEvent();
    }
  }
}

/** Why a stream's signal fires. One for all: an error made for each of a herd that leaves costs more than the leaving. */
export const GONE = new Error('the reader has gone');

/** The presence of a stream's reader, who leaves when the signal fires. The signal bears one listener, however many ask. */
export function presenceOf(signal: AbortSignal): Presence {
  const presence = new Presence();
  if (signal.aborted) presence.leave();
  else signal.addEventListener('abort', () => presence.leave(), { once: true });
  return presence;
}
