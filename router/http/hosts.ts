import { FleetError } from '../../lib/errors.ts';
import { isLoopback } from '../../lib/settings/index.ts';
import { HttpRefusal } from './body.ts';

/**
 * The names this port answers to. A web page whose own name is made to lead here (DNS rebinding) speaks under that name,
 * and is turned away; on loopback, where nobody needs a credential to get in, that is so unless told otherwise.
 */
export class Hosts {
  readonly #listed: ReadonlySet<string>;
  readonly #isOpen: boolean;
  /** The header as it came last and was good: nearly all requests bring the same. */
  #good: string | undefined;

  /**
   * @param bound the address the port is bound to
   * @param listed names that are answered beside loopback's; a star is all
   */
  constructor(bound: string, listed: readonly string[] = []) {
    this.#listed = new Set(listed.map((name) => name.toLowerCase()));
    this.#isOpen = this.#listed.has('*') || (listed.length === 0 && !isLoopback(bound));
  }

  /** @returns whether a request under this name is answered; one without a name comes from no browser */
  takes(header: string | undefined): boolean {
    if (this.#isOpen || header === undefined || header === this.#good) return true;
    const name = nameIn(header);
    if (!this.#listed.has(name) && !isLoopback(name) && !name.endsWith('.localhost')) return false;
    this.#good = header;
    return true;
  }

  /** @throws HttpRefusal 421 */
  require(header: string | undefined): void {
    if (this.takes(header)) return;
    throw new HttpRefusal(421, new FleetError('FORBIDDEN', 'this router is not asked by that name: see ALLOWED_HOSTS'));
  }
}

/** Without the port, and an IPv6 address without its brackets. */
function nameIn(header: string): string {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]*))(?::\d*)?$/i.exec(header);
  return (match?.[1] ?? match?.[2] ?? '').toLowerCase();
}
