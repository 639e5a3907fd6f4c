import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A web sink; what it answers may change. */
export class SinkTarget {
  readonly received: { headers: IncomingHttpHeaders; body: string; status: number }[] = [];
  /** Ids of batches that were taken → lines. */
  readonly batches = new Map<string, string[]>();
  connections = 0;
  status = 200;
  readonly #server: Server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const { status } = this;
    this.received.push({ headers: request.headers, body, status });
    if (status === 200) this.batches.set(String(request.headers['webhook-id']), body.trimEnd().split('\n'));
    response.writeHead(status).end();
  });

  /** What was taken, each batch once, in the order it came. */
  get lines(): string[] {
    return [...this.batches.values()].flat();
  }

  get taken(): Set<string> {
    return new Set(this.lines);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async start(): Promise<void> {
    this.#server.on('connection', () => {
      this.connections += 1;
    });
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
