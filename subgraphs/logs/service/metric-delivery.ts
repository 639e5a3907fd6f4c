import type { HouseClient } from '../../../lib/call/house-client.ts';
import { systemPrincipal } from '../../../lib/call/principal.ts';
import type { Clock } from '../../../lib/clock.ts';
import { FleetError } from '../../../lib/errors.ts';
import type { LogSample } from './metric-samples.ts';

const RECORD = `mutation RecordLogMetrics($input: RecordSamplesInput!) {
  recordSamples(input: $input) { rejected { index reason } userErrors { message } }
}`;
const MAX_SAMPLES = 10_000;

/**
 * Gives samples to the metrics house. A sample of a series and a time is kept once there, so that giving them again is harmless.
 * @throws SUBGRAPH_UNAVAILABLE while it is away
 */
export function deliveryTo(house: HouseClient | undefined, clock: Clock) {
  return async (samples: readonly LogSample[]): Promise<void> => {
    if (!house) throw new FleetError('SUBGRAPH_UNAVAILABLE', 'there is no metrics house');
    for (let at = 0; at < samples.length; at += MAX_SAMPLES) {
      const call = { principal: systemPrincipal('logs'), requestId: clock.uuid() };
      const input = { samples: samples.slice(at, at + MAX_SAMPLES) };
      const { recordSamples } = await house.ask<{
        recordSamples: { rejected: { reason: string }[]; userErrors: { message: string }[] };
      }>(call, RECORD, { input });
      const reason = recordSamples.rejected[0]?.reason ?? recordSamples.userErrors[0]?.message;
      if (reason) throw new FleetError('INTERNAL', `the metrics house refused a sample: ${reason}`);
    }
  };
}
