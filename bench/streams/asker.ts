import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parentPort } from 'node:worker_threads';

/**
 * Asks a hundred queries a second whatever becomes of them, answers for the subgraph they are of, and tells how long they
 * took. In a thread of its own: what those who come back take would be measured otherwise.
 */
const EVERY_MS = 10;
const agent = new Agent({ keepAlive: true });
const tookMs: number[] = [];
let failed = 0;

function ask(url: string): void {
  const startedMs = performance.now();
  const asked = request(url, { method: 'POST', agent, headers: { 'content-type': 'application/json' } });
  asked.on('error', () => {
    failed += 1;
  });
  asked.once('response', (response) => {
    if (response.statusCode !== 200) failed += 1;
    response.resume().once('end', () => {
      tookMs.push(performance.now() - startedMs);
      if (tookMs.length === 1) parentPort?.postMessage('asking');
    });
  });
  asked.end('{"query":"{ crews }"}');
}

let asking: NodeJS.Timeout | undefined;
parentPort?.on('message', (url: string) => {
  if (url !== 'stop') {
    asking = setInterval(() => ask(url), EVERY_MS);
    return;
  }
  clearInterval(asking);
  tookMs.sort((a, b) => a - b);
  const at = (share: number) => tookMs[Math.floor(tookMs.length * share)];
  parentPort?.postMessage({ p50: at(0.5), p99: at(0.99), failed });
});

const crews = createServer((asked, response) => {
  asked.resume();
  response.writeHead(200, { 'content-type': 'application/json' }).end('{"data":{"crews":1}}');
});
crews.listen(0, '127.0.0.1', () => {
  parentPort?.postMessage(`http://127.0.0.1:${(crews.address() as AddressInfo).port}/graphql`);
});
