import type { Context } from '@opentelemetry/api';
import {
  type IdGenerator,
  ParentBasedSampler,
  RandomIdGenerator,
  type Sampler,
  SamplingDecision,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-node';
import { givenIds } from './given-ids.ts';

/** Random ids, but for a root span whose trace was named before it began. */
export class GivenIds implements IdGenerator {
  readonly #random = new RandomIdGenerator();
  generateTraceId = () => givenIds()?.traceId ?? this.#random.generateTraceId();
  generateSpanId = () => givenIds()?.spanId ?? this.#random.generateSpanId();
}

/** Follows what was decided with the given ids, then the parent, then the ratio. */
export function givenSampler(ratio: number): Sampler {
  const byRatio = new TraceIdRatioBasedSampler(ratio);
  const root: Sampler = {
    shouldSample(within: Context, traceId: string) {
      const given = givenIds();
      if (!given) return byRatio.shouldSample(within, traceId);
      return { decision: given.traceFlags & 1 ? SamplingDecision.RECORD_AND_SAMPLED : SamplingDecision.NOT_RECORD };
    },
    toString: () => `given or ${byRatio.toString()}`,
  };
  return new ParentBasedSampler({ root });
}
