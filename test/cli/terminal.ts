import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import type { Surface } from '../../cli/context.ts';
import { run } from '../../cli/program.ts';

/** What a command wrote and how it ended. */
export interface Ran {
  out: string;
  err: string;
  code: number;
}

/** A terminal of its own for a command, with a package folder of its own. */
export class Terminal {
  readonly root = mkdtempSync(path.join(tmpdir(), 'fleetgraph-cli-'));
  out = '';
  err = '';
  code = 0;
  stdin = '';
  columns: number | undefined;
  /** Whether somebody sits there, who types what `stdin` says. */
  isAttended = false;
  #over = new AbortController();

  /** Runs one command line to its end. */
  async run(...words: string[]): Promise<Ran> {
    this.out = '';
    this.err = '';
    this.code = 0;
    this.#over = new AbortController();
    await run(words, this.#surface());
    return { out: this.out, err: this.err, code: this.code };
  }

  /** Nobody reads any longer. */
  hangUp(): void {
    this.#over.abort();
  }

  close(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  #surface(): Surface {
    const { columns } = this;
    const out = { write: (text: string | Uint8Array) => (this.out += text) };
    return {
      out: columns ? { ...out, isTTY: true, columns } : out,
      err: { write: (text) => (this.err += text), isTTY: this.isAttended },
      stdin: Object.assign(Readable.from([this.stdin]), { isTTY: this.isAttended }),
      signal: this.#over.signal,
      root: this.root,
      cwd: this.root,
      exit: (code) => {
        this.code = code;
      },
    };
  }
}
