import { readFileSync } from 'node:fs';
import path from 'node:path';
import { hasAnyScope, type Principal } from './call/principal.ts';

/**
 * The one table of access: `Type.field` or `Type` → the scopes of which a caller needs any. A field without a row has its
 * type's; neither means nobody. It is written into every house's schema as `@access`, so router and house read the same.
 */
export type AccessTable = Readonly<Record<string, readonly string[]>>;

/** The table in schema/access.json. */
export function loadAccessTable(root: string): AccessTable {
  return JSON.parse(readFileSync(path.join(root, 'schema', 'access.json'), 'utf8')) as AccessTable;
}

/** The scopes that open a field; undefined when no row speaks of it. */
export function scopesOf(table: AccessTable, type: string, field: string): readonly string[] | undefined {
  return table[`${type}.${field}`] ?? table[type];
}

/** Whether this caller may read or call the field. Deny by default. */
export function mayAccess(table: AccessTable, principal: Principal, type: string, field: string): boolean {
  const scopes = scopesOf(table, type, field);
  return scopes !== undefined && hasAnyScope(principal, scopes);
}
