/** What the audit trail tells of one thing: how it was at a time, and who made it so. */

export interface Change {
  op: string;
  path: string;
  value: unknown;
}

export interface PastEntry {
  id: string;
  occurredAt: string;
  actor: { id: string; name: string };
  action: string;
  reason: string | null;
  isDryRun: boolean;
  before: unknown;
  after: unknown;
  changes: Change[];
}

type Json = Record<string, unknown>;

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value as it grows by entries, oldest first, and the entry that each of its parts is from. */
export class History {
  /** Null before it was made, and after it was taken away. */
  value: unknown = null;
  /** JSON pointer of each part → the entry that wrote it last. */
  readonly blame = new Map<string, PastEntry>();

  /** @returns whether the entry changed it */
  add(entry: PastEntry): boolean {
    const { before, after, changes, isDryRun } = entry;
    // What was sent to it (a command) speaks of something else; a dry run changed nothing.
    if (isDryRun || (before === null && (after === null || this.value !== null))) return false;
    for (const { op, path, value } of changes) {
      for (const known of this.blame.keys()) if (isWithin(known, path)) this.blame.delete(known);
      if (op !== 'remove') for (const part of partsOf(path, value)) this.blame.set(part, entry);
    }
    this.value = isObject(after) ? { ...without(this.value, before, after), ...after } : after;
    return true;
  }
}

/** What an entry did to a part, to what is in it, or to what it is in. */
export function changesOf(entry: PastEntry, path: string): { path: string; value: unknown }[] {
  return entry.changes.flatMap((change) => {
    if (isWithin(change.path, path))
      return [{ path: change.path, value: change.op === 'remove' ? undefined : change.value }];
    if (!isWithin(path, change.path)) return [];
    const value = change.op === 'remove' ? undefined : valueAt(change.value, path.slice(change.path.length));
    return change.op === 'remove' || value !== undefined ? [{ path, value }] : [];
  });
}

/** Whether a part is the one at the path, or in it. */
export function isWithin(part: string, path: string): boolean {
  return part === path || part.startsWith(`${path}/`);
}

/** An entry tells the part that it knows: what it took away goes, what it does not speak of stays. */
function without(value: unknown, before: unknown, after: Json): Json {
  if (!isObject(value)) return {};
  const gone = isObject(before) ? Object.keys(before).filter((name) => !Object.hasOwn(after, name)) : [];
  return Object.fromEntries(Object.entries(value).filter(([name]) => !gone.includes(name)));
}

/** Pointers of everything in a value that is no object with something in it. */
function partsOf(path: string, value: unknown): string[] {
  if (!isObject(value) || !Object.keys(value).length) return [path];
  return Object.entries(value).flatMap(([name, part]) => partsOf(`${path}/${escaped(name)}`, part));
}

function escaped(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** The value a pointer leads to (RFC 6901); undefined where there is none. */
export function valueAt(value: unknown, path: string): unknown {
  return path
    .split('/')
    .slice(1)
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>(
      (part, name) =>
        typeof part === 'object' && part !== null && Object.hasOwn(part, name) ? (part as Json)[name] : undefined,
      value,
    );
}

/** What differs between two values, part by part; undefined where there is none. */
export function differences(from: unknown, to: unknown): { path: string; from: unknown; to: unknown }[] {
  const parts = new Set([...(from === null ? [] : partsOf('', from)), ...(to === null ? [] : partsOf('', to))]);
  return [...parts]
    .sort()
    .map((path) => ({ path, from: valueAt(from, path), to: valueAt(to, path) }))
    .filter((part) => JSON.stringify(part.from) !== JSON.stringify(part.to) && !isBranch(part));
}

/** A part that became an object, or was one: its own parts are told. */
function isBranch(part: { from: unknown; to: unknown }): boolean {
  const isFull = (value: unknown) => isObject(value) && Object.keys(value).length > 0;
  return isFull(part.from) || isFull(part.to);
}
