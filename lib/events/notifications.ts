import { Client } from 'pg';
import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';

const RETRY_MS = 500;

/** Listens to PostgreSQL's notifications of one schema on a connection of its own, and comes back when it breaks. */
export class Notifications {
  readonly #listeners = new Map<string, Set<() => void>>();
  #client: Client | undefined;
  #stopped = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(
    private readonly url: string,
    private readonly schema: string,
    private readonly log: Log,
  ) {}

  /** Calls `listener` on each notification of this name, and after each reconnect, for what was missed meanwhile. */
  on(name: string, listener: () => void): () => void {
    const channel = `${name}_${this.schema}`;
    const known = this.#listeners.get(channel);
    const set = known ?? new Set();
    set.add(listener);
    this.#listeners.set(channel, set);
    if (!known && this.#client) void this.#client.query(`listen ${channel}`).catch(() => undefined);
    return () => set.delete(listener);
  }

  start(): void {
    void this.#connect();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#retry);
    await this.#client?.end().catch(() => undefined);
  }

  async #connect(): Promise<void> {
    if (this.#stopped) return;
    const client = new Client({
      connectionString: this.url,
      application_name: `fleetgraph ${this.schema} listen`,
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
    });
    client.on('error', () => this.#reconnect(client));
    client.on('end', () => this.#reconnect(client));
    client.on('notification', ({ channel }) => this.#tell(channel));
    try {
      await client.connect();
      for (const channel of this.#listeners.keys()) await client.query(`listen ${channel}`);
      this.#client = client;
      for (const channel of this.#listeners.keys()) this.#tell(channel);
      if (this.#stopped) await client.end();
    } catch (error) {
      this.log.debug('notifications.waiting', { error: messageOf(error) });
      this.#reconnect(client);
    }
  }

  #reconnect(client: Client): void {
    if (this.#client === client) this.#client = undefined;
    client.removeAllListeners('end');
    void client.end().catch(() => undefined);
    if (this.#stopped) return;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => void this.#connect(), RETRY_MS);
  }

  #tell(channel: string): void {
    for (const listener of this.#listeners.get(channel) ?? []) listener();
  }
}
