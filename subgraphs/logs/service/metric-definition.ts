import { FleetError } from '../../../lib/errors.ts';
import { type LogMetric, type LogMetricInput, LogMetricKind } from '../entity/index.ts';
import type { CountedField } from '../store/index.ts';
import { countedFieldOf } from './analysis.ts';
import { criteriaOf } from './filter.ts';

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]{0,199}$/;
const MAX_DESCRIPTION = 2_000;
const MAX_BY = 5;
const MAX_BUCKETS = 50;
/** As the metrics house has it. */
const MAX_LABEL = 128;
const MAX_SERIES = 1_000;
const STANDARD_SERIES = 100;
/** OpenTelemetry's for durations, in the unit that the number has. */
const STANDARD_BUCKETS = [5, 10, 25, 50, 75, 100, 250, 500, 750, 1_000, 2_500, 5_000, 7_500, 10_000];

/** The label that stands for all series beyond the limit, as OpenTelemetry calls it. */
export const OVERFLOW_LABELS = { otel_metric_overflow: 'true' };

/**
 * A definition as it is stored, without its version.
 * @throws BAD_INPUT with the field, BAD_QUERY with the column
 */
export function definitionOf(input: LogMetricInput): Omit<LogMetric, 'version'> {
  const { name, description, kind, filter, value, by, buckets, maxSeries } = input;
  if (!NAME.test(name)) refuse('a name has 1 to 200 letters, digits, _ or :, and no digit in front', 'name');
  if ((description?.length ?? 0) > MAX_DESCRIPTION) {
    refuse(`a description has at most ${MAX_DESCRIPTION} characters`, 'description');
  }
  if (filter?.range) refuse('a metric counts as entries come: its filter has no range', 'filter', 'range');
  criteriaOf(filter, 0);
  if (kind === LogMetricKind.COUNTER && value) refuse('a counter counts entries: it has no value', 'value');
  if (kind !== LogMetricKind.COUNTER && !value) refuse('it takes a value such as attributes.durationMs', 'value');
  if (value && !isNumberField(value)) refuse('a value is attributes.<name> or resource.<name>', 'value');
  const most = maxSeries ?? STANDARD_SERIES;
  if (most < 1 || most > MAX_SERIES) refuse(`maxSeries is 1 to ${MAX_SERIES}`, 'maxSeries');
  return {
    name,
    description: description ?? '',
    kind,
    filter: given(filter ?? {}),
    value: value ?? null,
    by: byOf(by ?? []),
    buckets: bucketsOf(kind, buckets),
    maxSeries: most,
  };
}

/** The label that a field becomes: `attributes.http.status` is `http_status`, an agent `agent_id` as everywhere in metrics. */
export function labelOf(field: string): string {
  if (field === 'agent') return 'agent_id';
  const path = field.replace(/^(attributes|resource)\./, '').replace(/[^a-zA-Z0-9_]/g, '_');
  return /^\d/.test(path) ? `_${path}` : path;
}

function byOf(by: readonly string[]): string[] {
  if (by.length > MAX_BY) refuse(`at most ${MAX_BY} fields`, 'by');
  for (const field of by) {
    const { column } = countedFieldOf(field) ?? {};
    if (!column || column === 'traceId' || column === 'spanId') {
      refuse(`${field.slice(0, 100)} is none of service, severity, agent, attributes.<name> and resource.<name>`, 'by');
    }
    const label = labelOf(field);
    if (label.length > MAX_LABEL) refuse(`a label has at most ${MAX_LABEL} characters`, 'by');
    if (label === 'le' || label.startsWith('__') || label in OVERFLOW_LABELS)
      refuse(`${label} is no label of yours`, 'by');
  }
  const labels = by.map(labelOf);
  const twice = labels.find((label, at) => labels.indexOf(label) !== at);
  if (twice !== undefined) refuse(`two of them become the label ${twice}`, 'by');
  return [...by];
}

function bucketsOf(kind: LogMetricKind, buckets: readonly number[] | null | undefined): number[] {
  if (kind !== LogMetricKind.HISTOGRAM) {
    if (buckets?.length) refuse('only a histogram has buckets', 'buckets');
    return [];
  }
  const bounds = buckets ?? STANDARD_BUCKETS;
  if (!bounds.length || bounds.length > MAX_BUCKETS) refuse(`1 to ${MAX_BUCKETS} buckets`, 'buckets');
  if (!bounds.every((bound, at) => Number.isFinite(bound) && (at === 0 || bound > (bounds[at - 1] as number)))) {
    refuse('the bounds of buckets rise', 'buckets');
  }
  return [...bounds];
}

function isNumberField(name: string): boolean {
  const column: CountedField['column'] | undefined = countedFieldOf(name)?.column;
  return column === 'attributes' || column === 'resource';
}

/** What a filter says, without what it does not. */
function given<T extends object>(filter: T): T {
  return Object.fromEntries(Object.entries(filter).filter(([, part]) => part != null)) as T;
}

function refuse(sentence: string, ...field: string[]): never {
  throw new FleetError('BAD_INPUT', sentence, { field: ['input', ...field] });
}
