import type { Principal } from '../../../lib/call/principal.ts';
import type { Clock } from '../../../lib/clock.ts';
import { FleetError } from '../../../lib/errors.ts';
import type { RejectedRecord } from '../../../lib/graphql/rejected-record.ts';
import { metricPointsOf, type OtlpRequest, type Rejection, spansOf } from '../../../lib/otlp/index.ts';
import type { Measurement } from '../entity/measurement.ts';
import { MetricType } from '../entity/metric.ts';
import type { RecordSamplesInput, SampleInput } from '../entity/samples.ts';
import type { SampleStore } from '../store/samples.ts';
import type { SpanRow, SpanStore } from '../store/spans.ts';
import { labelsFault, textFault, timeFault } from './limits.ts';
import { samplesOfPoint } from './otlp-points.ts';
import { rowOfSpan } from './span-row.ts';

const MAX_SAMPLES = 10_000;
const MAX_BATCH_ID = 255;

/** Takes what is measured: from OTLP, and from the mutation. */
export class Intake {
  constructor(
    private readonly samples: SampleStore,
    private readonly spans: SpanStore,
    private readonly clock: Clock,
  ) {}

  /** Stores the data points of an OTLP request. @returns those that were refused */
  async metrics(request: OtlpRequest, principal: Principal): Promise<Rejection[]> {
    const { records, rejected } = metricPointsOf(request.message);
    const arrival = { nowMs: this.clock.nowMs(), agentId: principal.agentId };
    const measurements: Measurement[] = [];
    const refused = [...rejected];
    for (const [index, point] of records.entries()) {
      const translated = samplesOfPoint(point, arrival);
      const reason = 'reason' in translated ? translated.reason : faultOf(translated.samples[0], arrival.nowMs);
      if (reason) refused.push({ index, reason });
      else if ('samples' in translated) measurements.push(...translated.samples);
    }
    await this.samples.add(measurements);
    return refused;
  }

  /** Stores the spans of an OTLP request. @returns those that were refused */
  async traces(request: OtlpRequest, principal: Principal): Promise<Rejection[]> {
    const { records, rejected } = spansOf(request.message);
    const nowMs = this.clock.nowMs();
    const rows: SpanRow[] = [];
    const refused = [...rejected];
    for (const [index, span] of records.entries()) {
      const reason = timeFault(Number(BigInt(span.startNs) / 1_000_000n), nowMs);
      if (reason) refused.push({ index, reason });
      else rows.push(rowOfSpan(span, principal.agentId));
    }
    await this.spans.add(rows);
    return refused;
  }

  /**
   * Stores samples of the mutation.
   * @throws BAD_INPUT when there are too many, or the batch's id cannot be one
   */
  async record(
    input: RecordSamplesInput,
    principal: Principal,
  ): Promise<{ accepted: number; rejected: RejectedRecord[] }> {
    const { samples, batchId } = input;
    if (samples.length > MAX_SAMPLES) refuse(`a batch has at most ${MAX_SAMPLES} samples`, 'samples');
    if (batchId != null && (!batchId || batchId.length > MAX_BATCH_ID || textFault(batchId)))
      refuse(`a batch id has 1 to ${MAX_BATCH_ID} characters`, 'batchId');
    const nowMs = this.clock.nowMs();
    const measurements: Measurement[] = [];
    const rejected: RejectedRecord[] = [];
    for (const [index, sample] of samples.entries()) {
      const measurement = measurementOf(sample, nowMs, principal.agentId);
      const reason = labelsFault(measurement.metric, measurement.labels) ?? faultOf(measurement, nowMs);
      if (reason) rejected.push({ index, reason });
      else measurements.push(measurement);
    }
    await this.samples.add(measurements, batchId == null ? undefined : `${principal.id}\n${batchId}`);
    return { accepted: measurements.length, rejected };
  }
}

function measurementOf(sample: SampleInput, nowMs: number, agentId: string | undefined): Measurement {
  return {
    metric: sample.metric,
    labels: { ...sample.labels, ...(agentId ? { agent_id: agentId } : {}) },
    type: sample.type ?? MetricType.GAUGE,
    temporality: 'CUMULATIVE',
    unit: '',
    help: '',
    timeMs: sample.time?.getTime() ?? nowMs,
    value: sample.value,
  };
}

function faultOf(measurement: Measurement | undefined, nowMs: number): string | undefined {
  if (!measurement) return undefined;
  return textFault(measurement.metric) ?? timeFault(measurement.timeMs, nowMs);
}

function refuse(sentence: string, field: string): never {
  throw new FleetError('BAD_INPUT', sentence, { field: ['input', field] });
}
