import { Agent, request } from 'node:http';
import { parentPort, workerData } from 'node:worker_threads';

/** Asks a hundred queries a second whatever becomes of them, and tells how long they took. In a thread of its own. */
const EVERY_MS = 10;
const agent = new Agent({ keepAlive: true });
const tookMs: number[] = [];
let failed = 0;

function ask(): void {
  const startedMs = performance.now();
  const asked = request(workerData, { method: 'POST', agent, headers: { 'content-type': 'application/json' } });
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
  asked.end('{"query":"{ sea }"}');
}

const asking = setInterval(ask, EVERY_MS);
parentPort?.once('message', () => {
  clearInterval(asking);
  tookMs.sort((a, b) => a - b);
  const at = (share: number) => tookMs[Math.floor(tookMs.length * share)];
  parentPort?.postMessage({ p50: at(0.5), p99: at(0.99), failed });
});
