import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { type Block, ROOT } from './blocks.ts';

/** What every example in Python takes for granted. */
const GRANTED = `token = "a token"
url = "http://127.0.0.1:4000"
traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
`;

/**
 * Runs an example in Python until it ends; one that waits for its agent's end is told to end, as a service would be.
 * @param lives resolves once the example has done what it is about
 * @returns its exit code and what it complained of
 */
export async function runPython({ given, text }: Block, url: string, lives: () => Promise<unknown>) {
  const program = `${GRANTED}${given}${text}`.replaceAll('http://127.0.0.1:4000', url);
  const child = spawn('python3', ['-B', '-W', 'error', '-c', program], {
    env: { ...process.env, PYTHONPATH: path.join(ROOT, 'sdk/python') },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let complained = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complained += chunk.toString();
  });
  const closed = once(child, 'close');
  if (/\.wait\(\)/.test(text)) void lives().then(() => child.kill('SIGTERM'));
  const [code] = await closed;
  return { code: code as number, complained };
}
