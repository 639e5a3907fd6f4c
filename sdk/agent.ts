import { errorAttributes } from './error-fields.ts';
import { type AgentState, ASKED_BY, type Move, moveTowards, START, type Step } from './lifecycle.ts';
import type { LogLevel } from './log-line.ts';
import { type CommandHandler, CommandRefused, Mailbox } from './mailbox.ts';
import type { AgentBeat, AgentCommand, BeatAnswer, CommandOutcome } from './operations.ts';
import type { Attributes } from './otlp.ts';
import type { AgentDefinition, Identity } from './registration.ts';
import type { Log, Reporter } from './reporter.ts';
import { currentSpan, type Span, type SpanOptions } from './span.ts';
import type { Surroundings } from './surroundings.ts';

export type Hook = () => Promise<void> | void;
/** Switches the program to a version; what it returns goes back with the command's completion. */
export type UpgradeHook = (to: {
  version: string;
  from: string;
  config: Record<string, unknown>;
}) => Promise<unknown> | unknown;
export type ConfigHook = (config: Record<string, unknown>, version: number) => Promise<void> | void;
export type Check = () => { ok: boolean; message?: string };

/** What an agent needs of the link it hangs on. */
export interface AgentLink {
  readonly surroundings: Surroundings;
  /** Sends a beat now rather than at the next tick. */
  beatSoon(): void;
  complete(agent: Agent, command: AgentCommand, outcome: CommandOutcome, result: unknown): Promise<void>;
  fetchConfig(agent: Agent): Promise<{ config: Record<string, unknown>; configVersion: number } | undefined>;
  send(agentId: string, name: string, args: Record<string, unknown>): Promise<string>;
  leave(agent: Agent): Promise<void>;
  flush(limitMs?: number): Promise<boolean>;
}

/** One agent as the program that is it sees it: it reports, obeys and answers. */
export class Agent {
  readonly log: Log;
  readonly name: string;
  readonly kind: string;
  readonly #hooks: Partial<Record<Step, Hook>> = {};
  readonly #checks = new Map<string, Check>();
  readonly #mailbox: Mailbox;
  #onConfig: ConfigHook = () => {};
  #onUpgrade: UpgradeHook | undefined;
  #version: string;
  #state: AgentState = 'REGISTERED';
  #desired: AgentState = 'REGISTERED';
  #failed = false;
  #moving: Promise<void> | undefined;
  #sequence = 0;
  #configuring: Promise<object> | undefined;
  #silent = false;
  #closing = false;
  #queue: number | undefined;
  /** Where and as whom the platform knows it; a new token when it had to register again. */
  identity: Identity;

  constructor(
    definition: AgentDefinition,
    identity: Identity,
    private readonly reporter: Reporter,
    private readonly link: AgentLink,
  ) {
    this.identity = identity;
    this.name = definition.name;
    this.kind = definition.kind;
    this.#version = definition.version;
    this.log = reporter.log;
    this.#mailbox = new Mailbox((command, outcome, result) => link.complete(this, command, outcome, result));
    this.#mailbox.on('restart', () => this.#restart());
    this.#mailbox.on('config', () => this.#takeConfig());
    this.#mailbox.on('upgrade', (args) => this.#upgrade(args));
    for (const [name, desired] of Object.entries(ASKED_BY)) this.#mailbox.on(name, () => this.#obey(desired));
  }

  get id(): string {
    return this.identity.id;
  }

  /** Where it is in its life, by its own account. */
  get state(): AgentState {
    return this.#state;
  }

  get config(): Record<string, unknown> {
    return this.identity.config;
  }

  /** Whether it keeps quiet, as a killed agent would. */
  get silent(): boolean {
    return this.#silent;
  }

  /** Does what a command of this name asks; its result goes back with DONE, its error with FAILED, CommandRefused with REFUSED. */
  onCommand(name: string, handler: CommandHandler): void {
    this.#mailbox.on(name, (args, command) => {
      const { traceparent } = args;
      const parent = typeof traceparent === 'string' ? traceparent : undefined;
      const attributes = { 'fleet.command.id': command.id, 'fleet.command.name': name };
      const work = () => this.#toldIfItFails(`command ${name} failed`, () => handler(args, command));
      return this.span(`command ${name}`, attributes, work, { kind: 'consumer', parent });
    });
  }

  /**
   * Sends another agent a command, with the current trace in its arguments; needs a link token of scope operator.
   * @throws FleetFailure when the platform refuses
   */
  send(agentId: string, name: string, args: Record<string, unknown> = {}): Promise<string> {
    const { traceparent } = this;
    return this.link.send(agentId, name, traceparent ? { ...args, traceparent } : args);
  }

  /** Does the code's part of a change of state; a hook that throws leaves the agent FAILED. */
  on(step: Step, hook: Hook): void {
    this.#hooks[step] = hook;
  }

  /** Told each new configuration; the version counts as taken over when the hook returns. */
  onConfig(hook: ConfigHook): void {
    this.#onConfig = hook;
  }

  /** The version of the program, as its beats tell it. */
  get version(): string {
    return this.#version;
  }

  /**
   * Switches the program to the version that a rollout asks for, and back; it counts as taken when the hook returns. Without a hook
   * the command is refused: whoever runs the program must start it anew with that version.
   */
  onUpgrade(hook: UpgradeHook): void {
    this.#onUpgrade = hook;
  }

  /** A check whose outcome goes with every beat. */
  check(name: string, check: Check): void {
    this.#checks.set(name, check);
  }

  /** How much work waits, told with every beat. */
  queue(length: number): void {
    this.#queue = length;
  }

  /** Sets a gauge. */
  metric(name: string, value: number, labels: Attributes = {}): void {
    this.reporter.instruments.gauge(name, value, labels);
  }

  /** Adds to a counter. */
  counter(name: string, by = 1, labels: Attributes = {}): void {
    this.reporter.instruments.count(name, by, labels);
  }

  /** Adds a measurement to a histogram; durations in seconds. */
  histogram(name: string, value: number, labels: Attributes = {}): void {
    this.reporter.instruments.observe(name, value, labels);
  }

  /** Logs a line; outside of a span it is a trace of its own. */
  tell(level: LogLevel, body: string, attributes: Attributes = {}): void {
    this.reporter.tell(level, body, attributes);
  }

  /** Sends what waits. @returns whether all was answered within the limit, milliseconds */
  flush(limitMs?: number): Promise<boolean> {
    return this.link.flush(limitMs);
  }

  /** Runs the function as a span of the current trace, or of the one in `options.parent`. */
  span<Result>(
    name: string,
    attributes: Attributes,
    work: (span: Span) => Promise<Result> | Result,
    options?: SpanOptions,
  ): Promise<Result> {
    return this.reporter.span(name, attributes, work, options);
  }

  /** A span that also counts as one piece of the agent's work: requests, errors, latency. */
  task<Result>(
    name: string,
    attributes: Attributes,
    work: (span: Span) => Promise<Result> | Result,
    options?: SpanOptions,
  ): Promise<Result> {
    return this.reporter.task(name, attributes, work, options);
  }

  /** fetch as a span of its own, with `traceparent` in its headers. */
  fetch(url: string, init: RequestInit = {}): Promise<Response> {
    const method = init.method ?? 'GET';
    const attributes = { 'http.request.method': method, 'server.address': new URL(url).host };
    return this.span(
      method,
      attributes,
      async (span) => {
        const headers = new Headers(init.headers);
        headers.set('traceparent', span.traceparent);
        const response = await this.link.surroundings.fetch(url, { ...init, headers });
        span.set({ 'http.response.status_code': response.status });
        if (response.status >= 500) span.fail(`answered ${response.status}`);
        return response;
      },
      { kind: 'client' },
    );
  }

  /** To be passed on by hand with work that leaves this process; undefined outside a span. */
  get traceparent(): string | undefined {
    return currentSpan()?.traceparent;
  }

  /** Falls silent without a word, as if killed: no beats, no commands. For drills. */
  silence(): void {
    this.#silent = true;
  }

  /** Comes back after silence as a program started anew; the command that woke it, if one did, is completed by that. */
  async wake(command?: AgentCommand): Promise<void> {
    this.#silent = false;
    this.#state = 'STARTING';
    if (command) await this.#mailbox.deliver(command);
    else await this.#make(START);
  }

  /** Stops as it would when asked to, without telling the platform yet. */
  async stop(): Promise<void> {
    this.#closing = true;
    await this.#moving;
    const move = this.#silent ? undefined : moveTowards(this.#state, 'STOPPED');
    if (move) await this.#make(move);
  }

  /** Ends for good: the platform has deregistered it. */
  async retire(): Promise<void> {
    await this.#moving;
    const move = moveTowards(this.#state, 'RETIRED');
    if (move) await this.#make(move);
  }

  /** Stops, tells the platform, and leaves the link; the last one out of a link of its own closes it. */
  async close(): Promise<void> {
    await this.stop();
    await this.link.leave(this);
  }

  /** Takes a command from the mailbox's stream. */
  deliver(command: AgentCommand): void {
    if (!this.#silent) void this.#mailbox.deliver(command);
  }

  /** What it says of itself with its next beat; the sequence rises over restarts because it starts from the clock. */
  beat(): AgentBeat {
    this.#sequence = Math.max(this.#sequence + 1, Math.floor(this.link.surroundings.nowMs()));
    const stats = this.reporter.takeStats();
    return {
      agentId: this.id,
      sequence: this.#sequence,
      state: this.#state,
      version: this.#version,
      configVersion: this.identity.configVersion,
      checks: [...this.#checks].map(([name, check]) => ({ name, ...check() })),
      stats: this.#queue === undefined ? stats : { ...stats, queue: this.#queue },
    };
  }

  /** Takes the platform's answer to a beat. */
  heard(answer: BeatAnswer): void {
    if (this.#silent || this.#closing) return;
    for (const command of answer.commands) this.deliver(command);
    if (answer.configVersion > this.identity.configVersion) {
      this.#takeConfig().catch((error: unknown) => this.#refuseConfig(error));
    }
    if (answer.desiredState !== this.#desired) this.#failed = false;
    this.#desired = answer.desiredState;
    if (!this.#moving && !this.#failed) void this.#settle();
  }

  /** Moves towards what is desired now; one walk at a time. */
  #settle(): Promise<void> {
    this.#moving ??= this.#converge().finally(() => {
      this.#moving = undefined;
    });
    return this.#moving;
  }

  async #obey(desired: AgentState): Promise<object> {
    await this.#moving;
    this.#failed = false;
    this.#desired = desired;
    await this.#settle();
    if (this.#failed) throw new Error(`the agent is ${this.#state}`);
    return { state: this.#state };
  }

  async #converge(): Promise<void> {
    for (
      let move = moveTowards(this.#state, this.#desired);
      move && !this.#failed;
      move = moveTowards(this.#state, this.#desired)
    ) {
      await this.#make(move);
    }
  }

  async #restart(): Promise<object> {
    await this.#moving;
    const stop = moveTowards(this.#state, 'STOPPED');
    if (stop) await this.#make(stop);
    this.#failed = false;
    await this.#make(START);
    if (this.#failed) throw new Error('the start failed');
    return { state: this.#state };
  }

  async #make(move: Move): Promise<void> {
    if (move.through) this.#enter(move.through);
    try {
      if (move.step) await this.#hooks[move.step]?.();
      this.#enter(move.to);
    } catch (error) {
      this.#failed = true;
      this.tell('error', `${move.step} failed`, errorAttributes(error));
      this.#enter('FAILED');
    }
  }

  #enter(state: AgentState): void {
    this.#state = state;
    this.link.beatSoon();
  }

  /** A command's own error is seen by nobody here but the log; what is refused is no error. */
  async #toldIfItFails(body: string, work: () => Promise<unknown> | unknown): Promise<unknown> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof CommandRefused)) this.log.error(body, errorAttributes(error));
      throw error;
    }
  }

  /** Takes over the platform's configuration; one at a time. */
  #takeConfig(): Promise<object> {
    this.#configuring ??= this.#fetchConfig().finally(() => {
      this.#configuring = undefined;
    });
    return this.#configuring;
  }

  async #fetchConfig(): Promise<object> {
    const fresh = await this.link.fetchConfig(this);
    if (fresh && fresh.configVersion > this.identity.configVersion) {
      await this.#onConfig(fresh.config, fresh.configVersion);
      this.identity = { ...this.identity, ...fresh };
      this.link.beatSoon();
    }
    return { configVersion: this.identity.configVersion };
  }

  async #upgrade(args: Record<string, unknown>): Promise<object> {
    const version = String(args['version']);
    const from = this.#version;
    const config = (args['config'] ?? {}) as Record<string, unknown>;
    if (!this.#onUpgrade) throw new CommandRefused('this agent does not change its version by itself');
    const result = await this.#toldIfItFails(`the change to ${version} failed`, async () =>
      this.#onUpgrade?.({ version, from, config }),
    );
    this.#version = version;
    this.identity = { ...this.identity, config, configVersion: Number(args['configVersion']) };
    this.link.beatSoon();
    return { version, from, result };
  }

  #refuseConfig(error: unknown): void {
    this.tell('error', 'the new configuration was not taken over', errorAttributes(error));
  }
}
