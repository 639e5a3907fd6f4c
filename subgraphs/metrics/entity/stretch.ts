/** A stretch of time, milliseconds since 1970; null is open. */
export interface Stretch {
  fromMs: number | null;
  toMs: number | null;
}
