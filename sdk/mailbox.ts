import type { AgentCommand, CommandOutcome } from './operations.ts';

/** Thrown by a handler that will not do what it is asked; the command ends as REFUSED. */
export class CommandRefused extends Error {}

export type CommandHandler = (args: Record<string, unknown>, command: AgentCommand) => unknown;

const REMEMBERED = 1_000;

/**
 * Does an agent's commands one after the other, in the order they came, each once: the same command arrives by the stream and
 * in the answers to beats until it is completed.
 */
export class Mailbox {
  readonly #handlers = new Map<string, CommandHandler>();
  readonly #seen = new Set<string>();
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
    if (this.#seen.has(command.id)) return this.#last;
    this.#seen.add(command.id);
    if (this.#seen.size > REMEMBERED) this.#seen.delete(this.#seen.values().next().value as string);
    this.#last = this.#last.then(() => this.#do(command));
    return this.#last;
  }

  async #do(command: AgentCommand): Promise<void> {
    const handler = this.#handlers.get(command.name);
    if (!handler) return this.complete(command, 'REFUSED', { message: `this agent knows no command ${command.name}` });
    let outcome: CommandOutcome = 'DONE';
    let result: unknown;
    try {
      result = await handler((command.arguments ?? {}) as Record<string, unknown>, command);
    } catch (error) {
      outcome = error instanceof CommandRefused ? 'REFUSED' : 'FAILED';
      result = { message: error instanceof Error ? error.message : String(error) };
    }
    await this.complete(command, outcome, result);
  }
}
