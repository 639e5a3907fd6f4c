/** An escalation policy as its clock sees it. */
export interface Plan {
  steps: readonly PlanStep[];
  /** How many more rounds follow the first. */
  repeat: number;
}

export interface PlanStep {
  /** Pause since the step before; of the first step since the alert fired. Milliseconds. */
  afterMs: number;
  contactPoints: readonly string[];
}

/** How far an alert's escalation has come: this is stored, so that a restart goes on exactly here. */
export interface Course {
  /** Steps taken in this round. */
  step: number;
  /** Rounds completed. */
  round: number;
  /** When the next step is due, epoch milliseconds; null when there is none. */
  nextAtMs: number | null;
}

/** A step that is due. */
export interface DueStep {
  step: number;
  round: number;
  contactPoints: readonly string[];
}

/** The pause between rounds when no step has one: a policy must not call without a breath. */
const ROUND_MS = 60_000;

/** The course of an alert that fired. */
export function beginCourse(plan: Plan, firedAtMs: number): Course {
  const [first] = plan.steps;
  return { step: 0, round: 0, nextAtMs: first ? firedAtMs + first.afterMs : null };
}

/**
 * Takes every step that is due, in order, each once; the next is counted from when its forerunner was due, so that a pause of
 * the platform delays nothing twice. An acknowledged alert takes none and keeps its place.
 */
export function advanceCourse(plan: Plan, course: Course, acknowledged: boolean, nowMs: number): [Course, DueStep[]] {
  const due: DueStep[] = [];
  let at = course;
  while (!acknowledged && at.nextAtMs !== null && at.nextAtMs <= nowMs) {
    const step = plan.steps[at.step];
    // The policy got shorter meanwhile.
    if (!step) return [{ ...at, nextAtMs: null }, due];
    due.push({ step: at.step, round: at.round, contactPoints: step.contactPoints });
    at = follow(plan, at, at.nextAtMs);
  }
  return [at, due];
}

function follow(plan: Plan, { step, round }: Course, wasDueMs: number): Course {
  const next = plan.steps[step + 1];
  if (next) return { step: step + 1, round, nextAtMs: wasDueMs + next.afterMs };
  if (round >= plan.repeat) return { step: step + 1, round, nextAtMs: null };
  const pauseMs = Math.max(...plan.steps.map(({ afterMs }) => afterMs)) || ROUND_MS;
  return { step: 0, round: round + 1, nextAtMs: wasDueMs + pauseMs };
}
