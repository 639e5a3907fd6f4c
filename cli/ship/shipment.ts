import { createHash } from 'node:crypto';
import type { FleetClient } from '../../sdk/index.ts';
import { FleetFailure } from '../../sdk/index.ts';
import { Backoff } from '../../sdk/wire/backoff.ts';

/** What was sent so far. */
export interface Shipped {
  lines: number;
  rejected: number;
}

/** Sends bodies of lines, each until it is stored. */
export class Shipment {
  readonly shipped: Shipped = { lines: 0, rejected: 0 };

  /** @param service of lines that name none */
  constructor(
    private readonly client: FleetClient,
    private readonly service: string,
    private readonly signal: AbortSignal,
    private readonly note: (text: string) => void,
  ) {}

  /**
   * Sends lines until they are stored; the same batch is stored once.
   * @returns false when it was told to end before
   * @throws FleetFailure when the platform will never take them
   */
  async send(bytes: Buffer, batch: string): Promise<boolean> {
    const { client, signal } = this;
    const backoff = new Backoff(client.surroundings.random);
    const headers = {
      'content-type': 'application/x-ndjson',
      'idempotency-key': createHash('sha256').update(batch).digest('hex'),
      ...(this.service ? { 'x-fleet-service': this.service } : {}),
    };
    while (!signal.aborted) {
      try {
        this.#count(bytes, await client.post('/v1/logs/lines', new Uint8Array(bytes), undefined, headers));
        return true;
      } catch (error) {
        if (!(error instanceof FleetFailure) || !error.retryable) throw error;
        this.note(`fleet: ${error.message}; trying again`);
        await client.surroundings.sleep(backoff.next(error.retryAfterMs), signal);
      }
    }
    return false;
  }

  #count(bytes: Buffer, answer: string): void {
    const { partialSuccess } = JSON.parse(answer) as {
      partialSuccess?: { rejectedLogRecords: string; errorMessage: string };
    };
    this.shipped.lines += bytes.toString('latin1').split('\n').filter(Boolean).length;
    this.shipped.rejected += Number(partialSuccess?.rejectedLogRecords ?? 0);
    if (partialSuccess) this.note(`fleet: not stored: ${partialSuccess.errorMessage}`);
  }
}
