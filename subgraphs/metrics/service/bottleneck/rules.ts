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
const MIN_TASKS = 5;
/** Of the time, shares. Above `BUSY` the loop itself is what all else waits for. */
const GC_SHARE = 0.12;
const GC_OF_LOOP = 0.2;
const BUSY = 0.75;
const BUSY_IN_TASKS = 0.55;
const BLOCKED_MS = 80;
const OWN_SELF = 0.5;
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

/** With the figures that came nearest, so that one sees what was looked at. */
function nothing({ work, runtime }: BottleneckFacts): BottleneckFinding {
  const isKnown = work.tasks >= MIN_TASKS || runtime.loop !== undefined;
  const reason = isKnown
    ? 'nothing stands out'
    : `too little was seen: ${work.tasks} tasks of at least ${MIN_TASKS}, and no figures of its runtime`;
  const { loop, gc } = unhindered(runtime);
  const shareOf = (ms = 0) => (work.ms ? ms / work.ms : 0);
  const evidence = [
    ...(runtime.loop === undefined
      ? []
      : [
          { what: 'share of the time in which the event loop runs its code', value: round(loop - gc), bound: BUSY },
          { what: 'share of the time in which garbage is collected', value: round(gc), bound: GC_SHARE },
        ]),
    { what: 'share of the tasks’ time in its own code', value: round(shareOf(work.selfMs)), bound: 1 },
    ...work.waits.slice(0, 1).map(({ subject, ms }) => ({ ...waitOf(subject), value: round(shareOf(ms)) })),
    ...work.calls.slice(0, 1).map(({ subject, ms }) => ({ ...callOf(subject), value: round(shareOf(ms)) })),
  ];
  return { kind: null, confidence: 0, subject: null, reason, evidence: isKnown ? evidence : [], tasks: work.tasks };
}

const waitOf = (subject: string) => ({
  what: `share of the tasks’ time that they wait for ${subject}`,
  bound: WAIT_SHARE,
});
const callOf = (subject: string) => ({ what: `share of the tasks’ time in calls of ${subject}`, bound: CALL_SHARE });

/** What a process would be at on a host of its own. */
interface Unhindered {
  /** Share of the time in which the event loop would do something, 0 to 1, and in which it would collect. */
  loop: number;
  gc: number;
  delayMs: number;
}

/**
 * A host that gives a process too little of its processors makes its loop look busy: while it waits for one, it is in the midst of
 * something. Of the time that passed only what it ran and what it rested count: `cpu / (cpu + rest)`.
 */
function unhindered({ loop = 0, cpu, gc = 0, loopDelayMs = 0 }: Runtime): Unhindered {
  if (cpu === undefined || loop <= 0) return { loop, gc, delayMs: loopDelayMs };
  const alone = Math.min(loop, cpu / (cpu + Math.max(0, 1 - loop)));
  return { loop: alone, gc: Math.min(alone, (gc * alone) / loop), delayMs: loopDelayMs * Math.min(1, cpu / loop) };
}

function collecting({ runtime }: BottleneckFacts): Cause | undefined {
  const { loop, gc } = unhindered(runtime);
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
  const { loop, gc, delayMs } = unhindered(runtime);
  const own = Math.max(0, loop - gc);
  const self = work.ms ? work.selfMs / work.ms : 0;
  // Less is enough where it is most of what tasks take.
  const bound = self >= OWN_SELF ? BUSY_IN_TASKS : BUSY;
  const isBusy = own >= bound;
  const isBlocked = delayMs >= BLOCKED_MS && self >= OWN_SELF && own >= BLOCKED_LOOP;
  if (!isBusy && !isBlocked) return undefined;
  return {
    kind: BottleneckKind.CPU,
    subject: null,
    strength: Math.max(isBusy ? own / bound : 0, isBlocked ? delayMs / BLOCKED_MS : 0),
    reason: isBusy
      ? `its own code keeps the event loop busy ${percent(own)} of the time: see which by a CPU profile`
      : `its own code blocks the event loop for ${Math.round(delayMs)} ms at a time: see which by a CPU profile`,
    evidence: [
      {
        what: 'share of the time in which the event loop runs its code',
        value: own,
        bound: isBusy ? bound : BLOCKED_LOOP,
      },
      { what: 'how late the event loop is (p99), ms', value: delayMs, bound: BLOCKED_MS },
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
    evidence: [{ ...waitOf(wait.subject), value: share }],
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

function slow({ work, usualMs, runtime: { loopDelayMs = 0 } }: BottleneckFacts): Cause | undefined {
  for (const { subject, ms, medianMs: seenMs, isModel } of work.calls) {
    // The answer may have lain there until the event loop came to it.
    const medianMs = Math.max(0, seenMs - loopDelayMs);
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
        { ...callOf(subject), value: share },
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
