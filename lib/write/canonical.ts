import { createHash } from 'node:crypto';

/** JSON with sorted keys and without undefined: equal values give equal text (RFC 8785 for what JSON.stringify writes). */
export function canonicalJson(value: unknown): string {
  if (value instanceof Date) return JSON.stringify(value);
  if (Array.isArray(value))
    return `[${value.map((item) => canonicalJson(item === undefined ? null : item)).join(',')}]`;
  if (value && typeof value === 'object') {
    const fields = Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`);
    return `{${fields.join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}

/** SHA-256 of a mutation's arguments, without the key that only names the attempt. */
export function argumentsHash(args: object): string {
  const { clientMutationId: _, ...rest } = args as { clientMutationId?: unknown };
  return createHash('sha256').update(canonicalJson(rest)).digest('hex');
}
