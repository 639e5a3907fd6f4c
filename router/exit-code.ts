import { SettingsError } from '../lib/settings/index.ts';

/** A start that cannot succeed with these settings: told in one line. */
export class StartError extends Error {}

/** What a router that could not start exits with; the same as the platform's (docs/operating.md). */
const EXIT = { software: 70, port: 71, settings: 78 } as const;
const PORT_ERRORS: ReadonlySet<unknown> = new Set(['EADDRINUSE', 'EACCES', 'EADDRNOTAVAIL']);

/** 78: a setting is wrong; 71: the port cannot be had; 70: anything else, such as a supergraph that is none. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof SettingsError || error instanceof StartError) return EXIT.settings;
  const { code, syscall } = (error ?? {}) as NodeJS.ErrnoException;
  return syscall === 'listen' && PORT_ERRORS.has(code) ? EXIT.port : EXIT.software;
}
