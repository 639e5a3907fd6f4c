import type { AgentCommand, CommandOutcome } from '../wire/operations.ts';

/** Thrown by a handler that will not do what it is asked; the command ends as REFUSED. */
export class CommandRefused extends Error {}

/** Does what a command asks. What it gives goes back with DONE, what it throws with FAILED, `CommandRefused` with REFUSED. */
export type CommandHandler = (args: Record<string, unknown>, command: AgentCommand) => unknown;

/** What is to be done with a command that arrives: done, told again how it ended, or nothing. */
export type Dealing = 'do' | 'tell' | 'nothing';

/**
 * How a process deals with a command that arrives by the stream or in the answer to a beat, in whatever order the two come.
 * @param fence of the command, `<incarnation>.<number>`: numbers rise in the order in which the agent was asked
 * @param taken whether it was taken before, and under which fence its end was told, if it has ended
 * @param newest number of the last command that was taken
 */
export function dealingWith(fence: string, taken: { fence: string | undefined } | undefined, newest: number): Dealing {
  if (taken) return taken.fence === undefined || taken.fence === fence ? 'nothing' : 'tell';
  // One that comes behind a later one has been overtaken: whoever sent the later one knew that it had ended.
  return numberOf(fence) <= newest ? 'nothing' : 'do';
}

/** A command's place among its agent's; one that does not say is as good as the next. */
export function numberOf(fence: string): number {
  return Number(/^\d+\.(\d+)$/.exec(fence)?.[1] ?? Number.POSITIVE_INFINITY);
}

const REMEMBERED = 1_000;

interface Ended {
  fence: string;
  outcome: CommandOutcome;
  result: unknown;
}

/**
 * Does an agent's commands one after the other, in the order they came, each once: the same command arrives by the stream and
 * in the answers to beats until it is completed.
 */
export class Mailbox {
  readonly #handlers = new Map<string, CommandHandler>();
  readonly #seen = new Map<string, Ended | undefined>();
  #last: Promise<void> = Promise.resolve();
  #newest = 0;
  #agentId = '';

  /** @param complete tells the platform how a command ended; must not throw */
  constructor(
    private readonly complete: (command: AgentCommand, outcome: CommandOutcome, result: unknown) => Promise<void>,
  ) {}

  on(name: string, handler: CommandHandler): void {
    this.#handlers.set(name, handler);
  }

  /** Takes a command unless it was taken before; resolves when it and all before it are completed. */
  deliver(command: AgentCommand): Promise<void> {
    // A platform that lost its data knows this program as another agent, and counts anew.
    if (command.agentId !== this.#agentId) this.#newest = 0;
    this.#agentId = command.agentId;
    const ended = this.#seen.get(command.id);
    const taken = this.#seen.has(command.id) ? { fence: ended?.fence } : undefined;
    if (dealingWith(command.fence, taken, this.#newest) === 'nothing') return this.#last;
    const number = numberOf(command.fence);
    if (Number.isFinite(number)) this.#newest = Math.max(this.#newest, number);
    // What was done under a fence that is no longer good is not done again, but told again under the new one.
    const work = ended ? () => this.#tell(command, ended.outcome, ended.result) : () => this.#do(command);
    this.#seen.set(command.id, ended && { ...ended, fence: command.fence });
    if (this.#seen.size > REMEMBERED) this.#seen.delete(this.#seen.keys().next().value as string);
    this.#last = this.#last.then(work);
    return this.#last;
  }

  async #do(command: AgentCommand): Promise<void> {
    const handler = this.#handlers.get(command.name);
    if (!handler) return this.#tell(command, 'REFUSED', { message: `this agent knows no command ${command.name}` });
    let outcome: CommandOutcome = 'DONE';
    let result: unknown;
    try {
      result = await handler((command.arguments ?? {}) as Record<string, unknown>, command);
    } catch (error) {
      outcome = error instanceof CommandRefused ? 'REFUSED' : 'FAILED';
      result = { message: error instanceof Error ? error.message : String(error) };
    }
    await this.#tell(command, outcome, result);
  }

  async #tell(command: AgentCommand, outcome: CommandOutcome, result: unknown): Promise<void> {
    this.#seen.set(command.id, { fence: command.fence, outcome, result });
    await this.complete(command, outcome, result);
  }
}
