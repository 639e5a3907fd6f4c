import { type Column, table } from './table.ts';

/** Where a command writes to; tests pass their own. */
export interface Sink {
  write(text: string | Uint8Array): unknown;
  isTTY?: boolean;
  columns?: number;
  /** A stream's own: told when what was written has left. */
  once?(event: 'drain', listener: () => void): unknown;
}

/** Tables for people, JSON for scripts, on the same words. */
export class Printer {
  /** @param json whether the caller asked for --json */
  constructor(
    private readonly out: Sink,
    private readonly err: Sink,
    readonly json: boolean,
  ) {}

  /** A whole answer in JSON, or what `show` writes for people. */
  answer(value: unknown, show: () => void): void {
    if (this.json) this.line(JSON.stringify(value, null, 2));
    else show();
  }

  /** One item of a stream: a line of JSON, or a line for people. */
  item(value: unknown, show: () => string): void {
    this.line(this.json ? JSON.stringify(value) : show());
  }

  table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): void {
    this.line(table(columns, rows, this.out.isTTY ? this.out.columns : undefined));
  }

  line(text: string): void {
    this.out.write(`${text}\n`);
  }

  /** What is said beside the answer, on stderr. */
  note(text: string): void {
    this.err.write(`${text}\n`);
  }
}

/** How long ago, in the largest unit that fits. */
export function ago(time: string | null | undefined, nowMs: number): string {
  if (!time) return '-';
  const seconds = Math.max(0, Math.round((nowMs - Date.parse(time)) / 1_000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m`;
  return seconds < 86_400 ? `${Math.floor(seconds / 3_600)}h` : `${Math.floor(seconds / 86_400)}d`;
}
