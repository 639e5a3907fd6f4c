import { metricPointsOf } from '../../lib/otlp/index.ts';
import { samplesOfPoint } from '../../subgraphs/metrics/service/otlp-points.ts';

const ARRIVAL = { nowMs: 5_000, agentId: undefined };

/** What a metric of OTLP/JSON becomes: `name{labels} value`. */
function samplesOf(metric: object, resource: object[] = []): string[] {
  const scopeMetrics = [{ metrics: [{ name: 'm', ...metric }] }];
  const { records } = metricPointsOf({ resourceMetrics: [{ resource: { attributes: resource }, scopeMetrics }] });
  return records.flatMap((point) => {
    const translated = samplesOfPoint(point, ARRIVAL);
    if ('reason' in translated) return [translated.reason];
    return translated.samples.map(({ metric, labels, value, timeMs }) => {
      const { service, ...rest } = labels;
      return `${timeMs} ${service} ${metric}${JSON.stringify(rest)} ${value}`;
    });
  });
}

test('a histogram is its buckets added up, its sum and its count', () => {
  const point = {
    timeUnixNano: '7000000',
    explicitBounds: [1, 2.5],
    bucketCounts: ['1', '2', '4'],
    count: '7',
    sum: 20,
  };
  expect(samplesOf({ histogram: { aggregationTemporality: 2, dataPoints: [point] } })).toEqual([
    '7 unknown_service m_bucket{"le":"1"} 1',
    '7 unknown_service m_bucket{"le":"2.5"} 3',
    '7 unknown_service m_bucket{"le":"+Inf"} 7',
    '7 unknown_service m_sum{} 20',
    '7 unknown_service m_count{} 7',
  ]);
  const { sum: _, ...unsummed } = point;
  expect(samplesOf({ histogram: { dataPoints: [unsummed] } }).some((line) => line.includes('m_sum'))).toBe(false);
});

test('an exponential histogram is merged to powers of two', () => {
  const fine = { scale: 1, zeroCount: '1', positive: { offset: 0, bucketCounts: ['1', '1', '1'] }, count: '5', sum: 9 };
  const withNegative = { ...fine, negative: { offset: 0, bucketCounts: ['1'] } };
  expect(samplesOf({ exponentialHistogram: { dataPoints: [withNegative] } }).slice(0, 4)).toEqual([
    '5000 unknown_service m_bucket{"le":"0"} 2',
    '5000 unknown_service m_bucket{"le":"2"} 4',
    '5000 unknown_service m_bucket{"le":"4"} 5',
    '5000 unknown_service m_bucket{"le":"+Inf"} 5',
  ]);
  const coarse = { scale: -1, zeroCount: '0', positive: { offset: 511, bucketCounts: ['1', '0'] }, count: '1' };
  const far = samplesOf({
    exponentialHistogram: { dataPoints: [coarse, { ...coarse, positive: { offset: 1, bucketCounts: ['1'] } }] },
  });
  expect(far).toEqual([
    '5000 unknown_service m_bucket{"le":"0"} 0',
    '5000 unknown_service m_bucket{"le":"+Inf"} 1',
    '5000 unknown_service m_count{} 1',
    '5000 unknown_service m_bucket{"le":"0"} 0',
    '5000 unknown_service m_bucket{"le":"16"} 1',
    '5000 unknown_service m_bucket{"le":"+Inf"} 1',
    '5000 unknown_service m_count{} 1',
  ]);
});

test('a summary is its quantiles, its sum and its count', () => {
  const point = { count: '3', sum: 6, quantileValues: [{ quantile: 0.5, value: 2 }] };
  expect(samplesOf({ summary: { dataPoints: [point] } })).toEqual([
    '5000 unknown_service m{"quantile":"0.5"} 2',
    '5000 unknown_service m_sum{} 6',
    '5000 unknown_service m_count{} 3',
  ]);
});

test('labels are the attributes as text, with service, instance and agent', () => {
  const attribute = (key: string, value: object) => ({ key, value });
  const resource = [
    attribute('service.name', { stringValue: 's' }),
    attribute('service.instance.id', { intValue: '4' }),
    attribute('fleet.agent.id', { stringValue: 'agent' }),
  ];
  const attributes = [
    attribute('http.status', { intValue: '200' }),
    attribute('list', { arrayValue: { values: [{ boolValue: true }] } }),
  ];
  expect(samplesOf({ gauge: { dataPoints: [{ asInt: '1', attributes }] } }, resource)).toEqual([
    '5000 s m{"instance":"4","http.status":"200","list":"[true]","agent_id":"agent"} 1',
  ]);
});

test('names and labels have limits; a point without a value is no sample', () => {
  const long = (key: string, stringValue: string) => ({
    gauge: { dataPoints: [{ asInt: '1', attributes: [{ key, value: { stringValue } }] }] },
  });
  expect(samplesOf(long('a', 'x'.repeat(2_049)))).toEqual(['a label’s value has at most 2048 characters']);
  expect(samplesOf(long('x'.repeat(129), 'a'))).toEqual(['a label’s name has 1 to 128 characters']);
  expect(samplesOf({ gauge: { dataPoints: [{ flags: 1 }] } })).toEqual([]);
});
