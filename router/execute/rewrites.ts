import type { Rewrite } from '../plan/steps.ts';
import type { Supergraph } from '../supergraph/supergraph.ts';
import { isJsonObject, type Json } from './json.ts';
import { MAX_LISTS } from './places.ts';

/** Carries out one rewrite of a plan on a representation or an answer, in place, wherever its path leads. */
export function rewrite(value: Json | undefined, change: Rewrite, satisfies: Supergraph['satisfies']): void {
  walk(value, 0, 0);

  function walk(here: Json | undefined, at: number, lists: number): void {
    if (Array.isArray(here)) {
      if (lists < MAX_LISTS) for (const item of here) walk(item, at, lists + 1);
      return;
    }
    const step = change.path[at];
    if (!isJsonObject(here) || !step) return;
    if ('types' in step) {
      const type = here['__typename'];
      if (typeof type !== 'string' || step.types.some((each) => satisfies(type, each))) walk(here, at + 1, 0);
    } else if (at < change.path.length - 1) {
      walk(here[step.key], at + 1, 0);
    } else if (change.set !== undefined) {
      here[step.key] = change.set;
    } else if (change.rename !== undefined && step.key in here) {
      here[change.rename] = here[step.key];
      delete here[step.key];
    }
  }
}
