import { type AgentCommand, errorAttributes, type FleetLink } from '../sdk/index.ts';
import type { Worker } from './worker.ts';

/** Longer than any recovery takes: then somebody on the host restarts the agent by hand. */
const PATIENCE_MS = 120_000;
/** How long a process takes to come up: image, interpreter, model client. */
const BOOT_MS = 5_000;

/**
 * What runs agents on a machine, as a kubelet or systemd would: an agent that was killed cannot hear the platform any more, so its host listens to
 * its mailbox for it and starts it again when told to.
 */
export class Host {
  constructor(
    private readonly link: FleetLink,
    private readonly ended: AbortSignal,
  ) {}

  /** Kills an agent; resolves when it was started again. */
  async crash(worker: Worker): Promise<void> {
    const { surroundings } = this.link;
    const { agent } = worker;
    const over = new AbortController();
    const end = () => over.abort();
    this.ended.addEventListener('abort', end);
    const patience = surroundings.sleep(PATIENCE_MS, over.signal);
    agent.tell('fatal', 'killed: out of memory', { 'process.exit.code': 137 });
    worker.crash();
    try {
      const command = await Promise.race([this.#restartOrder(worker, over.signal), patience.then(() => undefined)]);
      await surroundings.sleep(BOOT_MS, this.ended);
      if (this.ended.aborted) return;
      await agent.wake(command);
      agent.tell('info', 'started again', { 'restart.by': command ? 'platform' : 'host' });
    } finally {
      this.ended.removeEventListener('abort', end);
      over.abort();
    }
  }

  async #restartOrder({ agent }: Worker, signal: AbortSignal): Promise<AgentCommand | undefined> {
    while (!signal.aborted) {
      try {
        for await (const command of this.link.commands(agent, signal)) if (command.name === 'restart') return command;
      } catch (error) {
        agent.tell('warn', 'the host lost the mailbox', errorAttributes(error));
        await this.link.surroundings.sleep(5_000, signal);
      }
    }
    return undefined;
  }
}
