import { z } from 'zod';

const MAX_CLIENTS = 1_000;

/** One flag as the file has it. Words and meaning of `state` and `defaultVariant` are flagd's. */
export const FLAG_RULE = z
  .strictObject({
    /** DISABLED: as if it were not in the file. */
    state: z.enum(['ENABLED', 'DISABLED']).default('ENABLED'),
    /** What those get who are neither listed nor in the percentage. */
    defaultVariant: z.enum(['on', 'off']).default('off'),
    /** Share of callers it is on for, 0 to 100. */
    percentage: z.number().min(0).max(100).optional(),
    /** Ids of callers it is on for. */
    clients: z.array(z.string().min(1).max(256)).max(MAX_CLIENTS).default([]),
    /** Counts the changes; 0 before the first. */
    version: z.int().min(0).default(0),
    /** When it was changed last. */
    updatedAt: z.iso.datetime().optional(),
  })
  .refine(({ defaultVariant, percentage, clients }) => {
    return defaultVariant === 'off' || (percentage === undefined && clients.length === 0);
  }, 'a flag that is on for all has neither a percentage nor clients');

export type FlagRule = z.infer<typeof FLAG_RULE>;

/** A rule ready to be asked: for all alike, or by caller. */
export type CompiledRule = boolean | { clients: ReadonlySet<string>; below: number; salt: number };

const SPACE = 2 ** 32;

/** @param rule undefined where the file says nothing: then the catalogue's default holds */
export function compileRule(name: string, rule: FlagRule | undefined, isOnByDefault: boolean): CompiledRule {
  if (rule === undefined || rule.state === 'DISABLED') return isOnByDefault;
  if (rule.defaultVariant === 'on' || rule.percentage === 100) return true;
  const below = ((rule.percentage ?? 0) / 100) * SPACE;
  if (below === 0 && rule.clients.length === 0) return false;
  return { clients: new Set(rule.clients), below, salt: hash(name, 0x811c9dc5) };
}

/**
 * Whether a rule is on for a caller; for nobody in particular, only when it is for all. A caller's place in the percentage is
 * the same in every process, for all time, and another for each flag.
 */
export function judge(rule: CompiledRule, callerId: string | undefined): boolean {
  if (typeof rule === 'boolean') return rule;
  if (callerId === undefined) return false;
  return rule.clients.has(callerId) || mixed(hash(callerId, rule.salt)) < rule.below;
}

/** FNV-1a over UTF-16 units. Source: RFC 9923. */
function hash(text: string, seed: number): number {
  let state = seed;
  for (let at = 0; at < text.length; at++) state = Math.imul(state ^ text.charCodeAt(at), 0x01000193);
  return state >>> 0;
}

/** FNV's high bits barely move with the last characters; murmur3's finalizer spreads them. */
function mixed(value: number): number {
  let state = value;
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  return (state ^ (state >>> 16)) >>> 0;
}
