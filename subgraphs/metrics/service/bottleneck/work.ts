/** A span as far as a bottleneck shows in it. */
export interface WorkSpan {
  traceId: string;
  spanId: string;
  parentId: string;
  name: string;
  kind: string;
  startMs: number;
  endMs: number;
  /** `lock`, `queue` or `pool` when it is a wait; else empty. */
  waitsOn: string;
  /** What is waited for, or called. */
  subject: string;
  /** It asks a model: those take their time. */
  isModel: boolean;
}

/** Time that tasks spent on one thing. */
export interface Spent {
  subject: string;
  count: number;
  /** Sum over tasks of the time in which at least one was open, milliseconds. */
  ms: number;
  /** The middle duration of one. */
  medianMs: number;
  isModel: boolean;
}

/** Equal calls, one after the other under one parent. */
export interface Repeat {
  subject: string;
  /** Calls under one parent, on average. */
  perParent: number;
  /** Share of the tasks that have such a run, 0 to 1. */
  taskShare: number;
  ms: number;
}

/** What an agent's tasks did with their time. */
export interface Work {
  tasks: number;
  /** Sum of the tasks' durations, milliseconds. */
  ms: number;
  /** Of that, time in which no span under the task was open. */
  selfMs: number;
  waits: Spent[];
  calls: Spent[];
  repeats: Repeat[];
}

/** As many equal calls under one parent are a run. */
const RUN = 8;
/** Calls whose durations add up to more than this much of the time they took together ran beside each other. */
const ABREAST = 1.5;
const TASK_KINDS = new Set(['CONSUMER', 'SERVER']);

/** Sums up an agent's spans by task. */
export function workOf(spans: readonly WorkSpan[]): Work {
  const ids = new Set(spans.map(idOf));
  const children = Map.groupBy(spans, (span) => `${span.traceId} ${span.parentId}`);
  const waits = new Map<string, Tally>();
  const calls = new Map<string, Tally>();
  const repeats = new Map<string, RepeatTally>();
  const work: Work = { tasks: 0, ms: 0, selfMs: 0, waits: [], calls: [], repeats: [] };
  for (const span of spans) {
    const isRoot = !ids.has(`${span.traceId} ${span.parentId}`);
    if (!isRoot || !(TASK_KINDS.has(span.kind) || children.has(idOf(span)))) continue;
    const inside = descendants(span, children);
    work.tasks += 1;
    work.ms += span.endMs - span.startMs;
    work.selfMs += Math.max(0, span.endMs - span.startMs - covered(inside, span));
    const waited = inside.filter(({ waitsOn }) => waitsOn);
    const called = inside.filter(({ kind, waitsOn }) => kind === 'CLIENT' && !waitsOn);
    tally(waits, waited, span);
    tally(calls, called, span);
    tallyRuns(repeats, called, span);
  }
  return {
    ...work,
    waits: [...waits.values()].map(spentOf).sort(most),
    calls: [...calls.values()].map(spentOf).sort(most),
    repeats: [...repeats.values()].map((each) => repeatOf(each, work.tasks)).sort(most),
  };
}

interface Tally {
  subject: string;
  ms: number;
  durations: number[];
  isModel: boolean;
}

interface RepeatTally {
  subject: string;
  parents: number;
  calls: number;
  tasks: number;
  ms: number;
}

const idOf = ({ traceId, spanId }: WorkSpan) => `${traceId} ${spanId}`;
const most = (one: { ms: number }, other: { ms: number }) => other.ms - one.ms;

function descendants(root: WorkSpan, children: ReadonlyMap<string, WorkSpan[]>): WorkSpan[] {
  const found: WorkSpan[] = [];
  const seen = new Set([root]);
  const waiting = [root];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    for (const child of children.get(idOf(next)) ?? []) {
      if (seen.has(child)) continue;
      seen.add(child);
      found.push(child);
      waiting.push(child);
    }
  }
  return found;
}

/** Time within a task in which at least one of the spans was open, milliseconds. */
function covered(spans: readonly WorkSpan[], { startMs, endMs }: WorkSpan): number {
  let ms = 0;
  let until = startMs;
  for (const span of [...spans].sort((one, other) => one.startMs - other.startMs)) {
    const end = Math.min(span.endMs, endMs);
    ms += Math.max(0, end - Math.max(span.startMs, until));
    until = Math.max(until, end);
  }
  return ms;
}

function tally(tallies: Map<string, Tally>, spans: readonly WorkSpan[], task: WorkSpan): void {
  for (const [subject, own] of Map.groupBy(spans, (span) => span.subject)) {
    const sum = tallies.get(subject) ?? { subject, ms: 0, durations: [], isModel: false };
    tallies.set(subject, sum);
    sum.ms += covered(own, task);
    for (const { startMs, endMs, isModel } of own) {
      sum.durations.push(endMs - startMs);
      sum.isModel ||= isModel;
    }
  }
}

function tallyRuns(tallies: Map<string, RepeatTally>, calls: readonly WorkSpan[], task: WorkSpan): void {
  const inTask = new Set<string>();
  const groups = Map.groupBy(calls, ({ parentId, name, subject }) => `${parentId}\n${name}\n${subject}`);
  for (const group of groups.values()) {
    const took = covered(group, task);
    const together = group.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
    if (group.length < RUN || together > took * ABREAST) continue;
    const [{ name, subject }] = group as [WorkSpan];
    const key = `${name}\n${subject}`;
    const sum = tallies.get(key) ?? { subject: `${name} ${subject}`.trim(), parents: 0, calls: 0, tasks: 0, ms: 0 };
    tallies.set(key, sum);
    sum.parents += 1;
    sum.calls += group.length;
    sum.ms += took;
    if (!inTask.has(key)) sum.tasks += 1;
    inTask.add(key);
  }
}

function spentOf({ subject, ms, durations, isModel }: Tally): Spent {
  const sorted = durations.sort((one, other) => one - other);
  return { subject, count: sorted.length, ms, medianMs: sorted[Math.floor(sorted.length / 2)] ?? 0, isModel };
}

function repeatOf({ subject, parents, calls, tasks, ms }: RepeatTally, all: number): Repeat {
  return { subject, perParent: calls / parents, taskShare: all ? tasks / all : 0, ms };
}
