/** How many sockets may be open. */
export interface SocketLimits {
  /** Of one address, before they have shown a credential. */
  unauthenticatedPerAddress: number;
  /** Of all addresses, with a credential. */
  authenticated: number;
}

export const SOCKET_LIMITS: SocketLimits = { unauthenticatedPerAddress: 64, authenticated: 8_192 };

/** Counts sockets, so that those who have not said who they are cannot crowd out those who have. */
export class SocketAdmission {
  readonly #strangers = new Map<string, number>();
  #authenticated = 0;

  constructor(private readonly limits: SocketLimits) {}

  get authenticated(): number {
    return this.#authenticated;
  }

  /** @returns whether one more stranger from this address is let in */
  enter(address: string): boolean {
    const count = this.#strangers.get(address) ?? 0;
    if (count >= this.limits.unauthenticatedPerAddress) return false;
    this.#strangers.set(address, count + 1);
    return true;
  }

  /** A stranger left, or showed who he is. */
  leave(address: string): void {
    const count = this.#strangers.get(address) ?? 0;
    if (count <= 1) this.#strangers.delete(address);
    else this.#strangers.set(address, count - 1);
  }

  /** @returns whether one more authenticated socket is let in */
  authenticate(): boolean {
    if (this.#authenticated >= this.limits.authenticated) return false;
    this.#authenticated += 1;
    return true;
  }

  leaveAuthenticated(): void {
    this.#authenticated -= 1;
  }
}
