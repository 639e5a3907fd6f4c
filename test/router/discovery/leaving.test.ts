import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HouseClient } from '../../../lib/call/house-client.ts';
import { deriveKey } from '../../../lib/call/signing.ts';
import { systemClock } from '../../../lib/clock.ts';
import { fixedFlags } from '../../../lib/flags/index.ts';
import { silentLog } from '../../../lib/log.ts';
import { Registrant } from '../../../router/discovery/registrant.ts';
import { until } from '../../support/until.ts';
import { type Lighthouse, openLighthouse } from '../schema/support.ts';

const KEY = deriveKey('a secret of tests, thirty-two characters or more', 'call:router');
const ANSWER_MS = 5;

/** One replica of the subgraph `light`, which registers itself and leaves as a process does that is told to stop. */
class Replica {
  received = 0;
  #registrant: Registrant | undefined;
  readonly #server: Server = createServer((request, response) => {
    this.received += 1;
    request.resume().on('end', () => {
      response.setHeader('content-type', 'application/json');
      // So that calls are under way when it leaves.
      setTimeout(() => response.end('{"data":{"light":"on"}}'), ANSWER_MS);
    });
  });

  async join(router: HouseClient): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/graphql`;
    const registration = { subgraph: 'light', url, leaseSeconds: 60 };
    this.#registrant = new Registrant({ router, registration, clock: systemClock, log: silentLog });
    this.#registrant.start();
    await until(() => this.received > 0);
  }

  async leave(): Promise<void> {
    await this.#registrant?.stop();
    // Waits for what is under way, and takes nothing more.
    await new Promise((resolve) => {
      this.#server.close(resolve);
      this.#server.closeIdleConnections();
    });
  }
}

let house: Lighthouse;
let client: HouseClient;
beforeEach(async () => {
  house = await openLighthouse({
    discovery: { registrationKeys: [KEY] },
    // A call that was lost would be sent once more, and not be seen.
    flags: fixedFlags({ 'router.retries': false, 'router.dedup': false, 'router.stale-if-error': false }),
  });
  client = new HouseClient('router', house.router.url, KEY, () => systemClock.nowMs());
});
afterEach(async () => {
  client.close();
  await house.stop();
});

test('replicas come and go under load, and no request is lost', async () => {
  let isOver = false;
  const answers: string[] = [];
  const asking = Array.from({ length: 8 }, async () => {
    while (!isOver) answers.push(JSON.stringify(await house.ask('{ light }')));
  });
  let staying = new Replica();
  await staying.join(client);
  for (let round = 0; round < 8; round++) {
    const next = new Replica();
    await next.join(client);
    await staying.leave();
    staying = next;
  }
  isOver = true;
  await Promise.all(asking);
  expect(answers.filter((answer) => answer !== '{"status":200,"data":{"light":"on"}}')).toEqual([]);
  expect(answers.length).toBeGreaterThan(50);
  expect(house.router.guard.circuits.get('light')?.history).toEqual([]);
  await staying.leave();
});

test('a replica that is gone without a word is called no more once its lease is over', async () => {
  const url = 'http://127.0.0.1:1/graphql';
  const replicas = () => house.router.guard.circuits.get('light')?.replicas.map((each) => each.url) ?? [];
  const living = new Replica();
  await Promise.all([
    living.join(client),
    until(async () => {
      await house.ask('{ light }');
      return living.received > 0;
    }),
  ]);
  const registration = { subgraph: 'light', url, leaseSeconds: 1 };
  const lost = new Registrant({ router: client, registration, clock: systemClock, log: silentLog });
  lost.start();
  await until(() => replicas().includes(url));
  // Killed: it renews no more, and says no word.
  const { send } = client;
  client.send = () => Promise.reject(new Error('gone'));
  await lost.stop();
  client.send = send;
  await until(() => !replicas().includes(url));
  expect(await house.ask('{ light }')).toEqual({ status: 200, data: { light: 'on' } });
  await living.leave();
});
