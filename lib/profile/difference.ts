import { costsOf, type FunctionCost, keyOf } from './top.ts';
import type { ProfileNode, ProfileTree } from './tree.ts';

/** What one function costs, as shares of the whole (0 to 1), and how that changed against a baseline. */
export interface CostShare {
  name: string;
  file: string;
  line: number;
  self: number;
  total: number;
  /** The share of its own now, less that of the baseline; absent without one. */
  selfChange?: number;
  totalChange?: number;
}

/** The functions of a profile as shares, the costliest first; with a baseline by how much they changed, and those that are gone too. */
export function sharesOf(tree: ProfileTree, baseline?: ProfileTree): CostShare[] {
  const now = costsOf(tree).map((cost) => shareOf(cost, tree.total));
  if (!baseline) return now;
  const before = new Map(costsOf(baseline).map((cost) => [keyOf(cost), shareOf(cost, baseline.total)]));
  const compared = now.map((cost): CostShare => {
    const old = before.get(keyOf(cost));
    before.delete(keyOf(cost));
    return { ...cost, selfChange: cost.self - (old?.self ?? 0), totalChange: cost.total - (old?.total ?? 0) };
  });
  const gone = [...before.values()].map((old) => ({
    ...{ ...old, self: 0, total: 0 },
    ...{ selfChange: -old.self, totalChange: -old.total },
  }));
  return [...compared, ...gone].sort(
    (one, other) => Math.abs(other.selfChange ?? 0) - Math.abs(one.selfChange ?? 0) || other.self - one.self,
  );
}

function shareOf({ name, file, line, self, total }: FunctionCost, whole: number): CostShare {
  return { name, file, line, self: whole ? self / whole : 0, total: whole ? total / whole : 0 };
}

/** One box of a flame graph: all calls of a function by the same callers. Shares are of the whole, 0 to 1. */
export interface Flame {
  name: string;
  file: string;
  line: number;
  share: number;
  /** Against the baseline's box by the same callers; absent without one. */
  change?: number;
  children: Flame[];
}

/**
 * The boxes of a profile, widest first. A differential flame graph's are those of the later profile, coloured by what changed
 * (B. Gregg, 2014); both are shares of their own whole, so that profiles of different length compare.
 * @param least share below which a box is not worth drawing
 */
export function flameOf(tree: ProfileTree, baseline: ProfileTree | undefined, least: number): Flame {
  const before = baseline && merged([baseline.root], baseline.total)[0];
  return flame(merged([tree.root], tree.total)[0] as Merged, before, baseline !== undefined, least);
}

interface Merged {
  node: ProfileNode;
  share: number;
  children: Merged[];
}

/** Siblings that are one function become one. */
function merged(siblings: readonly ProfileNode[], whole: number): Merged[] {
  // By hand: the command line runs on Node.js 20, which has no Map.groupBy.
  const groups = new Map<string, ProfileNode[]>();
  for (const node of siblings) {
    const group = groups.get(keyOf(node));
    if (group) group.push(node);
    else groups.set(keyOf(node), [node]);
  }
  return [...groups.values()].map((nodes) => {
    const children = merged(
      nodes.flatMap((node) => node.children),
      whole,
    );
    const self = nodes.reduce((sum, node) => sum + node.self, 0);
    const share = children.reduce((sum, child) => sum + child.share, whole ? self / whole : 0);
    return { node: nodes[0] as ProfileNode, share, children };
  });
}

function flame({ node, share, children }: Merged, before: Merged | undefined, compared: boolean, least: number): Flame {
  const { name, file, line } = node;
  const olds = new Map(before?.children.map((child) => [keyOf(child.node), child]));
  return {
    ...{ name, file, line, share },
    ...(compared ? { change: share - (before?.share ?? 0) } : {}),
    children: children
      .filter((child) => child.share >= least)
      .sort((one, other) => other.share - one.share)
      .map((child) => flame(child, olds.get(keyOf(child.node)), compared, least)),
  };
}
