import type { AgentCommand } from '../entity/command.ts';

/** As much of a command as decides who may say that it ended. */
export type OpenCommand = Pick<AgentCommand, 'fence' | 'completedAt' | 'outcome' | 'expiresAt'>;

export interface CompletionRefusal {
  sentence: string;
  field?: string[];
}

export function hasExpired({ expiresAt }: Pick<AgentCommand, 'expiresAt'>, nowMs: number): boolean {
  return expiresAt !== null && expiresAt.getTime() <= nowMs;
}

/**
 * Whether a process may be given its agent's mail: only the newest one, or two would do it under one fence.
 * @param given which process the caller's token was given to; undefined for one that speaks for many
 */
export function isNewest(given: number | undefined, incarnation: number): boolean {
  return given === undefined || given === incarnation;
}

/**
 * Why nobody's word on how a command ended is taken; undefined when this one's is. It ends once, and only by the process that
 * has its fence: of two that did it, the one that the platform knows.
 */
export function completionRefusal(command: OpenCommand, fence: string, nowMs: number): CompletionRefusal | undefined {
  if (command.completedAt) return { sentence: `this command ended already: ${command.outcome}` };
  if (command.fence !== fence) {
    return { sentence: 'this command is another process’s to do now: its fence changed', field: ['fence'] };
  }
  return hasExpired(command, nowMs) ? { sentence: 'this command has expired' } : undefined;
}
