import type { ConnectionOptions, NatsConnection } from '@nats-io/transport-node';
import { FleetError } from '../../../../lib/errors.ts';
import type { BridgeMessage, BridgeTarget } from './message.ts';

const TIMEOUT_MS = 5_000;

/**
 * A subject of NATS that a JetStream stream takes: each message is acknowledged once it is stored. `Nats-Msg-Id` lets the server keep
 * one of those that come twice within its window, and a consumer all the others.
 */
export class NatsTarget implements BridgeTarget {
  readonly #subject: string;
  #connection: Promise<NatsConnection> | undefined;

  /** @param url nats or nats+tls, with the subject in `?subject=` and credentials before the host */
  constructor(private readonly url: URL) {
    this.#subject = url.searchParams.get('subject') ?? 'fleet.errors';
  }

  async send(messages: readonly BridgeMessage[]): Promise<void> {
    const { headers } = await import('@nats-io/transport-node');
    const connection = await this.#open();
    try {
      // One after the other: what is not stored must not be overtaken.
      for (const { id, body } of messages) {
        const named = headers();
        named.set('Nats-Msg-Id', id);
        const answer = await connection.request(this.#subject, body, { headers: named, timeout: TIMEOUT_MS });
        const { error } = answer.json<{ error?: { description?: string } }>();
        if (error) throw new FleetError('SUBGRAPH_UNAVAILABLE', `the stream refused it: ${error.description}`);
      }
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    await (await connection?.catch(() => undefined))?.close();
  }

  #open(): Promise<NatsConnection> {
    this.#connection ??= import('@nats-io/transport-node')
      .then(({ connect }) => connect(optionsOf(this.url)))
      .catch((error: unknown) => {
        this.#connection = undefined;
        throw error;
      });
    return this.#connection;
  }
}

function optionsOf({ host, protocol, username, password }: URL): ConnectionOptions {
  const [user, pass] = [username, password].map(decodeURIComponent) as [string, string];
  return {
    servers: host,
    name: 'fleetgraph',
    timeout: TIMEOUT_MS,
    // The bridge itself tries again, with its own pauses.
    reconnect: false,
    ...(protocol === 'nats+tls:' ? { tls: {} } : {}),
    // A name alone is a token, as in the addresses of NATS' own tools.
    ...(pass ? { user, pass } : user ? { token: user } : {}),
  };
}
