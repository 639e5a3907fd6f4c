import { canonicalJson } from './write/canonical.ts';

/** One step from an old JSON value to a new one, RFC 6902, with the value before. */
export interface PatchStep {
  op: 'add' | 'remove' | 'replace';
  path: string;
  value?: unknown;
  oldValue?: unknown;
}

type Json = Record<string, unknown>;

function isObject(value: unknown): value is Json {
  return value !== null && typeof value === 'object' && !Array.isArray(value) && !(value instanceof Date);
}

/**
 * What turns `before` into `after`, by name; lists are replaced whole. Absent, undefined and null at the top mean nothing was
 * or is there: creating something is one `add` of the empty path.
 */
export function patchOf(before: unknown, after: unknown, path = ''): PatchStep[] {
  if (canonicalJson(before) === canonicalJson(after)) return [];
  if (before == null && path === '') return [{ op: 'add', path, value: after }];
  if (after == null && path === '') return [{ op: 'remove', path, oldValue: before }];
  if (!isObject(before) || !isObject(after)) return [{ op: 'replace', path, value: after, oldValue: before }];
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return names.flatMap((name) => {
    const at = `${path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    const [old, fresh] = [own(before, name), own(after, name)];
    if (old === undefined && fresh === undefined) return [];
    if (old === undefined) return [{ op: 'add' as const, path: at, value: fresh }];
    if (fresh === undefined) return [{ op: 'remove' as const, path: at, oldValue: old }];
    return patchOf(old, fresh, at);
  });
}

/** A value's own field: `{}` has no `valueOf` of its own. */
function own(value: Json, name: string): unknown {
  return Object.hasOwn(value, name) ? value[name] : undefined;
}
