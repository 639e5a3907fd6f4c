import { patchOf } from './json-patch.ts';

/** Beyond so many parts of one entry only the places above are kept: who asks for a part deep in a larger value finds its top. */
const MAX_PARTS = 1_000;

/**
 * The parts that a change touched, as JSON pointers without repeats: each step of it with all that it lies in, and what a value
 * that came or went whole consists of. So a question for `/config` finds a change of `/config/model`, and one for
 * `/config/model` finds the day the agent came with it.
 */
export function changedParts(before: unknown, after: unknown): string[] {
  const parts = new Set<string>();
  for (const { path, value, oldValue } of patchOf(before, after)) {
    for (let at = path; at; at = at.slice(0, at.lastIndexOf('/'))) parts.add(at);
    for (const whole of [value, oldValue]) addParts(parts, path, whole);
  }
  return [...parts];
}

function addParts(parts: Set<string>, path: string, value: unknown): void {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return;
  for (const [name, part] of Object.entries(value)) {
    if (parts.size >= MAX_PARTS) return;
    const at = `${path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    parts.add(at);
    addParts(parts, at, part);
  }
}
