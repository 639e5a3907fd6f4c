/** One step from an old value to a new one (RFC 6902), with the value it replaced. */
export interface PatchStep {
  op: 'add' | 'remove' | 'replace';
  /** JSON pointer (RFC 6901). */
  path: string;
  value?: unknown;
  oldValue?: unknown;
}

/**
 * The steps that make `after` of `before`, deepest change first told, in an order in which they apply. A null or absent side
 * is a whole that was made or taken away.
 */
export function jsonPatch(before: unknown, after: unknown, path = ''): PatchStep[] {
  if (isAbsent(before) && isAbsent(after)) return [];
  if (path === '' && isAbsent(before)) return [{ op: 'add', path, value: after }];
  if (path === '' && isAbsent(after)) return [{ op: 'remove', path, oldValue: before }];
  if (Array.isArray(before) && Array.isArray(after)) return arrayPatch(before, after, path);
  if (isObject(before) && isObject(after)) return objectPatch(before, after, path);
  return Object.is(before, after) ? [] : [{ op: 'replace', path, value: after, oldValue: before }];
}

type Fields = Record<string, unknown>;

function objectPatch(before: Fields, after: Fields, path: string): PatchStep[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return names.flatMap((name): PatchStep[] => {
    const at = `${path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    if (!Object.hasOwn(before, name)) return [{ op: 'add', path: at, value: after[name] }];
    if (!Object.hasOwn(after, name)) return [{ op: 'remove', path: at, oldValue: before[name] }];
    return jsonPatch(before[name], after[name], at);
  });
}

/** By place: what both have is compared, then the tail is added, or removed from the end. */
function arrayPatch(before: readonly unknown[], after: readonly unknown[], path: string): PatchStep[] {
  const both = Math.min(before.length, after.length);
  const changed = before.slice(0, both).flatMap((item, i) => jsonPatch(item, after[i], `${path}/${i}`));
  const added = after.slice(both).map((value, i): PatchStep => ({ op: 'add', path: `${path}/${both + i}`, value }));
  const removed = before.slice(both).map((oldValue, i): PatchStep => ({ op: 'remove', path: `${path}/${both + i}`, oldValue }));
  return [...changed, ...added, ...removed.reverse()];
}

function isAbsent(value: unknown): boolean {
  return value === null || value === undefined;
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
