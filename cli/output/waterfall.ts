import { cut, plain } from './table.ts';

/** A span as a trace is asked for. */
export interface ShownSpan {
  spanId: string;
  parentSpanId: string | null;
  name: string;
  service: string;
  startedAt: string;
  durationMs: number;
  error: boolean;
}

/** A line that was logged within a trace. */
export interface ShownLine {
  time: string;
  severity: string;
  service: string;
  body: string;
}

export interface ShownTrace {
  traceId: string;
  startedAt: string | null;
  durationMs: number | null;
  errors: number;
  spans: readonly ShownSpan[];
  logs: { nodes: readonly ShownLine[] } | null;
}

/** What a trace is asked for by whoever draws it. */
export const TRACE_FIELDS = `traceId startedAt durationMs errors
  spans { spanId parentSpanId name service startedAt durationMs error }
  logs(first: 20) { nodes { time severity service body } }`;

export interface WaterfallStyle {
  /** Lines are cut to it; undefined where there is no width. */
  width?: number | undefined;
  /** Spans that are drawn at most; of the rest it is said how many they are. */
  spans: number;
}

/** Cells of a bar; the whole is the time of the trace. */
const CELLS = 24;
const NAMES = 48;

/**
 * A trace as people look at it: each span below the one that it is part of, with when it ran, drawn and in figures, and what was
 * logged meanwhile.
 */
export function waterfall(trace: ShownTrace, { width, spans: most }: WaterfallStyle): string[] {
  const rows = inOrder(trace.spans);
  const startMs = rows.length ? Math.min(...rows.map(({ span }) => msOf(span.startedAt))) : 0;
  const wholeMs = Math.max(trace.durationMs ?? 0, 0.001);
  const root = rows[0]?.span;
  const errors = trace.errors ? `, ${trace.errors} failed` : '';
  const head = `${root?.name ?? 'no span'}  ${figure(trace.durationMs ?? 0)}${errors}  ${trace.traceId}`;
  const drawn = rows.slice(0, most).map(({ span, depth }) => {
    const name = cut(`${'  '.repeat(Math.min(depth, 8))}${span.error ? '✗ ' : ''}${span.name}`, NAMES).padEnd(NAMES);
    const fromMs = msOf(span.startedAt) - startMs;
    return `${name} ${bar(fromMs / wholeMs, span.durationMs / wholeMs)} ${figure(span.durationMs).padStart(9)}  ${span.service}`;
  });
  const left = rows.length - drawn.length;
  const lines = [...(trace.logs?.nodes ?? [])].reverse().map((line) => {
    const atMs = Math.max(0, msOf(line.time) - startMs);
    return `${line.severity.padEnd(5)} +${figure(atMs)} ${line.service}: ${line.body}`;
  });
  const all = [head, ...drawn, ...(left > 0 ? [`… and ${left} more spans`] : []), ...lines];
  return all.map((line) => cut(plain(line).trimEnd(), width ?? Number.POSITIVE_INFINITY));
}

interface Row {
  span: ShownSpan;
  depth: number;
}

/** Each span behind its parent, siblings by when they began; one whose parent is not here begins a tree of its own. */
function inOrder(spans: readonly ShownSpan[]): Row[] {
  const known = new Set(spans.map(({ spanId }) => spanId));
  const below = new Map<string, ShownSpan[]>();
  for (const span of spans) {
    const parent = span.parentSpanId && known.has(span.parentSpanId) ? span.parentSpanId : '';
    below.set(parent, [...(below.get(parent) ?? []), span]);
  }
  const rows: Row[] = [];
  const waiting: Row[] = [];
  const push = (parent: string, depth: number) => {
    const found = (below.get(parent) ?? []).sort((a, b) => msOf(b.startedAt) - msOf(a.startedAt));
    // Taken away, so that spans that name each other as parents are drawn once.
    below.delete(parent);
    for (const span of found) waiting.push({ span, depth });
  };
  push('', 0);
  for (let row = waiting.pop(); row; row = waiting.pop()) {
    rows.push(row);
    push(row.span.spanId, row.depth + 1);
  }
  return rows;
}

/** A time in milliseconds with their fraction, which `Date.parse` drops. */
function msOf(time: string): number {
  const fraction = /\.(\d+)/.exec(time)?.[1] ?? '0';
  return Date.parse(time.replace(/\.\d+/, '')) + Number(`0.${fraction}`) * 1_000;
}

function bar(from: number, share: number): string {
  const first = Math.min(Math.max(Math.floor(from * CELLS), 0), CELLS - 1);
  const cells = Math.min(Math.max(Math.round(share * CELLS), 1), CELLS - first);
  return `▕${' '.repeat(first)}${'█'.repeat(cells)}${' '.repeat(CELLS - first - cells)}▏`;
}

function figure(ms: number): string {
  if (ms >= 10_000) return `${(ms / 1_000).toFixed(1)} s`;
  return ms >= 100 ? `${Math.round(ms)} ms` : `${ms.toFixed(1)} ms`;
}
