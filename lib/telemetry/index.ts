export { currentTraceparent, readTraceparent, type SpanFacts, withTraceparent } from './propagation.ts';
export { startTracing, type Tracing, type TracingOptions } from './tracing.ts';
