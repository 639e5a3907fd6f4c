/** What a sample may look like. */
const MAX_NAME = 255;
const MAX_LABELS = 64;
const MAX_LABEL_NAME = 128;
const MAX_LABEL_VALUE = 2_048;
/** Clocks differ; what lies further ahead is a mistake of units. */
const AHEAD_MS = 600_000;

/** What is wrong with a name and its labels, or undefined. */
export function labelsFault(metric: string, labels: Readonly<Record<string, string>>): string | undefined {
  if (!metric || metric.length > MAX_NAME) return `a metric’s name has 1 to ${MAX_NAME} characters`;
  const entries = Object.entries(labels);
  if (entries.length > MAX_LABELS) return `a series has at most ${MAX_LABELS} labels`;
  for (const [name, value] of entries) {
    if (!name || name.length > MAX_LABEL_NAME) return `a label’s name has 1 to ${MAX_LABEL_NAME} characters`;
    if (value.length > MAX_LABEL_VALUE) return `a label’s value has at most ${MAX_LABEL_VALUE} characters`;
  }
  return undefined;
}

/** What is wrong with a time, or undefined. Milliseconds since 1970. */
export function timeFault(timeMs: number, nowMs: number): string | undefined {
  if (timeMs < 0) return 'the time is before 1970';
  return timeMs > nowMs + AHEAD_MS ? 'the time is more than ten minutes ahead' : undefined;
}

/** What is wrong with a piece of text that is stored and shown, or undefined. */
export function textFault(text: string): string | undefined {
  return text.isWellFormed() && !text.includes('\u0000') ? undefined : 'text must be well-formed and without U+0000';
}
