import { AsyncLocalStorage } from 'node:async_hooks';
import type { Surroundings } from '../wire/surroundings.ts';
import { type Attributes, keyValues, nanos } from './otlp.ts';
import { readTraceparent, type TraceContext, traceDigits, writeTraceparent } from './traceparent.ts';

const KINDS = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 } as const;
/** What side of a call a span is, as OpenTelemetry has it. */
export type SpanKind = keyof typeof KINDS;

/** How a span hangs in its trace. */
export interface SpanOptions {
  /** `internal` unless said. */
  kind?: SpanKind;
  /** A `traceparent` that came with the work; otherwise the current span is the parent. */
  parent?: string | undefined;
}

/** What a model was asked and how much it read and wrote (OpenTelemetry's gen_ai conventions). */
export interface ModelSpend {
  /** Who was asked, e.g. `openai`. */
  provider: string;
  /** The model, by the provider’s name; docs/settings.md prices it. */
  model: string;
  /** `chat` unless said. */
  operation?: string;
  /** Tokens that it read. */
  inputTokens: number;
  /** Tokens that it wrote. */
  outputTokens: number;
}

const current = new AsyncLocalStorage<Span>();

/** The span that the calling code runs in. */
export function currentSpan(): Span | undefined {
  return current.getStore();
}

/** A piece of work in a trace. It ends, and is sent, when its function does. */
export class Span {
  /** Its ids, of the trace and its own. */
  readonly context: TraceContext;
  /** The span it belongs to; undefined at the root of a trace. */
  readonly parentSpanId: string | undefined;
  /** When it began, milliseconds since 1970. */
  readonly startedMs: number;
  #attributes: Record<string, Attributes[string]>;
  #events: object[] = [];
  #error: string | undefined;

  /** @internal @param name what the work is, without what differs from one to the next */
  constructor(
    readonly name: string,
    attributes: Attributes,
    private readonly options: SpanOptions,
    private readonly surroundings: Surroundings,
    ratio = 1,
  ) {
    const parent = readTraceparent(options.parent) ?? currentSpan()?.context;
    this.context = {
      traceId: parent?.traceId ?? traceDigits(32, surroundings.random),
      spanId: traceDigits(16, surroundings.random),
    };
    if (ratio < 1 && (parent ? parent.isUnsampled : surroundings.random() >= ratio)) this.context.isUnsampled = true;
    this.parentSpanId = parent?.spanId;
    this.startedMs = surroundings.nowMs();
    this.#attributes = { ...attributes };
  }

  /** To be passed on with work that goes elsewhere. */
  get traceparent(): string {
    return writeTraceparent(this.context);
  }

  /** Whether it is sent: what failed and what a model spent is, also of a trace that is not recorded. */
  get isTold(): boolean {
    return !this.context.isUnsampled || this.failed || this.#attributes['gen_ai.usage.input_tokens'] !== undefined;
  }

  /** Whether it was marked as failed, or its function threw. */
  get failed(): boolean {
    return this.#error !== undefined;
  }

  /** Adds attributes; a later one of the same name counts. */
  set(attributes: Attributes): void {
    Object.assign(this.#attributes, attributes);
  }

  /** Notes something that happened while it ran. */
  event(name: string, attributes: Attributes = {}): void {
    this.#events.push({ name, timeUnixNano: nanos(this.surroundings.nowMs()), attributes: keyValues(attributes) });
  }

  /** Marks the work as failed; a thrown error does so by itself. */
  fail(error: unknown): void {
    this.#error = error instanceof Error ? error.message : String(error);
    this.event('exception', {
      'exception.type': error instanceof Error ? error.name : typeof error,
      'exception.message': this.#error,
    });
  }

  /** Tells what a model spent on this work. */
  spend({ provider, model, operation = 'chat', inputTokens, outputTokens }: ModelSpend): void {
    this.set({
      'gen_ai.operation.name': operation,
      'gen_ai.provider.name': provider,
      'gen_ai.request.model': model,
      'gen_ai.response.model': model,
      'gen_ai.usage.input_tokens': inputTokens,
      'gen_ai.usage.output_tokens': outputTokens,
    });
  }

  /** Runs the function as this span; what it starts becomes this span's children. */
  run<Result>(work: (span: Span) => Promise<Result> | Result): Promise<Result> {
    return current.run(this, async () => {
      try {
        return await work(this);
      } catch (error) {
        this.fail(error);
        throw error;
      }
    });
  }

  /** In OTLP/JSON, ended at this time. */
  export(endedMs: number): string {
    return JSON.stringify({
      traceId: this.context.traceId,
      spanId: this.context.spanId,
      parentSpanId: this.parentSpanId,
      flags: 1,
      name: this.name,
      kind: KINDS[this.options.kind ?? 'internal'],
      startTimeUnixNano: nanos(this.startedMs),
      endTimeUnixNano: nanos(Math.max(endedMs, this.startedMs)),
      attributes: keyValues(this.#attributes),
      events: this.#events,
      status: this.#error === undefined ? {} : { code: 2, message: this.#error },
    });
  }
}
