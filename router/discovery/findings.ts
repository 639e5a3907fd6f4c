import { z } from 'zod';
import { ADDRESS } from './address.ts';
import { DISCOVERY_LIMITS, type Findings } from './discovery.ts';

export const FOUND = z
  .strictObject({
    sdl: z.string().min(1).max(DISCOVERY_LIMITS.sdlBytes).optional(),
    urls: z.array(ADDRESS).max(DISCOVERY_LIMITS.replicas),
  })
  .transform(({ sdl, urls }) => (sdl === undefined ? { urls } : { sdl, urls }));

const FINDINGS = z
  .record(z.string().regex(/^[A-Za-z][\w-]{0,62}$/, 'expected a subgraph’s name'), FOUND)
  .refine((found) => Object.keys(found).length <= DISCOVERY_LIMITS.subgraphs, 'too many subgraphs');

/** Reads `{"reviews":{"urls":["http://a:4001/graphql"],"sdl":"…"}}`. @throws Error that says where it is wrong */
export function parseFindings(text: string): Findings {
  const read = FINDINGS.safeParse(JSON.parse(text));
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new Error(`${issue?.path.join('.') || 'its root'}: ${issue?.message}`);
}
