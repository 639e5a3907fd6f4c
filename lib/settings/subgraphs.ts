import { z } from 'zod';

const address = z.string().regex(/^https?:\/\/[^/]/, 'expected http://host:port/path');

const PARTICULARS = z.record(
  z.string(),
  z.strictObject({
    /** Its replicas. */
    urls: z.array(address).min(1).max(100).optional(),
    need: z.enum(['required', 'optional']).optional(),
    /** For so long an answer may be served again when there is no fresh one, milliseconds. */
    staleIfErrorMs: z.number().int().min(0).max(86_400_000).optional(),
    /** How long one call may take, milliseconds. */
    timeoutMs: z.number().int().min(10).max(600_000).optional(),
    /** Calls a second that all routers with one limit store make to it together; one for entities counts once for each. */
    callsPerSecond: z.number().positive().max(1_000_000_000).optional(),
  }),
);

/** What is particular to a subgraph. */
export type SubgraphParticulars = z.infer<typeof PARTICULARS>[string];

/** `{"name":{"urls":[…]}}` → what is particular to each subgraph. */
export function readSubgraphs(text: string, context: z.RefinementCtx): Record<string, SubgraphParticulars> {
  if (text.trim() === '') return {};
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    context.addIssue('expected JSON such as {"reviews":{"urls":["http://a:4001/graphql"]}}');
    return z.NEVER;
  }
  const read = PARTICULARS.safeParse(given);
  const contrary = Object.entries(read.data ?? {}).find(
    ([, { need, staleIfErrorMs = 0 }]) => need === 'required' && staleIfErrorMs > 0,
  );
  if (contrary) {
    context.addIssue(`${contrary[0]}: what is required is not served stale`);
    return z.NEVER;
  }
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  context.addIssue(`${issue?.path.join('.')}: ${issue?.message}`);
  return z.NEVER;
}
