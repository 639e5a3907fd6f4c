/**
 * What beats told of one agent in one stretch of time, as sums: two of them are added field by field, so that what several
 * processes heard, before and after a restart, is one.
 */
export interface Reading {
  beats: number;
  requests: number;
  errors: number;
  /** ln of the mean latency of a beat, milliseconds. */
  latencies: number;
  latencySum: number;
  latencySquares: number;
  /** Health scores. */
  healthSum: number;
  healthSquares: number;
  /** ln of memory over time, in minutes: what a line through it needs. */
  memories: number;
  minuteSum: number;
  minuteSquares: number;
  memorySum: number;
  memorySquares: number;
  memoryByMinute: number;
  restarts: number;
}

/** One beat, as evidence. */
export interface Told {
  requests: number;
  errors: number;
  latencyMs: number | null;
  memoryBytes: number | null;
  health: number;
}

export const READING_FIELDS = [
  ...['beats', 'requests', 'errors', 'latencies', 'latencySum', 'latencySquares', 'healthSum', 'healthSquares'],
  ...['memories', 'minuteSum', 'minuteSquares', 'memorySum', 'memorySquares', 'memoryByMinute', 'restarts'],
] as readonly (keyof Reading)[];

export function emptyReading(): Reading {
  return Object.fromEntries(READING_FIELDS.map((field) => [field, 0])) as unknown as Reading;
}

/** A program that has just started is slow while its caches are empty, and grows for three times as long. */
const GROWTH = 3;

/**
 * Adds a beat.
 * @param sinceMs since the stretch began
 * @param warmUpMs how long latency and memory say nothing at its start
 */
export function addBeat(reading: Reading, told: Told, sinceMs: number, warmUpMs: number): void {
  reading.beats += 1;
  reading.requests += told.requests;
  reading.errors += Math.min(told.errors, told.requests);
  reading.healthSum += told.health;
  reading.healthSquares += told.health ** 2;
  if (told.latencyMs !== null && told.latencyMs > 0 && told.requests > 0 && sinceMs >= warmUpMs) {
    const latency = Math.log(told.latencyMs);
    reading.latencies += 1;
    reading.latencySum += latency;
    reading.latencySquares += latency ** 2;
  }
  if (told.memoryBytes !== null && told.memoryBytes > 0 && sinceMs >= GROWTH * warmUpMs) {
    const [minute, memory] = [sinceMs / 60_000, Math.log(told.memoryBytes)];
    reading.memories += 1;
    reading.minuteSum += minute;
    reading.minuteSquares += minute ** 2;
    reading.memorySum += memory;
    reading.memorySquares += memory ** 2;
    reading.memoryByMinute += minute * memory;
  }
}

/** The line through an agent's memory: its slope a minute, what is left around it, and how well it is held. */
export function memoryLine(reading: Reading): { slope: number; residual: number; leverage: number } | undefined {
  const { memories: n } = reading;
  if (n < 5) return undefined;
  const leverage = reading.minuteSquares - reading.minuteSum ** 2 / n;
  const slope = (reading.memoryByMinute - (reading.minuteSum * reading.memorySum) / n) / leverage;
  const squares = reading.memorySquares - reading.memorySum ** 2 / n;
  return leverage > 0
    ? { slope, residual: Math.max(0, squares - slope ** 2 * leverage) / (n - 2), leverage }
    : undefined;
}
