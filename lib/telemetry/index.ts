export { currentTraceparent, withTraceparent } from './propagation.ts';
export { readTraceparent, type SpanFacts } from './traceparent.ts';
export { startTracing, type Tracing, type TracingOptions } from './tracing.ts';
