/** Why the platform could not start, with the exit code that scripts may rely on (docs/operating.md). */
export class StartFailure extends Error {
  constructor(
    readonly exitCode: number,
    sentence: string,
  ) {
    super(sentence);
  }
}

export const EXIT = {
  /** Wrong arguments. */
  USAGE: 64,
  /** An engine is needed and not installed. */
  ENGINE: 69,
  /** Something broke while starting. */
  SOFTWARE: 70,
  /** The port is taken. */
  PORT: 71,
  /** The data folder is in use. */
  IN_USE: 73,
  /** The data folder was written by newer code. */
  NEWER: 74,
  /** A setting is wrong. */
  SETTINGS: 78,
} as const;
