import { readFile, stat } from 'node:fs/promises';
import { messageOf } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import { Worker } from '../../lib/worker.ts';
import type { Discovery, Findings } from './discovery.ts';
import { parseFindings } from './findings.ts';

const LOOK_MS = 500;
const MAX_BYTES = 20_000_000;

/** Subgraphs listed in a JSON file that is watched; one that is away or wrong changes nothing. */
export class FileDiscovery implements Discovery {
  constructor(
    private readonly path: string,
    private readonly log: Log,
  ) {}

  watch(onChange: (findings: Findings) => void): () => void {
    let taken = '';
    const look = async () => {
      const { ino, mtimeMs, size } = await stat(this.path);
      const stamp = `${ino} ${mtimeMs} ${size}`;
      if (stamp === taken) return false;
      if (size > MAX_BYTES) throw new Error(`it has over ${MAX_BYTES} bytes`);
      const findings = parseFindings(await readFile(this.path, 'utf8'));
      taken = stamp;
      onChange(findings);
      return false;
    };
    const worker = new Worker(look, LOOK_MS, (error) =>
      this.log.warn('discovery.file.unread', { path: this.path, error: messageOf(error) }),
    );
    worker.start();
    return () => void worker.stop();
  }
}
