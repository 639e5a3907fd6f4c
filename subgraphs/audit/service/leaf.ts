import { z } from 'zod';
import { changedParts } from '../../../lib/changed-parts.ts';
import { FleetError } from '../../../lib/errors.ts';
import type { ActorKind } from '../../../lib/graphql/shared.ts';
import { leafHash } from '../../../lib/merkle/index.ts';
import { canonicalJson } from '../../../lib/write/canonical.ts';
import type { EntryDraft } from '../../../lib/write/entry.ts';
import { redact } from '../../../lib/write/redaction.ts';
import type { AuditOutcome } from '../entity/index.ts';
import { type NewEntry, storedWords } from '../store/index.ts';

const MAX_BATCH = 500;
const LAST_MS = 8.64e15;

const text = z.string();
const Batch = z.object({
  entries: z
    .array(
      z.object({
        id: z.uuid().transform((id) => id.toLowerCase()),
        occurredAtMs: z.number().min(-LAST_MS).max(LAST_MS),
        actor: z.object({ id: text, kind: z.enum(['PERSON', 'SCRIPT', 'AGENT', 'SYSTEM']), name: text }),
        action: text.min(1),
        outcome: z.enum(['SUCCEEDED', 'FAILED', 'DENIED']),
        isDryRun: z.boolean().default(false),
        reason: text.nullish().default(null),
        targetType: text,
        targetId: text,
        before: z.unknown(),
        after: z.unknown(),
        requestId: text,
        traceId: text.nullish().default(null),
        clientIp: text.nullish().default(null),
        causedBy: z.uuid().nullish().default(null),
      }),
    )
    .max(MAX_BATCH),
});

/**
 * Reads a batch of drafts.
 * @throws BAD_INPUT, naming the place, when one is not an entry or there are over 500
 */
export function readBatch(body: Buffer): EntryDraft[] {
  let json: unknown;
  try {
    json = JSON.parse(body.toString());
  } catch {
    throw new FleetError('BAD_INPUT', 'a batch of entries is JSON');
  }
  const read = Batch.safeParse(json);
  if (read.success) return read.data.entries;
  const [issue] = read.error.issues;
  throw new FleetError('BAD_INPUT', `${issue?.path.join('.')}: ${issue?.message}`);
}

/**
 * The canonical bytes of an entry: JSON with sorted keys and no spaces (RFC 8785), UTF-8. They are the tree's leaf, so this
 * may change only together with `version`, which says how to read them (docs/audit.md).
 */
export function leafOf(draft: EntryDraft, redactionKey: Buffer): Buffer {
  const { occurredAtMs, before, after, ...facts } = draft;
  return Buffer.from(
    canonicalJson({
      ...facts,
      occurredAt: new Date(occurredAtMs).toISOString(),
      before: redact(before, redactionKey) ?? null,
      after: redact(after, redactionKey) ?? null,
      version: 2,
    }),
  );
}

/** What is stored of a draft. */
export function entryOfDraft(draft: EntryDraft, redactionKey: Buffer): NewEntry {
  const leaf = leafOf(draft, redactionKey);
  const facts = {
    uuid: draft.id,
    occurredAt: new Date(draft.occurredAtMs),
    actorId: storable(draft.actor.id),
    actorKind: draft.actor.kind as ActorKind,
    actorName: storable(draft.actor.name),
    action: storable(draft.action),
    outcome: draft.outcome as AuditOutcome,
    isDryRun: draft.isDryRun,
    reason: draft.reason === null ? null : storable(draft.reason),
    targetType: storable(draft.targetType),
    targetId: storable(draft.targetId),
    requestId: storable(draft.requestId),
    traceId: draft.traceId === null ? null : storable(draft.traceId),
    clientIp: draft.clientIp === null ? null : storable(draft.clientIp),
    causedBy: draft.causedBy,
    changed: partsOf(leaf),
  };
  return { ...facts, words: storedWords(facts), leaf, leafHash: leafHash(leaf) };
}

/** Of the redacted values: a mark is a value as any other. */
function partsOf(leaf: Buffer): string[] {
  const { before, after } = contentOf(leaf);
  return changedParts(before, after).map(storable);
}

/** PostgreSQL's text cannot hold U+0000; the leaf keeps it. */
function storable(value: string): string {
  return value.replaceAll('\0', '\ufffd');
}

/** What a leaf says of the values before and after; nulls once its bytes are gone. */
export function contentOf(leaf: Buffer | null): { before: unknown; after: unknown } {
  if (!leaf) return { before: null, after: null };
  const { before, after } = JSON.parse(leaf.toString()) as { before: unknown; after: unknown };
  return { before, after };
}
