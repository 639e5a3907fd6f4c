import type { ProfileNode, ProfileTree } from './tree.ts';

/** What one function costs, wherever it is called. */
export interface FunctionCost {
  name: string;
  file: string;
  line: number;
  /** Microseconds or bytes of its own. */
  self: number;
  /** With what it calls; what it does by calling itself is counted once. */
  total: number;
}

/** The functions of a profile, the costliest first. */
export function costsOf({ root }: ProfileTree): FunctionCost[] {
  const costs = new Map<string, FunctionCost>();
  const below = new Map<ProfileNode, number>();
  const open = new Map<string, number>();
  const waiting: { node: ProfileNode; leaves: boolean }[] = [{ node: root, leaves: false }];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { node, leaves } = next;
    const key = keyOf(node);
    if (!leaves) {
      open.set(key, (open.get(key) ?? 0) + 1);
      waiting.push({ node, leaves: true });
      for (const child of node.children) waiting.push({ node: child, leaves: false });
      continue;
    }
    const total = node.children.reduce((sum, child) => sum + (below.get(child) ?? 0), node.self);
    below.set(node, total);
    const depth = (open.get(key) ?? 1) - 1;
    open.set(key, depth);
    const { name, file, line } = node;
    const cost = costs.get(key) ?? { name, file, line, self: 0, total: 0 };
    costs.set(key, cost);
    cost.self += node.self;
    if (depth === 0) cost.total += total;
  }
  return [...costs.values()]
    .filter(({ name, total }) => total > 0 && name !== '(root)')
    .sort((one, other) => other.self - one.self || other.total - one.total || (one.name < other.name ? -1 : 1));
}

/** A function of one file; its line may move from version to version, and is all that tells nameless ones apart. */
export function keyOf({ name, file, line }: Pick<ProfileNode, 'name' | 'file' | 'line'>): string {
  return name === '(anonymous)' ? `${name}\n${file}\n${line}` : `${name}\n${file}`;
}
