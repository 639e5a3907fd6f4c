import type { JsonResource } from '../test/logs/otlp-protobuf.ts';

/** An export request of log records as programs write them; number 77 has one word that no other has. */
export function logRequest(number: number, records: number): { resourceLogs: JsonResource[] } {
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: `bench-${number % 10}` } }] };
  const logRecords = Array.from({ length: records }, (_, at) => ({
    timeUnixNano: `${1_790_000_000_000 + number}${String(at).padStart(6, '0')}`,
    severityNumber: at % 50 === 0 ? 17 : 9,
    body: {
      stringValue: `task ${number}-${at} was done in ${at % 977} ms${number === 77 && at === 7 ? ' needle77' : ''}`,
    },
    attributes: [{ key: 'user.id', value: { intValue: String(at % 5_000) } }],
  }));
  return { resourceLogs: [{ resource, scopeLogs: [{ logRecords }] }] };
}
