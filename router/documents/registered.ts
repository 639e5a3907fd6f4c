import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { parse, stripIgnoredCharacters } from 'graphql';
import { messageOf } from '../../lib/errors.ts';
import { ByteCache } from '../plan/byte-cache.ts';
import { hashOf } from './documents.ts';

/** What a list may take in all, bytes. */
const MAX_BYTES = 64_000_000;
const REMEMBERED_BYTES = 4_000_000;
/** A text may be so many times the longest in the list and still be one of it, written with more blanks. */
const MOST_BLANKS = 2;

/** Operations that are known from the start, by their names and by their texts. */
export class RegisteredOperations {
  readonly #texts: ReadonlyMap<string, string>;
  readonly #bare: ReadonlySet<string>;
  readonly #longest: number;
  readonly #judged = new ByteCache<boolean>(REMEMBERED_BYTES);

  /** @param operations name (most often the text's SHA-256) → text */
  constructor(operations: ReadonlyMap<string, string>) {
    this.#texts = operations;
    const texts = [...operations.values()];
    this.#bare = new Set(texts.map((text) => stripIgnoredCharacters(text)));
    this.#longest = Math.max(0, ...texts.map((text) => text.length));
  }

  /** How many there are. */
  get size(): number {
    return this.#texts.size;
  }

  textOf(name: string): string | undefined {
    return this.#texts.get(name);
  }

  /** Whether a text is one of the list, apart from blanks and comments. */
  has(text: string): boolean {
    if (text.length > MOST_BLANKS * this.#longest) return false;
    const judged = this.#judged.get(text);
    if (judged !== undefined) return judged;
    const isListed = this.#bare.has(bare(text));
    this.#judged.set(text, isListed, 2 * text.length + 100);
    return isListed;
  }
}

/** Without blanks and comments; what is no GraphQL stays as it is. */
function bare(text: string): string {
  try {
    return stripIgnoredCharacters(text);
  } catch {
    return text;
  }
}

interface Manifest {
  format?: unknown;
  operations?: unknown;
}

/**
 * Reads a list: a manifest (`apollo-persisted-query-manifest`), or a folder of manifests (`.json`) and operations (`.graphql`,
 * each by the SHA-256 of its text).
 * @throws Error naming the file that cannot be read
 */
export function readRegistered(place: string): RegisteredOperations {
  const operations = new Map<string, string>();
  let sizeBytes = 0;
  for (const file of filesAt(place)) {
    try {
      const text = readFileSync(file, 'utf8');
      sizeBytes += text.length;
      if (sizeBytes > MAX_BYTES) throw new Error(`the list is over ${MAX_BYTES} bytes`);
      for (const [name, body] of file.endsWith('.json') ? operationsOf(text) : [[hashOf(text), text] as const]) {
        parse(body, { noLocation: true });
        operations.set(name, body);
      }
    } catch (error) {
      throw new Error(`${file} is no list of operations: ${messageOf(error)}`);
    }
  }
  return new RegisteredOperations(operations);
}

function filesAt(place: string): string[] {
  if (!statSync(place).isDirectory()) return [place];
  return readdirSync(place, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(graphql|gql|json)$/.test(file))
    .sort()
    .map((file) => path.join(place, file));
}

function operationsOf(text: string): [string, string][] {
  const { format, operations } = JSON.parse(text) as Manifest;
  if (format !== 'apollo-persisted-query-manifest' || !Array.isArray(operations)) {
    throw new Error('expected { "format": "apollo-persisted-query-manifest", "version": 1, "operations": [ … ] }');
  }
  return operations.map(({ id, body }: { id?: unknown; body?: unknown }) => {
    if (typeof id !== 'string' || typeof body !== 'string') throw new Error('an operation has an id and a body');
    return [id, body];
  });
}
