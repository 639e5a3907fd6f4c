import type { Attributes } from './otlp.ts';

const MAX_CAUSES = 5;

/** What a thrown value says of itself. */
export interface ErrorFields {
  /** Its message. */
  error: string;
  /** Its name, or the type of what was thrown. */
  errorType: string;
  /** Its own code, e.g. ECONNREFUSED. */
  errorCode?: string;
  /** Where it came from, its causes behind it. */
  stack?: string;
}

/** An error as fields of a log line, its causes in the stack. Whatever was thrown: it need not be an Error. */
export function errorFields(thrown: unknown): ErrorFields {
  if (!(thrown instanceof Error)) return { error: textOf(thrown), errorType: typeof thrown };
  const { code } = thrown as { code?: unknown };
  const coded = typeof code === 'string' || typeof code === 'number' ? { errorCode: String(code) } : {};
  const stack = stackOf(thrown);
  return { error: thrown.message, errorType: thrown.name, ...coded, ...(stack ? { stack } : {}) };
}

/** The same in OpenTelemetry's names, as an agent's lines carry it. */
export function errorAttributes(thrown: unknown): Attributes {
  const { error, errorType, errorCode, stack } = errorFields(thrown);
  return {
    'exception.type': errorType,
    'exception.message': error,
    'exception.stacktrace': stack,
    'error.code': errorCode,
  };
}

function stackOf(error: Error): string {
  const stacks: string[] = [];
  for (let at: unknown = error; at instanceof Error && stacks.length < MAX_CAUSES; at = at.cause) {
    if (at.stack) stacks.push(at.stack);
  }
  return stacks.join('\ncaused by: ');
}

function textOf(thrown: unknown): string {
  try {
    return typeof thrown === 'object' && thrown !== null ? (JSON.stringify(thrown) ?? 'an object') : String(thrown);
  } catch {
    return 'an object that cannot be written';
  }
}
