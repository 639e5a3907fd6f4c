import type { SpawnedPlatform } from '../support/spawned-platform.ts';

const REGISTER =
  'mutation ($input: RegisterAgentInput!) { registerAgent(input: $input) { agent { id } userErrors { message } } }';
const BEATS = `mutation ($input: AgentBeatsInput!) { agentBeats(input: $input) {
  beats { agentId commands { id name fence arguments } userErrors { code } } } }`;
const COMPLETE =
  'mutation ($input: CompleteCommandInput!) { completeCommand(input: $input) { userErrors { code message } } }';
const REST_MS = 60;

interface Command {
  id: string;
  name: string;
  fence: string;
  arguments: { version: string };
}

/** Agents that beat, obey and become what they are asked to be, whatever answers are lost; each command is ended until that is acknowledged. */
export class RolloutTroop {
  /** What each runs. */
  readonly versions = new Map<string, string>();
  /** Who ever ran each version. */
  readonly ran = new Map<string, Set<string>>();
  /** Commands that were done, so that one given again is not done twice. */
  readonly #done = new Set<string>();
  #sequence = 0;
  #isOver = false;
  #running: Promise<void> | undefined;

  /** @param isBad whether a version does its work badly */
  constructor(
    private readonly platform: SpawnedPlatform,
    private readonly kind: string,
    private readonly isBad: (version: string) => boolean,
  ) {}

  async join(count: number): Promise<void> {
    for (let at = 0; at < count; at += 1) {
      const input = { name: `${this.kind}-${at}`, kind: this.kind, version: '1.0.0', config: { limit: 5 } };
      // A platform that has just begun may be slow to answer: the same name is the same agent.
      for (let id: string | undefined; !id; ) {
        const { data } = await this.platform.ask(REGISTER, { input });
        id = data?.registerAgent?.agent?.id as string | undefined;
        if (id) this.#run(id, '1.0.0');
      }
    }
  }

  start(): void {
    this.#running = this.#work();
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#running;
  }

  #run(agent: string, version: string): void {
    this.versions.set(agent, version);
    this.ran.set(version, (this.ran.get(version) ?? new Set()).add(agent));
  }

  async #work(): Promise<void> {
    while (!this.#isOver) {
      // A killed router or house answers nothing: the next beat says it all again.
      await this.#beat().catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, REST_MS));
    }
  }

  async #beat(): Promise<void> {
    this.#sequence += 1;
    const beats = [...this.versions].map(([agentId, version]) => {
      const stats = { requests: 20, latencyMs: 100, errors: this.isBad(version) ? 15 : 0 };
      return { agentId, sequence: this.#sequence, state: 'RUNNING', version, stats };
    });
    const { data } = await this.platform.ask(BEATS, { input: { beats } });
    for (const { agentId, commands } of data?.agentBeats?.beats ?? []) {
      for (const command of commands as Command[]) await this.#obey(agentId, command);
    }
  }

  async #obey(agent: string, { id, fence, name, arguments: asked }: Command): Promise<void> {
    if (name === 'upgrade' && !this.#done.has(id)) this.#run(agent, asked.version);
    this.#done.add(id);
    await this.platform.ask(COMPLETE, {
      input: { id, fence, outcome: 'DONE', clientMutationId: `complete-${id}-${fence}` },
    });
  }
}
