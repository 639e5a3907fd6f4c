/** What JSON.parse gives. */
export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json | undefined;
}

/** Where something is in an answer. */
export type AnswerPath = readonly (string | number)[];

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** For what is told by root keys, of which a client may call one like a member that other objects inherit. */
export function emptyObject(): JsonObject {
  return Object.create(null) as JsonObject;
}

/** A key that would reach an object's prototype instead of the object. */
export const FORBIDDEN_KEY = '__proto__';

/** A copy that shares nothing. */
export function copyOf(value: Json): Json {
  if (Array.isArray(value)) return value.map(copyOf);
  if (!isJsonObject(value)) return value;
  const copy: JsonObject = {};
  for (const key of Object.keys(value)) {
    if (key !== FORBIDDEN_KEY) copy[key] = copyOf(value[key] ?? null);
  }
  return copy;
}

/**
 * Joins what several subgraphs said of the same thing: objects key by key, lists item by item; otherwise the later
 * word holds, except that null takes nothing back.
 */
export function joined(earlier: Json | undefined, later: Json | undefined): Json {
  if (later === undefined || later === null) return earlier ?? null;
  if (Array.isArray(earlier) && Array.isArray(later) && earlier.length === later.length) {
    for (let index = 0; index < later.length; index++) earlier[index] = joined(earlier[index], later[index]);
    return earlier;
  }
  if (!isJsonObject(earlier) || !isJsonObject(later)) return later;
  joinInto(earlier, later);
  return earlier;
}

/** Joins an object's keys into another; the target keeps references to the source's parts. */
export function joinInto(target: JsonObject, source: JsonObject): void {
  for (const key of Object.keys(source)) {
    if (key !== FORBIDDEN_KEY) target[key] = joined(target[key], source[key]);
  }
}
