import type { TelemetryStore } from '../../../lib/telemetry-store/index.ts';
import { Parameters } from './parameters.ts';

/** What one policy governs, in the store's terms. Of a list the first that matches an entry governs it. */
export interface Governed {
  services?: string[];
  /** Place among the six severities. */
  maxRank?: number;
}

/** What is to go of one policy's entries. */
export interface Due {
  rows: number;
  /** The highest stamp among them. */
  stamp: number;
}

const SWEEP_MS = 60_000;

/** Counts and removes what retention is done with. */
export class SweepStore {
  constructor(private readonly telemetry: TelemetryStore) {}

  /** Entries of the policy at `index` that were observed before `before` (nanoseconds). */
  async due(policies: readonly Governed[], index: number, before: string): Promise<Due> {
    const { where, values } = governedBy(policies, index, before);
    const [row] = await this.telemetry.query<{ rows: string; top: string }>(
      `select toString(count()) as rows, toString(max(stamp)) as top from log where ${where}`,
      values,
      { maxMs: SWEEP_MS },
    );
    return { rows: Number(row?.rows ?? 0), stamp: Number(row?.top ?? 0) };
  }

  /** Removes them; they are gone from every answer when this resolves. */
  async remove(policies: readonly Governed[], index: number, before: string): Promise<void> {
    const { where, values } = governedBy(policies, index, before);
    await this.telemetry.command(`delete from log where ${where}`, values);
  }

  /** Bytes before compression of the policy's entries by minute of observation, newest first. */
  async minutes(policies: readonly Governed[], index: number): Promise<{ minute: number; bytes: number }[]> {
    const { where, values } = governedBy(policies, index, undefined);
    const rows = await this.telemetry.query<{ minute: string; bytes: string }>(
      `select toString(intDiv(observed, 60000000000)) as minute, toString(sum(byteSize(body, attributes, service, trace, span) + 32)) as bytes
         from log where ${where} group by minute order by toUInt64(minute) desc limit 1000000`,
      values,
      { maxMs: SWEEP_MS, maxRows: 1_000_000 },
    );
    return rows.map(({ minute, bytes }) => ({ minute: Number(minute), bytes: Number(bytes) }));
  }
}

function governedBy(policies: readonly Governed[], index: number, before: string | undefined) {
  const parameters = new Parameters();
  const matches = policies.slice(0, index + 1).map(({ services, maxRank }) => {
    const parts = ['true'];
    if (services) parts.push(`service in ${parameters.bind('Array(String)', services)}`);
    if (maxRank !== undefined) parts.push(`intDiv(toInt16(severity) - 1, 4) <= ${parameters.bind('Int16', maxRank)}`);
    return `(${parts.join(' and ')})`;
  });
  const own = matches.pop() as string;
  const parts = [own, ...matches.map((earlier) => `not ${earlier}`)];
  if (before !== undefined) parts.unshift(`observed < ${parameters.bind('UInt64', before)}`);
  return { where: parts.join(' and '), values: parameters.values };
}
