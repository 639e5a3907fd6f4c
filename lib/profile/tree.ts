export type ProfileKind = 'CPU' | 'HEAP';

/** A function as it was called by the one above it. */
export interface ProfileNode {
  name: string;
  /** Path or address of the file; empty for what is the runtime's own. */
  file: string;
  /** From 1; 0: nobody knows. */
  line: number;
  /** Microseconds (CPU) or bytes (HEAP) of its own, without those it called. */
  self: number;
  children: ProfileNode[];
}

/** What a profile says, whoever made it. */
export interface ProfileTree {
  kind: ProfileKind;
  root: ProfileNode;
  /** The sum of all `self`: time in which nothing ran is not in it. */
  total: number;
  /** Looks at the stack, or allocations that were looked at. */
  samples: number;
}

const MAX_NODES = 50_000;
/** V8 looks no deeper than 255; what follows may recurse. */
const MAX_DEPTH = 400;
const MAX_SAMPLES = 200_000;
const MAX_NAME = 200;
const MAX_FILE = 500;
/** V8's name for time in which nothing ran. */
const IDLE = '(idle)';

type Shape = Record<string, unknown>;

/** What was given is no profile, or greater than any of ours. */
export class BadProfile extends Error {}

/**
 * Reads Chrome's formats: a `.cpuprofile` or a `.heapprofile`, parsed.
 * @throws BadProfile
 */
export function readProfile(kind: ProfileKind, content: unknown): ProfileTree {
  return kind === 'CPU' ? cpuTree(shapeOf(content)) : heapTree(shapeOf(content));
}

/** Which of the two a parsed file is. @throws BadProfile when it is neither */
export function kindOf(content: unknown): ProfileKind {
  const shape = shapeOf(content);
  if (Array.isArray(shape['nodes'])) return 'CPU';
  return shape['head'] ? 'HEAP' : refuse('it is neither a .cpuprofile nor a .heapprofile');
}

function cpuTree(profile: Shape): ProfileTree {
  const nodes = listOf(profile['nodes'], MAX_NODES, 'nodes').map(shapeOf);
  const samples = listOf(profile['samples'], MAX_SAMPLES, 'samples');
  const deltas = listOf(profile['timeDeltas'], MAX_SAMPLES, 'timeDeltas');
  if (samples.length !== deltas.length) refuse('samples and timeDeltas differ in length');
  const byId = new Map<unknown, ProfileNode>(nodes.map((node) => [node['id'], frameOf(node)]));
  if (byId.size !== nodes.length) refuse('two nodes have one id');
  const roots = new Set(byId.values());
  for (const node of nodes) {
    for (const id of listOf(node['children'] ?? [], MAX_NODES, 'children')) {
      const child = byId.get(id);
      // A node that has a parent already would be a second way to it, or a circle.
      if (!child || !roots.delete(child)) refuse('its nodes are no tree');
      else (byId.get(node['id']) as ProfileNode).children.push(child);
    }
  }
  const [root, ...others] = roots;
  if (!root || others.length) refuse('its nodes are no tree');
  const tree = root as ProfileNode;
  for (const [at, id] of samples.entries()) {
    // A delta is the time before its sample: what a sample saw lasted until the next.
    const node = byId.get(id) ?? refuse('a sample is of no node');
    node.self += Math.max(0, numberOf(deltas[at + 1] ?? 0));
  }
  tree.children = tree.children.filter(({ name }) => name !== IDLE);
  assertBounds(tree);
  return { kind: 'CPU', root: tree, total: totalOf(tree), samples: samples.length };
}

function heapTree(profile: Shape): ProfileTree {
  const root = emptyRoot();
  const waiting: [Shape, ProfileNode[]][] = [[shapeOf(profile['head']), root.children]];
  for (let count = 0; waiting.length; count++) {
    if (count > MAX_NODES) refuse(`it has more than ${MAX_NODES} nodes`);
    const [shape, siblings] = waiting.pop() as [Shape, ProfileNode[]];
    const node = frameOf(shape);
    node.self = Math.max(0, numberOf(shape['selfSize'] ?? 0));
    siblings.push(node);
    for (const child of listOf(shape['children'] ?? [], MAX_NODES, 'children'))
      waiting.push([shapeOf(child), node.children]);
  }
  const head = root.children[0] as ProfileNode;
  assertBounds(head);
  const samples = listOf(profile['samples'] ?? [], Number.POSITIVE_INFINITY, 'samples').length;
  return { kind: 'HEAP', root: head, total: totalOf(head), samples };
}

/** Every node under a root, each after the one above it, with its depth from 0. */
export function* walk(root: ProfileNode): Generator<{ node: ProfileNode; depth: number }> {
  const waiting = [{ node: root, depth: 0 }];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    yield next;
    for (const node of next.node.children) waiting.push({ node, depth: next.depth + 1 });
  }
}

export function emptyRoot(): ProfileNode {
  return { name: '(root)', file: '', line: 0, self: 0, children: [] };
}

function totalOf(root: ProfileNode): number {
  let total = 0;
  for (const { node } of walk(root)) total += node.self;
  return total;
}

function assertBounds(root: ProfileNode): void {
  for (const { depth } of walk(root)) if (depth > MAX_DEPTH) refuse(`it is more than ${MAX_DEPTH} calls deep`);
}

function frameOf(node: Shape): ProfileNode {
  const frame = shapeOf(node['callFrame']);
  const line = numberOf(frame['lineNumber'] ?? -1) + 1;
  return {
    name: String(frame['functionName'] ?? '').slice(0, MAX_NAME) || '(anonymous)',
    file: String(frame['url'] ?? '')
      .replace(/^file:\/\//, '')
      .slice(-MAX_FILE),
    line: Number.isSafeInteger(line) && line > 0 ? line : 0,
    self: 0,
    children: [],
  };
}

function shapeOf(value: unknown): Shape {
  if (!value || typeof value !== 'object' || Array.isArray(value)) return refuse('an object is missing');
  return value as Shape;
}

function listOf(value: unknown, most: number, what: string): unknown[] {
  if (!Array.isArray(value)) return refuse(`${what} is no list`);
  if (value.length > most) refuse(`${what} has more than ${most}`);
  return value;
}

function numberOf(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : refuse('a number is missing');
}

function refuse(why: string): never {
  throw new BadProfile(`this is no profile that can be read: ${why}`);
}
