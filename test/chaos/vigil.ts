import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Agent, connectMany, type FleetLink } from '../../sdk/index.ts';
import { type SpawnedPlatform, wait } from '../support/spawned-platform.ts';
import { timed, type Verdict, verdict } from './verdict.ts';

const CONTACT = `mutation ($input: ContactPointInput!) { applyContactPoint(input: $input) { userErrors { message } } }`;
const POLICY = `mutation ($input: EscalationPolicyInput!) { applyEscalationPolicy(input: $input) { userErrors { message } } }`;
const RAISE = `mutation ($input: RaiseAlertInput!) { raiseAlert(input: $input) { alert { id } userErrors { message } } }`;
const AGENTS = `{ agents(first: 50, filter: { kinds: ["watched"] }) { nodes { name presence leaseExpiresAt } } }`;
const ALERT_NAME = 'while telemetry is dead';
/** When the steps of the policy are due, seconds after the alert. */
const DUE_S = [0, 1, 3, 5, 7];
/** How late a step or a lost lease may be noticed. */
const LATE_MS = 2_000;
/** How long telemetry is kept dead: longer than a lease and than all steps. */
const DEAD_MS = 9_000;

interface Watched {
  name: string;
  presence: string;
  leaseExpiresAt: string | null;
}

/** While telemetry is dead, leases and escalations go on: no living agent is missed, a silent one is, each step is told. */
export async function vigil(platform: SpawnedPlatform, short: boolean): Promise<Verdict[]> {
  const told: { step: number; atMs: number }[] = [];
  const target = await receiver((step) => told.push({ step, atMs: performance.now() }));
  const { link, agents } = await fleet(platform);
  try {
    await policyTo(platform, `http://127.0.0.1:${(target.address() as AddressInfo).port}/`);
    const dying = keepDead(platform, 'telemetry', DEAD_MS);
    const raisedMs = performance.now();
    await expectDone(platform, RAISE, { name: ALERT_NAME, severity: 'CRITICAL' });
    agents[0]?.silence();
    const { missed, lateMs } = await watch(platform, (agents[0] as Agent).name, dying);
    const deaths = await dying;
    await wait(() => told.length >= DUE_S.length, 5_000, 'all steps are told').catch(() => 0);
    await wait(() => platform.isReady(), 30_000, 'telemetry is back');
    const late = told.map(({ atMs }, at) => atMs - raisedMs - (DUE_S[at] ?? 0) * 1_000);
    const inOrder = told.length === DUE_S.length && told.every(({ step }, at) => step === at + 1);
    return [
      verdict('telemetry kept dead, kills', deaths, deaths > 1),
      verdict('… escalation steps told once, in order', `${told.length} of ${DUE_S.length}`, inOrder),
      timed(short, '… the latest of them, ms', Math.round(Math.max(...late)), inOrder && Math.max(...late) <= LATE_MS),
      verdict('… living agents taken for lost', missed, missed === 0),
      timed(short, '… silent agent noticed ms after its lease', Math.round(lateMs), lateMs <= LATE_MS),
    ];
  } finally {
    await link.close(500);
    target.closeAllConnections();
    target.close();
  }
}

async function fleet(platform: SpawnedPlatform): Promise<{ link: FleetLink; agents: Agent[] }> {
  const definitions = Array.from({ length: 9 }, (_, at) => ({
    name: `watched-${at}`,
    kind: 'watched',
    version: '1.0.0',
  }));
  const connected = await connectMany({ url: platform.url, token: platform.token }, definitions);
  await wait(
    async () => (await watched(platform)).filter(({ presence }) => presence === 'ONLINE').length === definitions.length,
    20_000,
    'the watched agents are online',
  );
  return connected;
}

async function watched(platform: SpawnedPlatform): Promise<Watched[]> {
  const answer = await platform.ask(AGENTS);
  return (answer.data?.agents?.nodes ?? []) as Watched[];
}

/** Looks at the agents until telemetry may live again and the silent one was noticed. */
async function watch(platform: SpawnedPlatform, silent: string, dying: Promise<number>) {
  let isDying = true;
  void dying.then(() => {
    isDying = false;
  });
  const missed = new Set<string>();
  let lateMs = Number.POSITIVE_INFINITY;
  let expiresMs = 0;
  await wait(
    async () => {
      for (const { name, presence, leaseExpiresAt } of await watched(platform)) {
        if (name !== silent) {
          if (presence !== 'ONLINE') missed.add(`${name} ${presence}`);
        } else if (presence !== 'OFFLINE') expiresMs = Date.parse(leaseExpiresAt ?? '');
        else lateMs = Math.min(lateMs, Date.now() - expiresMs);
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
      return !isDying && Number.isFinite(lateMs);
    },
    DEAD_MS * 2,
    'the silent agent is noticed',
  ).catch(() => 0);
  return { missed: missed.size, lateMs };
}

/** Kills a process each time it comes up again. @returns how often */
async function keepDead(platform: SpawnedPlatform, name: string, forMs: number): Promise<number> {
  const untilMs = performance.now() + forMs;
  const killed = new Set<number>();
  while (performance.now() < untilMs) {
    const pid = platform.pid(name);
    if (pid && !killed.has(pid)) {
      process.kill(pid, 'SIGKILL');
      killed.add(pid);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return killed.size;
}

function receiver(told: (step: number) => void): Promise<Server> {
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    const { alert, escalation } = JSON.parse(body).data;
    // The rules of the platform tell of the silent agent here too.
    if (alert.name === ALERT_NAME) told(escalation.step);
    response.writeHead(204).end();
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

async function policyTo(platform: SpawnedPlatform, target: string): Promise<void> {
  await expectDone(platform, CONTACT, { name: 'watch', kind: 'WEBHOOK', target });
  // `after` is the pause since the step before.
  const steps = DUE_S.map((due, at) => ({ after: `PT${due - (DUE_S[at - 1] ?? 0)}S`, contactPoints: ['watch'] }));
  await expectDone(platform, POLICY, { name: 'default', steps });
}

async function expectDone(platform: SpawnedPlatform, mutation: string, input: object): Promise<void> {
  const { data, errors } = await platform.ask(mutation, { input });
  const refused = [
    ...(errors ?? []),
    ...Object.values(data ?? {}).flatMap((payload) => Object(payload).userErrors ?? []),
  ];
  if (refused.length) throw new Error(`not done: ${JSON.stringify(refused)}`);
}
