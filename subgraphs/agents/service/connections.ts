import type { Clock } from '../../../lib/clock.ts';
import { CLOSING_WINDOW_MS, type ClosingVerdict, closingVerdict } from './closings.ts';

/** How long a closing waits for others to close with it, milliseconds: what is told at once is told within two of these. */
export const CLOSING_MS = 40;

/** A connection that closed, and who held it. */
export interface Closing {
  uuid: string;
  atMs: number;
  verdict: ClosingVerdict;
}

/** The connections that agents hold to their mailboxes: one that closes speaks sooner than a beat that does not come. */
export class Connections {
  readonly #open = new Map<string, number>();
  readonly #closed = new Map<string, number>();
  #recentMs: number[] = [];

  constructor(private readonly clock: Clock) {}

  /** Notes one more. @returns called when it closes; true when the agent, or the road to it, closed it, and not we */
  opened(uuid: string): (byItself: boolean) => void {
    this.#open.set(uuid, (this.#open.get(uuid) ?? 0) + 1);
    this.#closed.delete(uuid);
    let isOpen = true;
    return (byItself) => {
      if (!isOpen) return;
      isOpen = false;
      this.#close(uuid, byItself);
    };
  }

  isOpen(uuid: string): boolean {
    return this.#open.has(uuid);
  }

  /** What closed and has waited long enough to be judged with what closed beside it. */
  judge(): Closing[] {
    if (!this.#closed.size) return [];
    const nowMs = this.clock.nowMs();
    this.#recentMs = this.#recentMs.filter((atMs) => Math.abs(nowMs - atMs) < CLOSING_WINDOW_MS);
    const verdict = closingVerdict(this.#recentMs.length, this.#open.size);
    const due: Closing[] = [];
    for (const [uuid, atMs] of this.#closed) {
      if (Math.abs(nowMs - atMs) < CLOSING_MS) continue;
      this.#closed.delete(uuid);
      due.push({ uuid, atMs, verdict });
    }
    return due;
  }

  #close(uuid: string, byItself: boolean): void {
    const left = (this.#open.get(uuid) ?? 1) - 1;
    if (left > 0) return void this.#open.set(uuid, left);
    this.#open.delete(uuid);
    if (!byItself) return;
    const nowMs = this.clock.nowMs();
    this.#closed.set(uuid, nowMs);
    this.#recentMs.push(nowMs);
  }
}
