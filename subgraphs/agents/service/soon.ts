/** A value that is there, or will be. */
export type Soon<T> = T | Promise<T>;

/** What follows from a value: at once when it is there, so that nobody pays for a promise who need not wait. */
export function soon<T, Next>(value: Soon<T>, next: (value: T) => Soon<Next>): Soon<Next> {
  return value instanceof Promise ? value.then(next) : next(value);
}
