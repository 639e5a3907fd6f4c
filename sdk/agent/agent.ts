import { AgentTelemetry, type TelemetryLink } from '../telemetry/agent-telemetry.ts';
import { errorAttributes } from '../telemetry/error-fields.ts';
import type { Reporter } from '../telemetry/reporter.ts';
import { type AgentState, ASKED_BY, aroundStep, type Move, moveTowards, START, type Step } from '../wire/lifecycle.ts';
import type { AgentBeat, AgentCommand, BeatAnswer, CommandOutcome } from '../wire/operations.ts';
import type { Check, ConfigHook, Hook, Upgrade, UpgradeHandler } from './handlers.ts';
import { type HookName, type HookOptions, type HookReport, type HookRun, Hooks } from './hooks.ts';
import { type CommandHandler, CommandRefused, Mailbox } from './mailbox.ts';
import type { AgentDefinition, Identity } from './registration.ts';
import { Story } from './story.ts';

const OWN_EVENT = /^[\w.-]{1,64}$/;

/** What an agent needs of the link it hangs on. */
export interface AgentLink extends TelemetryLink {
  /** Sends a beat now rather than at the next tick. */
  beatSoon(): void;
  /** Sends a beat of one agent and waits until it was taken, or cannot be. */
  beatNow(agent: Agent): Promise<void>;
  complete(agent: Agent, command: AgentCommand, outcome: CommandOutcome, result: unknown): Promise<void>;
  fetchConfig(agent: Agent): Promise<{ config: Record<string, unknown>; configVersion: number } | undefined>;
  send(agentId: string, name: string, args: Record<string, unknown>): Promise<string>;
  leave(agent: Agent): Promise<void>;
  /** Brings a profile that the agent made of its process; packed by gzip. */
  bring(agent: Agent, body: Uint8Array<ArrayBuffer>): Promise<void>;
}

/** One agent as the program that is it sees it: it reports, obeys and answers. */
export class Agent extends AgentTelemetry<AgentLink> {
  /** Unique in the fleet, and the `service.name` of its telemetry. */
  readonly name: string;
  /** What sort of agent it is, as it registered. */
  readonly kind: string;
  readonly #steps: Partial<Record<Step, Hook>> = {};
  readonly #hooks: Hooks;
  readonly #story: Story;
  readonly #checks = new Map<string, Check>();
  readonly #mailbox: Mailbox;
  #onUpgrade: UpgradeHandler | undefined;
  #state: AgentState = 'REGISTERED';
  #desired: AgentState = 'REGISTERED';
  #failed = false;
  #moving: Promise<void> | undefined;
  #sequence = 0;
  #configuring: Promise<object> | undefined;
  #silent = false;
  #closing = false;
  #refusal: string | undefined;
  #queue: number | undefined;
  /** Where and as whom the platform knows it; a new token when it had to register again. */
  identity: Identity;

  /** @internal @param definition what it says of itself: as it registered, with the version that runs */
  constructor(
    public definition: AgentDefinition,
    identity: Identity,
    reporter: Reporter,
    link: AgentLink,
  ) {
    super(reporter, link);
    this.identity = identity;
    this.name = definition.name;
    this.kind = definition.kind;
    this.#story = new Story(link.surroundings);
    this.#hooks = new Hooks(link.surroundings, (hook, report, ignored) => this.#toldHook(hook, report, ignored));
    this.#mailbox = new Mailbox((command, outcome, result) => link.complete(this, command, outcome, result));
    this.#mailbox.on('restart', () => this.#restart());
    this.#mailbox.on('config', () => this.#takeConfig());
    this.#mailbox.on('upgrade', (args) => this.#upgrade(args));
    // Most agents are never profiled: what makes profiles is loaded by the first that is.
    this.#mailbox.on('profile', async (args) => {
      const { beginProfile } = await import('./profiler.ts');
      return beginProfile(args, link.surroundings, (body) => link.bring(this, body));
    });
    for (const [name, desired] of Object.entries(ASKED_BY)) this.#mailbox.on(name, () => this.#obey(desired));
  }

  /** Its global id, the same for life. */
  get id(): string {
    return this.identity.id;
  }

  /** Where it is in its life, by its own account. */
  get state(): AgentState {
    return this.#state;
  }

  /** The configuration it works by; `onConfig` is told the next. */
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
      const work = () => this.#command(name, command, () => handler(args, command));
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
    this.#steps[step] = hook;
  }

  /** Adds a hook: each run is seen in the agent's timeline. Hooks of one name run in the order they were added, afterStop's in the reverse. */
  hook(name: HookName, run: HookRun, options?: HookOptions): void {
    this.#hooks.add(name, run, options);
  }

  /** Told each new configuration; the version counts as taken over when the hook returns. The last one given counts. */
  onConfig(hook: ConfigHook): void {
    const run: HookRun = ({ config = {}, configVersion = 0 }) => hook(config, configVersion);
    this.#hooks.add('onConfig', run, { timeoutMs: 0 }, 'own');
  }

  /** Becomes another version in place when the platform asks for one; without a handler `upgrade` is refused. */
  onUpgrade(handler: UpgradeHandler): void {
    this.#onUpgrade = handler;
  }

  /**
   * Tells a line of the agent's own timeline with the next beat, where it stands as `own.<name>`.
   * @param name 1 to 64 letters, digits, dots, dashes @param detail at most 2,000 bytes of JSON
   * @throws TypeError for another name or more detail
   */
  event(name: string, detail: Record<string, unknown> = {}): void {
    if (!OWN_EVENT.test(name)) throw new TypeError(`an event's name is letters, digits, dots and dashes, not ${name}`);
    this.#story.add(`own.${name}`, detail);
  }

  /** The version of the program, as its beats tell it. */
  get version(): string {
    return this.definition.version;
  }

  /** A check whose outcome goes with every beat. */
  check(name: string, check: Check): void {
    this.#checks.set(name, check);
  }

  /** How much work waits, told with every beat. */
  queue(length: number): void {
    this.#queue = length;
  }

  /** Says that it has failed by itself: FAILED until it is restarted, or asked for something else. */
  async fail(error: unknown): Promise<void> {
    await this.#moving;
    this.#failed = true;
    this.#enter('FAILED');
    await this.#fault('the agent failed', error);
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
    // That it failed is told before it stops: a beat that is under way would hide it.
    if (this.#state === 'FAILED' && !this.#silent) await this.link.beatNow(this);
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

  /** Takes a command from the mailbox's stream. @internal */
  deliver(command: AgentCommand): void {
    if (!this.#silent) void this.#mailbox.deliver(command);
  }

  /** What it says of itself with its next beat; the sequence rises over restarts because it starts from the clock. @internal */
  beat(): AgentBeat {
    this.#sequence = Math.max(this.#sequence + 1, Math.floor(this.link.surroundings.nowMs()));
    const stats = this.reporter.takeStats();
    const events = this.#story.next();
    return {
      agentId: this.id,
      sequence: this.#sequence,
      state: this.#state,
      version: this.definition.version,
      configVersion: this.identity.configVersion,
      checks: [...this.#checks].map(([name, check]) => ({ name, ...check() })),
      stats: this.#queue === undefined ? stats : { ...stats, queue: this.#queue },
      ...(events.length ? { events } : {}),
    };
  }

  /** Whether there is more to tell than the last beat carried. @internal */
  get hasMoreToTell(): boolean {
    return this.#story.length > 0;
  }

  /** The platform has taken a beat. @internal */
  told({ events = [] }: Pick<AgentBeat, 'events'>): void {
    this.#story.taken(events);
  }

  /** The platform is older than events: what waits goes to nobody. @internal */
  forgetStory(): void {
    this.#story.forget();
  }

  /** Takes the platform's answer to a beat. @internal */
  heard(answer: BeatAnswer): void {
    if (this.#silent || this.#closing) return;
    for (const command of answer.commands) this.deliver(command);
    if (answer.configVersion > this.identity.configVersion) {
      // What went wrong is told already; the next beat tries again.
      this.#takeConfig().catch(() => undefined);
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
    await this.#watched('the restart failed', () => this.#hooks.run('beforeRestart'));
    const stop = moveTowards(this.#state, 'STOPPED');
    if (stop) await this.#make(stop);
    this.#failed = false;
    await this.#make(START);
    if (this.#failed) throw new Error('the start failed');
    await this.#watched('the restart failed', () => this.#hooks.run('afterRestart'));
    return { state: this.#state };
  }

  async #make(move: Move): Promise<void> {
    const { step } = move;
    const [before, after] = step ? aroundStep(step) : [];
    if (move.through) this.#enter(move.through);
    try {
      if (before) await this.#hooks.run(before);
      if (step) await this.#steps[step]?.();
      this.#enter(move.to);
      if (after) await this.#hooks.run(after);
    } catch (error) {
      this.#failed = true;
      this.#enter('FAILED');
      await this.#fault(`${step} failed`, error);
    }
  }

  #enter(state: AgentState): void {
    this.#state = state;
    this.link.beatSoon();
  }

  #command(name: string, command: AgentCommand, work: () => unknown): Promise<unknown> {
    return this.#watched(`command ${name} failed`, async () => {
      await this.#hooks.run('beforeCommand', { command });
      await this.#hooks.run('onCommand', { command });
      const result = await work();
      await this.#hooks.run('afterCommand', { command });
      return result;
    });
  }

  async #upgrade({ version: to, config, configVersion }: Record<string, unknown>): Promise<object> {
    const handler = this.#onUpgrade;
    if (!handler) throw new CommandRefused('this agent cannot change its version');
    if (typeof to !== 'string' || !to) throw new CommandRefused('version is a string');
    const { version: from } = this;
    const upgrade: Upgrade = { version: to, from };
    if (config && typeof config === 'object') upgrade.config = config as Record<string, unknown>;
    if (typeof configVersion === 'number') upgrade.configVersion = configVersion;
    const version = { from, to };
    return this.#watched(`the upgrade to ${to} failed`, async () => {
      await this.#hooks.run('beforeMigrate', { ...upgrade, version });
      await handler(upgrade);
      this.definition = { ...this.definition, version: to };
      const { version: _, from: __, ...taken } = upgrade;
      this.identity = { ...this.identity, ...taken };
      this.reporter.describe({ 'service.version': to });
      this.link.beatSoon();
      await this.#hooks.run('afterMigrate', { ...upgrade, version });
      return { version: to, from };
    });
  }

  /** An error is seen by nobody here but the log and the hook for errors; what is refused is no error. */
  async #watched<Result>(what: string, work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof CommandRefused)) await this.#fault(what, error);
      throw error;
    }
  }

  async #fault(what: string, error: unknown): Promise<void> {
    this.tell('error', what, errorAttributes(error));
    // A hook for errors that fails itself is in the timeline; what went wrong first is what counts.
    await this.#hooks.run('onError', { error, what }).catch(() => undefined);
  }

  #toldHook(hook: HookName, report: HookReport, ignored: unknown): void {
    // A configuration that is refused is tried again with every beat: the timeline has it once.
    const refusal = hook.endsWith('Config') ? report.error : undefined;
    if (refusal !== undefined && refusal === this.#refusal) return;
    this.#refusal = refusal ?? this.#refusal;
    if (ignored !== undefined) this.tell('warn', `hook ${hook} failed and is ignored`, errorAttributes(ignored));
    this.#story.add(`hook.${hook}`, { ...report });
  }

  /** Takes over the platform's configuration; one at a time. */
  #takeConfig(): Promise<object> {
    const take = () => this.#watched('the new configuration was not taken over', () => this.#fetchConfig());
    this.#configuring ??= take().finally(() => {
      this.#configuring = undefined;
    });
    return this.#configuring;
  }

  async #fetchConfig(): Promise<object> {
    const fresh = await this.link.fetchConfig(this);
    if (fresh && fresh.configVersion > this.identity.configVersion) {
      await this.#hooks.run('beforeConfig', fresh);
      await this.#hooks.run('onConfig', fresh);
      this.identity = { ...this.identity, ...fresh };
      this.link.beatSoon();
      this.#refusal = undefined;
      await this.#hooks.run('afterConfig', fresh);
    }
    return { configVersion: this.identity.configVersion };
  }
}
