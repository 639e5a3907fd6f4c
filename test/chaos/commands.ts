import { type ChildProcess, fork } from 'node:child_process';
import path from 'node:path';
import { SpawnedPlatform, wait } from '../support/spawned-platform.ts';
import { type Deed, deedsOf } from './command-agents.ts';
import { readAll } from './pages.ts';
import { type Scenario, type Verdict, verdict } from './verdict.ts';

const VICTIMS = ['agents', 'router', 'state', 'telemetry', 'postgres'];
const AGENTS = 20;
const KIND = 'commanded';
const SEND = `mutation ($input: SendAgentCommandInput!) { sendAgentCommand(input: $input) { command { id } userErrors { code message } } }`;
const ACT = `mutation ($input: ActOnAgentsInput!) { actOnAgents(input: $input) { job { id } userErrors { code message } } }`;
const JOB = 'query ($id: ID!) { job(id: $id) { state total done refused } }';
const FLEET = `{ agents(first: 100, filter: { kinds: ["${KIND}"] }) { nodes { id name } } }`;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Commands to agents and jobs over all of them, under SIGKILL of every process, the agents' too: none lost, none twice, in order. */
export const commands: Scenario = {
  name: 'commands',
  async run(short) {
    const [count, kills] = short ? [300, VICTIMS.length] : [10_000, 40];
    const platform = new SpawnedPlatform(['--no-demo']);
    const agents = new AgentProcess(platform);
    try {
      await platform.start();
      await agents.start();
      const sent = new Map<string, { agent: string; n: number }>();
      const senders = (await fleet(platform)).map((agent) => send(platform, agent, count / AGENTS, sent));
      const jobs: Promise<Finished>[] = [];
      for (let kill = 0; kill < kills; kill += 1) {
        await wait(() => sent.size >= (count / (kills + 1)) * (kill + 1), 120_000, 'commands are acknowledged');
        if (kill % 4 === 1) jobs.push(job(platform, jobs.length % 2 ? 'RESUME' : 'PAUSE', jobs.length));
        await killOne(platform, agents, VICTIMS[kill % VICTIMS.length] as string);
        if (kill % 4 === 3) await Promise.all(jobs);
      }
      await Promise.all(senders);
      const finished = await Promise.all(jobs);
      await wait(() => done(agents.journal) >= sent.size, 120_000, 'all is done').catch(() => 0);
      return [
        verdict('processes killed, times', kills, true),
        ...outcome(sent, deedsOf(agents.journal)),
        await completions(platform, sent),
        ...jobVerdicts(finished, await jobEntries(platform, finished)),
      ];
    } finally {
      agents.kill();
      await platform.stop();
      platform.remove();
    }
  },
};

/** The agents' own process. */
class AgentProcess {
  #child: ChildProcess | undefined;

  constructor(private readonly platform: SpawnedPlatform) {}

  get journal(): string {
    return path.join(this.platform.data, 'deeds.ndjson');
  }

  async start(): Promise<void> {
    const { url, token } = this.platform;
    const child = fork(path.join(__dirname, 'command-agents.js'), [url, token, this.journal, KIND, String(AGENTS)]);
    this.#child = child;
    await new Promise((resolve) => child.once('message', resolve));
  }

  kill(): void {
    this.#child?.kill('SIGKILL');
  }
}

async function killOne(platform: SpawnedPlatform, agents: AgentProcess, victim: string): Promise<void> {
  if (victim === 'agents') {
    agents.kill();
    return agents.start();
  }
  const pid = platform.pid(victim);
  process.kill(pid, 'SIGKILL');
  await wait(() => platform.pid(victim) !== pid && platform.pid(victim) > 0, 60_000, `${victim} is started again`);
}

async function fleet(platform: SpawnedPlatform): Promise<{ id: string; name: string }[]> {
  const { data } = await platform.ask(FLEET);
  return data.agents.nodes;
}

/** Tries until it is acknowledged: the same key, the same arguments. */
async function insist<T>(attempt: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const outcome = await attempt().catch(() => undefined);
    if (outcome !== undefined) return outcome;
    await pause(100);
  }
}

/** Sends one agent its commands, one after the other. */
async function send(
  platform: SpawnedPlatform,
  agent: { id: string; name: string },
  count: number,
  sent: Map<string, { agent: string; n: number }>,
): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    const input = { agentId: agent.id, name: 'work', arguments: { n }, clientMutationId: `${agent.name}-${n}` };
    const id = await insist(async () => {
      const { data } = await platform.ask(SEND, { input });
      return data?.sendAgentCommand?.command?.id as string | undefined;
    });
    sent.set(id, { agent: agent.name, n });
  }
}

interface Finished {
  id: string;
  action: string;
  state: string;
  total: number;
  done: number;
  refused: number;
}

/** Makes a job over all agents and waits for its end. */
async function job(platform: SpawnedPlatform, action: string, at: number): Promise<Finished> {
  const input = { action, filter: { kinds: [KIND] }, clientMutationId: `job-${at}` };
  const id = await insist(async () => (await platform.ask(ACT, { input })).data?.actOnAgents?.job?.id as string);
  return insist(async () => {
    const found = (await platform.ask(JOB, { id })).data?.job;
    return found?.state === 'FINISHED' ? { id, action, ...found } : undefined;
  });
}

const done = (journal: string): number => new Set(deedsOf(journal).map(({ id }) => id)).size;

function outcome(sent: ReadonlyMap<string, { agent: string; n: number }>, deeds: readonly Deed[]): Verdict[] {
  const first = deeds.filter(({ isKnown }) => !isKnown);
  const times = new Map<string, number>();
  for (const { id } of first) times.set(id, (times.get(id) ?? 0) + 1);
  const lost = [...sent.keys()].filter((id) => !times.has(id)).length;
  const twice = [...times.values()].filter((count) => count > 1).length;
  const fenced = new Set(deeds.map(({ id, fence }) => `${id} ${fence}`)).size;
  const newest = new Map<string, number>();
  let disordered = 0;
  for (const { agent, n } of first) {
    if (n <= (newest.get(agent) ?? -1)) disordered += 1;
    newest.set(agent, n);
  }
  return [
    verdict('commands acknowledged', sent.size, sent.size > 0),
    verdict('… lost', lost, lost === 0),
    verdict('… done twice', twice, twice === 0),
    verdict('… given to an agent twice under one fence', deeds.length - fenced, deeds.length === fenced),
    verdict('… out of their agent’s order', disordered, disordered === 0),
    verdict('… given again to a new process', deeds.length - first.length, true),
  ];
}

/** Every command ended once, as the trail has it. */
async function completions(platform: SpawnedPlatform, sent: ReadonlyMap<string, unknown>): Promise<Verdict> {
  let times = new Map<string, number>();
  const filter = { actions: ['completeCommand'], outcomes: ['SUCCEEDED'] };
  const open = () => [...sent.keys()].filter((id) => !times.has(id)).length;
  await wait(
    async () => {
      times = new Map();
      for (const { after } of await readAll(platform, 'auditEntries', 'after', filter)) {
        times.set(after.command, (times.get(after.command) ?? 0) + 1);
      }
      return open() === 0;
    },
    60_000,
    'all are completed',
  ).catch(() => 0);
  const twice = [...times.values()].filter((count) => count > 1).length;
  return verdict('… not completed, or twice', `${open()}, ${twice}`, open() + twice === 0);
}

/** How often each job's action was audited as done to an agent. */
async function jobEntries(platform: SpawnedPlatform, jobs: readonly Finished[]): Promise<number> {
  const actions = [...new Set(jobs.map(({ action }) => `agent.job.${action.toLowerCase()}`))];
  const expected = jobs.reduce((sum, { done: count }) => sum + count, 0);
  let found = 0;
  await wait(
    async () => {
      found = (await readAll(platform, 'auditEntries', 'id', { actions, outcomes: ['SUCCEEDED'] })).length;
      return found >= expected;
    },
    30_000,
    'the relay delivers',
  ).catch(() => 0);
  return found;
}

function jobVerdicts(jobs: readonly Finished[], entries: number): Verdict[] {
  const expected = jobs.reduce((sum, { done: count }) => sum + count, 0);
  const whole = jobs.filter(
    ({ total, done: count, refused }) => total === AGENTS && count === total && !refused,
  ).length;
  return [
    verdict('jobs over all agents, whole', `${whole} of ${jobs.length}`, whole === jobs.length && whole > 0),
    verdict('… agents asked, and audited', `${expected}, ${entries}`, expected === entries),
  ];
}
