import type { HouseClient } from '../../lib/call/house-client.ts';
import { systemPrincipal } from '../../lib/call/principal.ts';
import type { Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import { Worker } from '../../lib/worker.ts';
import { REPLICAS_ROUTE } from './registrar.ts';
import type { Registration } from './registrations.ts';

export interface RegistrantOptions {
  /** Signs as calls to `router` are signed. */
  router: HouseClient;
  registration: Registration;
  clock: Clock;
  log: Log;
}

const TIMEOUT_MS = 3_000;

/** A replica that registers itself: renews three times within its lease, and leaves when it stops. */
export class Registrant {
  readonly #worker: Worker;

  constructor(private readonly options: RegistrantOptions) {
    const { registration, log } = options;
    this.#worker = new Worker(
      async () => {
        await this.#send(registration);
        return false;
      },
      (1_000 * registration.leaseSeconds) / 3,
      (error) => log.warn('registration.failed', { subgraph: registration.subgraph, error: messageOf(error) }),
    );
  }

  start(): void {
    this.#worker.start();
  }

  /** A router that cannot be told takes the replica away when its lease ends. */
  async stop(): Promise<void> {
    const { registration, log } = this.options;
    await this.#worker.stop();
    await this.#send({ ...registration, leaseSeconds: 0 }).catch((error: unknown) =>
      log.warn('registration.failed', { subgraph: registration.subgraph, error: messageOf(error) }),
    );
  }

  async #send(registration: Registration): Promise<void> {
    const { router, clock } = this.options;
    const { status } = await router.send(REPLICAS_ROUTE, {
      call: { principal: systemPrincipal(registration.subgraph), requestId: clock.uuid() },
      body: JSON.stringify(registration),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (status !== 200) throw new Error(`the router answered ${status}`);
  }
}
