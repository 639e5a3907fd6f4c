import type { AgentCommand, CommandOutcome } from './operations.ts';

/** Thrown by a handler that will not do what it is asked; the command ends as REFUSED. */
export class CommandRefused extends Error {}

export type CommandHandler = (args: Record<string, unknown>, command: AgentCommand) => unknown;

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

  /** @param complete tells the platform how a command ended; must not throw */
  constructor(
    private readonly complete: (command: AgentCommand, outcome: CommandOutcome, result: unknown) => Promise<void>,
  ) {}

  on(name: string, handler: CommandHandler): void {
    this.#handlers.set(name, handler);
  }

  /** Takes a command unless it was taken before; resolves when it and all before it are completed. */
  deliver(command: AgentCommand): Promise<void> {
    const ended = this.#seen.get(command.id);
    if (this.#seen.has(command.id) && (!ended || ended.fence === command.fence)) return this.#last;
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
