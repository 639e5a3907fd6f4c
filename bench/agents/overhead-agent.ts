import type { Agent } from '../../sdk/index.ts';

/** What the parent sends: without `platform` the same work is done without the SDK. */
export interface OverheadOrder {
  platform?: { url: string; token: string; traceRatio: number };
  warmSeconds: number;
  seconds: number;
}

/** What one run took. */
export interface OverheadResult {
  tasks: number;
  /** Of the process, milliseconds a task. */
  cpuMs: number;
  p50Ms: number;
  p99Ms: number;
  rssMb: number;
}

/** A task begins every so often, whether those before it are done or not. */
const EVERY_MS = 40;
const WORD = 'the agent reads a page, thinks about it, and writes what it found, ';

/** Works for so many seconds, with all the platform has or with nothing of it, and tells what it took. */
async function main({ platform, warmSeconds, seconds }: OverheadOrder): Promise<void> {
  const agent = platform && (await joined(platform));
  await run(agent, warmSeconds);
  const cpu = process.cpuUsage();
  const took = (await run(agent, seconds)).sort((one, other) => one - other);
  const { user, system } = process.cpuUsage(cpu);
  const at = (share: number) => took[Math.floor(took.length * share)] as number;
  const result: OverheadResult = {
    tasks: took.length,
    cpuMs: (user + system) / 1_000 / took.length,
    ...{ p50Ms: at(0.5), p99Ms: at(0.99) },
    rssMb: process.memoryUsage().rss / 2 ** 20,
  };
  process.send?.(result);
  process.disconnect();
}

/** Beats, hooks, mailbox, logs, spans, metrics of its own and of its process: all there is. */
async function joined({ url, token, traceRatio }: NonNullable<OverheadOrder['platform']>): Promise<Agent> {
  const { connect } = await import('../../sdk/index.ts');
  const agent = await connect({
    url,
    token,
    traceRatio,
    name: `overhead-${process.pid}`,
    kind: 'bench',
    version: '1.0.0',
  });
  agent.hook('beforeCommand', () => {});
  agent.onCommand('look', () => 'seen');
  agent.onConfig(() => {});
  agent.check('disk', () => ({ ok: true }));
  return agent;
}

/** @returns how long each task took, milliseconds */
async function run(agent: Agent | undefined, seconds: number): Promise<number[]> {
  const took: number[] = [];
  const tasks: Promise<void>[] = [];
  const startMs = performance.now();
  for (let number = 0; number * EVERY_MS < seconds * 1_000; number++) {
    await rest(startMs + number * EVERY_MS - performance.now());
    const dueMs = performance.now();
    tasks.push((agent ? told(agent, number) : work()).then(() => void took.push(performance.now() - dueMs)));
  }
  await Promise.all(tasks);
  return took;
}

/** Reads, asks twice, writes. */
async function work(): Promise<void> {
  think(1);
  await rest(8);
  think(2);
  await rest(8);
  think(1);
}

/** The same, with what an agent tells of such a task: five spans, six lines, three values. */
function told(agent: Agent, number: number): Promise<void> {
  const { log } = agent;
  return agent.task('answer', { 'task.number': number, 'user.id': `user-${number % 100}` }, async () => {
    log.info('task begins', { number });
    await agent.span('read', { 'page.bytes': 4_096 }, () => think(1));
    log.debug('page is read', { bytes: 4_096, source: 'inbox' });
    await agent.span('search', { 'server.address': 'index' }, () => rest(8), { kind: 'client' });
    log.info('found', { hits: number % 7 });
    await agent.span('think', {}, () => think(2));
    await agent.span('chat', {}, async (span) => {
      await rest(8);
      span.spend({ provider: 'openai', model: 'gpt-5-mini', inputTokens: 120, outputTokens: 80 });
    });
    log.info('the model answered', { tokens: 200, model: 'gpt-5-mini' });
    think(1);
    agent.counter('answers_total', 1, { language: 'en' });
    agent.histogram('answer_seconds', 0.03);
    agent.queue(number % 5);
    log.info('task ends', { number });
  });
}

/** Some milliseconds of what agents' programs do: text in, JSON in and out. The same work each time. */
function think(times: number): number {
  let letters = 0;
  for (let at = 0; at < times * 40; at++) {
    const page = { title: `page ${at}`, words: WORD.repeat(8).split(' '), at };
    const { words } = JSON.parse(JSON.stringify(page)) as typeof page;
    letters += words
      .map((word) => word.toUpperCase())
      .sort()
      .join('-').length;
  }
  return letters;
}

function rest(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}

process.once('message', (order) => void main(order as OverheadOrder));
