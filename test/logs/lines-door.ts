import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HouseClient } from '../../lib/call/house-client.ts';
import { callOf } from '../support/house.ts';

/** What becomes of an answer: it is given, lost with its connection after the lines were stored, or a refusal. */
export type Fate = 'given' | 'lost' | 'busy';

/** A public port for `POST /v1/logs/lines` alone, whose answers a test loses. */
export class LinesDoor {
  asked = 0;
  lost = 0;
  /** @param asked how many came, with this one */
  fate: (asked: number) => Fate = () => 'given';
  readonly #server: Server;

  constructor(private readonly house: HouseClient) {
    this.#server = createServer((request, response) => {
      void (async () => {
        this.asked += 1;
        const fate = this.fate(this.asked);
        if (fate === 'busy') return response.writeHead(429, { 'retry-after': '0' }).end('{}');
        const answer = await this.#pass(request).catch(() => undefined);
        if (!answer) return request.socket.destroy();
        if (fate === 'lost') {
          this.lost += 1;
          return request.socket.destroy();
        }
        return response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
      })();
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  start(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** As the router does it: a signed call with what the headers ask for. */
  async #pass(request: IncomingMessage) {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const idempotencyKey = request.headers['idempotency-key'] as string;
    const headers = {
      'content-type': request.headers['content-type'] as string,
      'x-fleet-service': String(request.headers['x-fleet-service'] ?? ''),
    };
    return await this.house.send('POST /v1/logs/lines', {
      call: callOf({ idempotencyKey }),
      body: Buffer.concat(chunks),
      headers,
    });
  }
}
