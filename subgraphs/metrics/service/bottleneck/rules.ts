import { type BottleneckEvidence, type BottleneckFinding, BottleneckKind } from '../../entity/bottleneck.ts';
import type { Work } from './work.ts';

/** A process's own figures, on average over a stretch; absent where it tells none. */
export interface Runtime {
  /** Share of the time in which the event loop did something, 0 to 1. */
  loop?: number;
  /** How late the event loop is, the 99th of 100, milliseconds. */
  loopDelayMs?: number;
  /** Processors that it keeps busy. */
  cpu?: number;
  /** Share of the time in which garbage was collected, 0 to 1. */
  gc?: number;
}

/** What is known of an agent. */
export interface BottleneckFacts {
  work: Work;
  runtime: Runtime;
  /** How long a call of each dependency took in the hour before, the middle one, milliseconds. */
  usualMs: ReadonlyMap<string, number>;
}

/** A cause, and how far its measures are beyond what is usual: 1 is the bound. */
interface Cause {
  kind: BottleneckKind;
  subject: string | null;
  strength: number;
  reason: string;
  evidence: BottleneckEvidence[];
}

/** Fewer tasks than these say nothing. */
const MIN_TASKS = 8;
/** Of the time, shares. Above `BUSY` the loop itself is what all else waits for. */
const GC_SHARE = 0.12;
const GC_OF_LOOP = 0.2;
const BUSY = 0.75;
const CPU_LEAST = 0.3;
const BLOCKED_MS = 80;
const BLOCKED_SELF = 0.5;
const BLOCKED_LOOP = 0.25;
/** Of the tasks' time, shares. */
const WAIT_SHARE = 0.35;
const REPEAT_SHARE = 0.4;
const CALL_SHARE = 0.6;
const REPEAT_TASKS = 0.5;
/** A call as slow as this is slow whatever it does, but for a model; one that was faster before, by this factor. */
const SLOW_MS = 150;
const SLOWER = 3;
const NOTICED_MS = 30;

/**
 * Names the one cause that explains most, or none. What keeps the event loop busy comes first: waits and calls look longer by it.
 * The heuristics follow clinic.js' doctor (event loop, collector, CPU) and what traces show of locks, runs and calls.
 */
export function findBottleneck(facts: BottleneckFacts): BottleneckFinding {
  const { work } = facts;
  const ofRuntime = [collecting(facts), busy(facts)].filter((cause) => cause !== undefined);
  const ofWork =
    work.tasks < MIN_TASKS ? [] : [locked(facts), repeating(facts), slow(facts)].filter((cause) => cause !== undefined);
  const [cause] = ofRuntime.length ? ofRuntime : ofWork.sort((one, other) => other.strength - one.strength);
  if (!cause) return nothing(facts);
  const { kind, subject, reason, strength } = cause;
  const evidence = cause.evidence.map((each) => ({ ...each, value: round(each.value) }));
  return { kind, subject, reason, evidence, tasks: work.tasks, confidence: confidenceOf(strength) };
}

function nothing({ work, runtime }: BottleneckFacts): BottleneckFinding {
  const isKnown = work.tasks >= MIN_TASKS || runtime.loop !== undefined;
  const reason = isKnown
    ? 'nothing stands out'
    : `too little was seen: ${work.tasks} tasks of at least ${MIN_TASKS}, and no figures of its runtime`;
  return { kind: null, confidence: 0, subject: null, reason, evidence: [], tasks: work.tasks };
}

function collecting({ runtime: { gc = 0, loop = 0 } }: BottleneckFacts): Cause | undefined {
  if (gc < GC_SHARE || gc < loop * GC_OF_LOOP) return undefined;
  return {
    kind: BottleneckKind.GC,
    subject: null,
    strength: gc / GC_SHARE,
    reason: `collecting garbage takes ${percent(gc)} of the time: see what allocates by a heap profile`,
    evidence: [
      { what: 'share of the time in which garbage is collected', value: gc, bound: GC_SHARE },
      { what: 'share of that in what the event loop does', value: loop ? gc / loop : 1, bound: GC_OF_LOOP },
    ],
  };
}

function busy({ work, runtime }: BottleneckFacts): Cause | undefined {
  const { loop = 0, loopDelayMs = 0, cpu = 0, gc = 0 } = runtime;
  const own = Math.max(0, loop - gc);
  const self = work.ms ? work.selfMs / work.ms : 0;
  // A host that gives it no processor makes a loop look busy too.
  const isBusy = own >= BUSY && cpu >= CPU_LEAST;
  const isBlocked = loopDelayMs >= BLOCKED_MS && self >= BLOCKED_SELF && own >= BLOCKED_LOOP && cpu >= BLOCKED_LOOP;
  if (!isBusy && !isBlocked) return undefined;
  return {
    kind: BottleneckKind.CPU,
    subject: null,
    strength: Math.max(isBusy ? own / BUSY : 0, isBlocked ? loopDelayMs / BLOCKED_MS : 0),
    reason: isBusy
      ? `its own code keeps the event loop busy ${percent(own)} of the time: see which by a CPU profile`
      : `its own code blocks the event loop for ${Math.round(loopDelayMs)} ms at a time: see which by a CPU profile`,
    evidence: [
      { what: 'share of the time in which the event loop runs its code', value: own, bound: BUSY },
      { what: 'how late the event loop is (p99), ms', value: loopDelayMs, bound: BLOCKED_MS },
      { what: 'processors that are busy', value: cpu, bound: CPU_LEAST },
    ],
  };
}

function locked({ work }: BottleneckFacts): Cause | undefined {
  const [wait] = work.waits;
  const share = wait && work.ms ? wait.ms / work.ms : 0;
  if (!wait || share < WAIT_SHARE) return undefined;
  return {
    kind: BottleneckKind.LOCK,
    subject: wait.subject,
    strength: share / WAIT_SHARE,
    reason: `tasks wait ${percent(share)} of their time for ${wait.subject}`,
    evidence: [
      { what: `share of the tasks’ time that they wait for ${wait.subject}`, value: share, bound: WAIT_SHARE },
    ],
  };
}

function repeating({ work }: BottleneckFacts): Cause | undefined {
  const run = work.repeats.find(({ taskShare }) => taskShare >= REPEAT_TASKS);
  const share = run && work.ms ? run.ms / work.ms : 0;
  if (!run || share < REPEAT_SHARE) return undefined;
  return {
    kind: BottleneckKind.N_PLUS_ONE,
    subject: run.subject,
    // A run of calls to a slow dependency is a run first: half as many calls would take half the time.
    strength: (share / REPEAT_SHARE) * 2,
    reason: `tasks call ${run.subject} ${Math.round(run.perParent)} times, one after the other, ${percent(share)} of their time: ask for all at once`,
    evidence: [
      { what: 'share of the tasks’ time in such calls', value: share, bound: REPEAT_SHARE },
      { what: 'equal calls under one parent', value: run.perParent, bound: 8 },
      { what: 'share of the tasks that make them', value: run.taskShare, bound: REPEAT_TASKS },
    ],
  };
}

function slow({ work, usualMs }: BottleneckFacts): Cause | undefined {
  for (const { subject, ms, medianMs, isModel } of work.calls) {
    const share = work.ms ? ms / work.ms : 0;
    if (share < CALL_SHARE) return undefined;
    const usual = usualMs.get(subject);
    const bound =
      usual === undefined ? (isModel ? Number.POSITIVE_INFINITY : SLOW_MS) : Math.max(NOTICED_MS, usual * SLOWER);
    const isSlow = medianMs >= bound || (!isModel && medianMs >= SLOW_MS);
    if (!isSlow) continue;
    const least = Math.min(bound, isModel ? bound : SLOW_MS);
    const before = usual === undefined ? '' : `, ${Math.round(usual)} ms in the hour before`;
    return {
      kind: BottleneckKind.SLOW_DEPENDENCY,
      subject,
      strength: (share / CALL_SHARE) * Math.min(2, Math.sqrt(medianMs / least)),
      reason: `tasks wait ${percent(share)} of their time for ${subject}, ${Math.round(medianMs)} ms a call${before}`,
      evidence: [
        { what: `share of the tasks’ time that they wait for ${subject}`, value: share, bound: CALL_SHARE },
        { what: 'the middle call, ms', value: medianMs, bound: least },
      ],
    };
  }
  return undefined;
}

/** At the bound a half, at twice the bound nine tenths. */
function confidenceOf(strength: number): number {
  return round(1 - 0.5 * Math.exp(-1.6 * (strength - 1)));
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
