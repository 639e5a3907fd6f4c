import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from '../../lib/postgres/local.ts';
import { until } from './until.ts';

/** Whether this machine has an etcd to test with. */
export const hasEtcd = spawnSync('etcd', ['--version']).status === 0;

/** An etcd of a test's own, on free ports. */
export interface TestEtcd {
  url: string;
  post(path: string, body: object): Promise<Record<string, unknown>>;
  put(key: string, value: string, lease?: string): Promise<void>;
  remove(key: string): Promise<void>;
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
  /** Starts it again at the same address, with or without what it had. */
  restart(options: { keepsData: boolean }): Promise<void>;
  stop(): Promise<void>;
}

const encoded = (text: string) => Buffer.from(text).toString('base64');

export async function startEtcd(): Promise<TestEtcd> {
  const [client, peer] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${client}`;
  const folder = mkdtempSync(path.join(tmpdir(), 'etcd-'));
  const data = path.join(folder, 'data');
  const start = async () => {
    const peers = `http://127.0.0.1:${peer}`;
    const server = spawn(
      'etcd',
      [
        ...['--data-dir', data, '--name', 'test', '--listen-client-urls', url, '--advertise-client-urls', url],
        ...['--listen-peer-urls', peers, '--initial-advertise-peer-urls', peers, '--initial-cluster', `test=${peers}`],
      ],
      { cwd: folder, stdio: 'ignore' },
    );
    const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
    await until(async () => (await fetch(`${url}/health`).catch(() => undefined))?.ok);
    return { server, ended };
  };
  let running = await start();
  const post = async (at: string, body: object) => {
    const response = await fetch(`${url}/v3/${at}`, { method: 'POST', body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`etcd answered ${response.status}: ${await response.text()}`);
    return (await response.json()) as Record<string, unknown>;
  };
  const kill = async () => {
    running.server.kill('SIGKILL');
    await running.ended;
  };
  return {
    url,
    post,
    async put(key, value, lease) {
      await post('kv/put', { key: encoded(key), value: encoded(value), ...(lease === undefined ? {} : { lease }) });
    },
    async remove(key) {
      await post('kv/deleterange', { key: encoded(key) });
    },
    kill,
    async restart({ keepsData }) {
      if (!keepsData) rmSync(data, { recursive: true, force: true });
      running = await start();
    },
    async stop() {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
