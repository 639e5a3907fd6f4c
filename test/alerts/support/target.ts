import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AnyShape } from '../../support/house.ts';

/** A webhook's receiver; what it answers may change. */
export class Target {
  readonly received: { path: string; headers: IncomingHttpHeaders; body: string; json: AnyShape }[] = [];
  status = 200;
  /** Whether it hangs up without an answer. */
  hangsUp = false;
  readonly #server: Server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    this.received.push({ path: request.url ?? '', headers: request.headers, body, json: JSON.parse(body) });
    if (this.hangsUp) request.socket.destroy();
    else response.writeHead(this.status, { location: '/elsewhere' }).end();
  });

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
