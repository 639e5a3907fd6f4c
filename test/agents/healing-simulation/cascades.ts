import { type Ailing, type DependencyGraph, rootCauses } from '../../../subgraphs/agents/service/root-cause.ts';
import { Chance } from './chance.ts';

/** How often the injected root was named first. */
export interface CascadeTally {
  cascades: number;
  /** Cascades whose root was named first for most of those that fell ill by it. */
  named: number;
  /** The same, counted by each agent that fell ill. */
  victims: number;
  victimsNamed: number;
  /** Agents that fell ill by themselves at the same time, and that another was named for. */
  strangers: number;
  strangersMisnamed: number;
}

const MINUTE_MS = 60_000;

/** Injects cascades into random graphs: layers, delays, agents that cope, and others that are unwell by chance. */
export function injectCascades(seed: number, cascades: number): CascadeTally {
  const chance = new Chance(seed);
  const tally: CascadeTally = { cascades, named: 0, victims: 0, victimsNamed: 0, strangers: 0, strangersMisnamed: 0 };
  for (let injected = 0; injected < cascades; ) if (one(chance, tally)) injected += 1;
  return tally;
}

/** @returns false when nobody else fell ill: that is no cascade, and not counted */
function one(chance: Chance, tally: CascadeTally): boolean {
  const world = randomGraph(chance);
  const ailing = new Map<string, Ailing>();
  const root = chance.pick(world.ids.filter((id) => world.dependants(id).length > 0));
  const startMs = 10 * MINUTE_MS;
  spread(chance, world, root, startMs, ailing);
  const victims = [...ailing.keys()].filter((id) => id !== root);
  if (!victims.length) return false;
  const strangers = world.ids.filter((id) => !ailing.has(id) && chance.happens(0.04));
  for (const id of strangers)
    ailing.set(id, {
      id,
      sinceMs: startMs + chance.between(-10 * MINUTE_MS, MINUTE_MS),
      severity: chance.between(0.25, 0.8),
    });
  const found = rootCauses([...ailing.values()], world);
  const right = victims.filter((id) => found.get(id)?.[0]?.id === root).length;
  tally.victims += victims.length;
  tally.victimsNamed += right;
  const isOwn = found.get(root)?.[0]?.id === root;
  if (isOwn && right * 2 > victims.length) tally.named += 1;
  tally.strangers += strangers.length;
  tally.strangersMisnamed += strangers.filter((id) => found.get(id)?.[0]?.id !== id).length;
  return true;
}

/** Falls ill itself, noticed a while later, and so do most that need it, later still. */
function spread(chance: Chance, world: World, root: string, startMs: number, ailing: Map<string, Ailing>): void {
  // A silent agent is told only when its lease has ended.
  const noticedMs = startMs + (chance.happens(0.4) ? 6_000 : chance.between(500, 4_000));
  ailing.set(root, { id: root, sinceMs: noticedMs, severity: chance.between(0.4, 1) });
  let edge: [string, number][] = [[root, startMs]];
  while (edge.length) {
    const next: [string, number][] = [];
    for (const [id, atMs] of edge) {
      for (const dependant of world.dependants(id)) {
        // Some cope without what they need.
        if (ailing.has(dependant) || !chance.happens(id === root ? 0.9 : 0.75)) continue;
        const illMs = atMs + Math.exp(chance.normal() * 0.6) * 3_000;
        ailing.set(dependant, {
          id: dependant,
          sinceMs: illMs + chance.between(0, 3_000),
          severity: chance.between(0.25, 0.8),
        });
        next.push([dependant, illMs]);
      }
    }
    edge = next;
  }
}

interface World extends DependencyGraph {
  ids: readonly string[];
}

/** Layers of agents, each needing one to three of the layers below. */
function randomGraph(chance: Chance): World {
  const layers = Array.from({ length: chance.whole(3, 6) }, (_, layer) =>
    Array.from({ length: chance.whole(3, 14) }, (_each, at) => `${layer}-${at}`),
  );
  const [down, up] = [new Map<string, string[]>(), new Map<string, string[]>()];
  layers.forEach((layer, depth) => {
    const below = layers.slice(Math.max(0, depth - 2), depth).flat();
    for (const id of layer) {
      const needed = depth ? new Set(Array.from({ length: chance.whole(1, 4) }, () => chance.pick(below))) : [];
      down.set(id, [...needed]);
      for (const other of needed) up.set(other, [...(up.get(other) ?? []), id]);
    }
  });
  return { ids: layers.flat(), dependsOn: (id) => down.get(id) ?? [], dependants: (id) => up.get(id) ?? [] };
}
