import { createHmac } from 'node:crypto';

const PREFIX = 'whsec_';

/**
 * Headers of a signed webhook (Standard Webhooks 1.0.0, symmetric).
 * @param id the same for each attempt
 * @param secret `whsec_` and base64, or any text
 * @param body exactly the bytes sent
 */
export function webhookHeaders(id: string, secret: string | null, body: string, nowMs: number): Record<string, string> {
  const timestamp = String(Math.floor(nowMs / 1_000));
  const named = { 'webhook-id': id, 'webhook-timestamp': timestamp };
  if (secret === null) return named;
  const key = secret.startsWith(PREFIX) ? Buffer.from(secret.slice(PREFIX.length), 'base64') : Buffer.from(secret);
  const mac = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { ...named, 'webhook-signature': `v1,${mac}` };
}
