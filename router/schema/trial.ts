import { ERROR_CODES, type ErrorCode } from '../../lib/errors.ts';
import type { AnyAnswer } from '../engine.ts';
import type { Generation } from './generation.ts';
import type { Tally } from './swap-rules.ts';

/** Codes that say the caller is wrong, or has had enough: nothing about the schema. */
const CALLERS_OWN: ReadonlySet<ErrorCode> = new Set([
  'BAD_INPUT',
  'BAD_CURSOR',
  'NOT_FOUND',
  'CONFLICT',
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'INTROSPECTION_DISABLED',
  'IDEMPOTENCY_KEY_REUSED',
  'SECRET_ALREADY_SHOWN',
  'RATE_LIMITED',
  'OVERLOADED',
]);

/** A new generation beside the current one, and how both do meanwhile. */
export class Trial {
  #canary = { ran: 0, failed: 0 };
  #current = { ran: 0, failed: 0 };

  constructor(
    readonly generation: Generation,
    /** Share of requests it is given first. */
    readonly share: number,
    private readonly random: () => number,
  ) {}

  /** Whether the next request goes to the new generation first. */
  draws(): boolean {
    return this.random() < this.share;
  }

  get canary(): Tally {
    return { ...this.#canary };
  }

  get current(): Tally {
    return { ...this.#current };
  }

  note(generation: Generation, answer: AnyAnswer): void {
    this.#count(generation, answer.errors?.some(({ extensions }) => isOurs(extensions?.['code'])) ?? false);
  }

  /** The new generation would not take what the current one takes. */
  noteRefused(): void {
    this.#count(this.generation, true);
  }

  #count(generation: Generation, hasFailed: boolean): void {
    const tally = generation === this.generation ? this.#canary : this.#current;
    tally.ran += 1;
    if (hasFailed) tally.failed += 1;
  }
}

function isOurs(code: unknown): boolean {
  const isKnown = typeof code === 'string' && Object.hasOwn(ERROR_CODES, code);
  return !isKnown || !CALLERS_OWN.has(code as ErrorCode);
}
