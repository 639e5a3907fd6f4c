import type { Principal } from '../../lib/call/principal.ts';
import type { Call } from '../../lib/call/signing.ts';
import type { Clock } from '../../lib/clock.ts';
import type { DoorKeeper } from '../callers/door-keeper.ts';
import { ClientStreams } from './client-streams.ts';
import { STREAM_GATE_LIMITS, StreamGate, type StreamGateLimits } from './stream-gate.ts';

/** How often running streams' tokens are checked again: a revocation closes them within a second, milliseconds. */
const RECHECK_MS = 500;

/** Something that stays open: a server-sent event stream or a socket. */
export interface LiveStream {
  readonly principal: Principal;
  readonly token: string | undefined;
  /** Its token ended or was revoked: tell it UNAUTHENTICATED and close it. */
  expire(): void;
  /** The router goes down: end it so that a stock client comes back. */
  drain(): void;
}

/** All that stays open, so that it ends with its token and with the router. */
export class LiveStreams {
  readonly #open = new Set<LiveStream>();
  #timer: NodeJS.Timeout | undefined;
  #operations = 0;
  #slow = 0;
  #isChecking = false;
  #isStopped = false;
  /** When a new one may begin. */
  readonly gate: StreamGate;
  /** How many each client may have. */
  readonly ofClients: ClientStreams;

  constructor(
    private readonly keeper: DoorKeeper,
    private readonly clock: Clock,
    gate: Partial<StreamGateLimits> = {},
    perClient?: number,
  ) {
    this.ofClients = new ClientStreams(perClient);
    this.gate = new StreamGate({ ...STREAM_GATE_LIMITS, ...gate }, clock);
  }

  /** Running subscriptions. */
  get operations(): number {
    return this.#operations;
  }

  start(): void {
    if (!this.keeper.isOpen) this.#timer = setInterval(() => void this.#recheckUnlessUnderWay(), RECHECK_MS);
  }

  stop(): void {
    this.#isStopped = true;
    clearInterval(this.#timer);
    for (const stream of this.#open) stream.drain();
  }

  /** One that comes while the router goes down is sent on at once. @returns takes it out again */
  add(stream: LiveStream): () => void {
    this.#open.add(stream);
    if (this.#isStopped) stream.drain();
    return () => this.#open.delete(stream);
  }

  /** Readers that were cut for their slowness. */
  get slow(): number {
    return this.#slow;
  }

  countSlow(): void {
    this.#slow += 1;
  }

  /**
   * A client's turn to open a subscription; undefined when it has it at once. While it waits it counts as one of its own.
   * @param isLeft whether whoever waits has gone
   * @throws RATE_LIMITED when the client has as many as it may, OVERLOADED when it waited too long
   */
  turn(call: Call, isLeft: () => boolean): Promise<void> | undefined {
    const { id } = call.principal;
    this.ofClients.requireRoom(id);
    const turn = this.gate.enter(call, isLeft);
    if (!turn) return undefined;
    this.ofClients.enter(id);
    return turn.finally(() => this.ofClients.leave(id));
  }

  /** Counts one running subscription of a client. @returns counts it off, once */
  countOperation(client: string): () => void {
    this.#operations += 1;
    this.ofClients.enter(client);
    let counted = true;
    return () => {
      if (!counted) return;
      counted = false;
      this.#operations -= 1;
      this.ofClients.leave(client);
    };
  }

  /** Ends what is no longer allowed; asks about all tokens in one question. */
  async recheck(): Promise<void> {
    const byToken = new Map<string, LiveStream[]>();
    for (const stream of this.#open) {
      if (stream.token === undefined) continue;
      const same = byToken.get(stream.token);
      if (same) same.push(stream);
      else byToken.set(stream.token, [stream]);
    }
    if (byToken.size === 0) return;
    const bearers = new Map([...byToken].map(([token, [first]]) => [token, (first as LiveStream).principal]));
    for (const token of await this.keeper.ended(bearers, this.clock.nowMs())) {
      for (const stream of byToken.get(token) ?? []) stream.expire();
    }
  }

  async #recheckUnlessUnderWay(): Promise<void> {
    if (this.#isChecking) return;
    this.#isChecking = true;
    await this.recheck().finally(() => {
      this.#isChecking = false;
    });
  }
}
