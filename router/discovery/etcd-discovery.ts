import { messageOf } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import type { Pause } from '../subscribe/pause.ts';
import { DISCOVERY_LIMITS, type Discovery, type Findings, type Found } from './discovery.ts';
import { FOUND } from './findings.ts';

export interface EtcdDiscoveryOptions {
  /** http://host:2379 */
  url: string;
  /** Keys are `<prefix><subgraph>/<replica>`, values `{"urls":[…],"sdl":"…"}`. */
  prefix: string;
  pause: Pause;
  log: Log;
}

interface KeyValue {
  key: string;
  value?: string;
}

const AGAIN_MS = 1_000;
const ASK_MS = 5_000;
const MAX_LINE_BYTES = 16_000_000;

/**
 * Subgraphs and replicas by etcd's JSON gateway (v3): all keys of a prefix, then each change as it happens. A replica's key
 * that goes, because its lease ended, takes it away. While etcd is away, and when it comes back without any key, what was
 * known last holds.
 */
export class EtcdDiscovery implements Discovery {
  constructor(private readonly options: EtcdDiscoveryOptions) {}

  watch(onChange: (findings: Findings) => void): () => void {
    const leaving = new AbortController();
    void this.#follow(onChange, leaving.signal);
    return () => leaving.abort();
  }

  async #follow(onChange: (findings: Findings) => void, signal: AbortSignal): Promise<void> {
    const { pause, log } = this.options;
    while (!signal.aborted) {
      try {
        await this.#read(onChange, signal);
      } catch (error) {
        if (!signal.aborted) log.warn('discovery.etcd.away', { error: messageOf(error) });
      }
      await pause(AGAIN_MS, signal);
    }
  }

  /** Everything, and what changes after it; returns or throws when etcd ends it. */
  async #read(onChange: (findings: Findings) => void, signal: AbortSignal): Promise<void> {
    const range = { key: encoded(this.options.prefix), range_end: encoded(after(this.options.prefix)) };
    const asked = await this.#post('range', range, AbortSignal.any([signal, AbortSignal.timeout(ASK_MS)]));
    const { header, kvs = [] } = (await asked.json()) as { header: { revision: string }; kvs?: KeyValue[] };
    // Each value is read once: with a schema in every one, all of them at each change would hold the loop.
    const known = new Map(kvs.map((each) => this.#entryOf(each)));
    // An empty store is one that lost its data, or was never filled: no reason to call nobody.
    if (known.size > 0) onChange(this.#findingsOf(known));
    const next = { create_request: { ...range, start_revision: String(Number(header.revision) + 1) } };
    const changes = await this.#post('watch', next, signal);
    for await (const line of linesOf(changes.body as ReadableStream<Uint8Array>)) {
      const { result, error } = JSON.parse(line) as WatchLine;
      if (!result || result.canceled) throw new Error(error?.message ?? 'the watch was ended');
      for (const { type, kv } of result.events ?? []) {
        if (type === 'DELETE') known.delete(decoded(kv.key));
        else known.set(...this.#entryOf(kv));
      }
      if (result.events?.length) onChange(this.#findingsOf(known));
    }
  }

  async #post(method: string, body: object, signal: AbortSignal): Promise<Response> {
    const { url } = this.options;
    const path = method === 'watch' ? 'watch' : `kv/${method}`;
    const response = await fetch(new URL(`/v3/${path}`, url), {
      method: 'POST',
      body: JSON.stringify(body),
      redirect: 'error',
      signal,
    });
    if (!response.ok) throw new Error(`etcd answered ${response.status}`);
    return response;
  }

  #findingsOf(known: ReadonlyMap<string, Found | undefined>): Findings {
    const found: Record<string, Found> = {};
    for (const [key, replica] of [...known].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const [subgraph = ''] = key.slice(this.options.prefix.length).split('/');
      if (!replica || (!found[subgraph] && Object.keys(found).length >= DISCOVERY_LIMITS.subgraphs)) continue;
      const before = found[subgraph];
      const urls = [...new Set([...(before?.urls ?? []), ...replica.urls])].slice(0, DISCOVERY_LIMITS.replicas);
      const sdl = replica.sdl ?? before?.sdl;
      found[subgraph] = sdl === undefined ? { urls } : { urls, sdl };
    }
    return found;
  }

  /** A key, and what its value says: undefined when it cannot be read. */
  #entryOf({ key: encodedKey, value = '' }: KeyValue): [string, Found | undefined] {
    const key = decoded(encodedKey);
    try {
      return [key, FOUND.parse(JSON.parse(decoded(value)))];
    } catch (error) {
      this.options.log.warn('discovery.etcd.unread', { key, error: messageOf(error) });
      return [key, undefined];
    }
  }
}

interface WatchLine {
  result?: { canceled?: boolean; events?: { type?: 'DELETE' | 'PUT'; kv: KeyValue }[] };
  error?: { message?: string };
}

/** The first key after all that begin with this one. */
function after(prefix: string): string {
  const last = prefix.length - 1;
  return prefix.slice(0, last) + String.fromCharCode(prefix.charCodeAt(last) + 1);
}

function encoded(text: string): string {
  return Buffer.from(text).toString('base64');
}

function decoded(text: string): string {
  return Buffer.from(text, 'base64').toString();
}

async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    rest += decoder.decode(chunk as Uint8Array, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > MAX_LINE_BYTES) throw new Error('one change is too large');
    yield* lines.filter((line) => line !== '');
  }
}
