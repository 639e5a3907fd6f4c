import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How a subgraph is: it answers, it takes calls and says nothing, or nobody listens. */
export type Health = 'well' | 'hung' | 'dead';

/** How long it takes to answer, milliseconds. */
const SERVICE_MS = 3;

/** A subgraph in a process of its own, made ill and well again by messages. */
function main(): void {
  let health: Health = 'well';
  const server = createServer((request, response) => {
    request.resume().once('end', () => {
      if (health !== 'well') return;
      setTimeout(() => {
        response.setHeader('content-type', 'application/json');
        response.end('{"data":{"land":"ho","sea":"calm"}}');
      }, SERVICE_MS);
    });
  });
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo;
    process.send?.(port);
    process.on('message', (next: Health) => {
      if (health === 'dead' && next !== 'dead') server.listen(port, '127.0.0.1');
      health = next;
      if (next === 'dead') server.close();
      // Whoever was kept waiting is let go of.
      server.closeAllConnections();
      process.send?.(next);
    });
  });
}

if (require.main === module) main();
