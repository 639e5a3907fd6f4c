import { type Agent, connect } from '../../sdk/index.ts';

/** Calls that a task makes: so many, of so many milliseconds each, one after the other or beside each other. */
export interface SeededCalls {
  count: number;
  ms: number;
  abreast?: boolean;
  model?: boolean;
}

/** An agent's work, and what is wrong with it, in numbers. */
export interface Seed {
  name: string;
  /** The kind that is right, null for a healthy one. */
  fault: string | null;
  /** Tasks that are done beside each other, and how long each rests after one. */
  concurrency: number;
  restMs: number;
  burnMs: number;
  /** Objects that a task makes, and how many of them the agent keeps. */
  objects: number;
  kept: number;
  calls: SeededCalls[];
  /** How long a task holds the one lock. */
  heldMs?: number;
}

/** What the parent sends. */
export interface SeededOrder {
  url: string;
  token: string;
  /** Where calls go: it answers after `?ms=`. */
  dependency: string;
  seconds: number;
  seed: Seed;
}

/** A lock that is given in the order in which it was asked for. */
class Mutex {
  #last: Promise<void> = Promise.resolve();

  async acquire(): Promise<() => void> {
    const before = this.#last;
    let release = () => {};
    this.#last = new Promise((resolve) => (release = resolve));
    await before;
    return release;
  }
}

const LOOPS_A_MS = 125;
const shelf = new Mutex();
const kept: object[] = [];
const rest = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Works for so many seconds, sends what it has to tell, and ends. */
async function main({ url, token, dependency, seconds, seed }: SeededOrder): Promise<void> {
  const { name, concurrency, restMs } = seed;
  const agent = await connect({ url, token, name, kind: 'seeded', version: '1.0.0', metricsEveryMs: 1_500 });
  const from = new Date();
  const untilMs = performance.now() + seconds * 1_000;
  const worker = async (number: number) => {
    await rest((restMs * number) / concurrency);
    while (performance.now() < untilMs) {
      await agent.task('work', {}, () => work(agent, seed, dependency));
      await rest(restMs);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, (_, number) => worker(number)));
  const to = new Date();
  await agent.flush(30_000);
  await agent.close();
  process.send?.({ id: agent.id, from, to });
  process.disconnect();
}

async function work(agent: Agent, seed: Seed, dependency: string): Promise<void> {
  const call = ({ ms, model }: SeededCalls) => {
    const ask = async () => void (await (await agent.fetch(`${dependency}/?ms=${ms}`)).text());
    if (!model) return ask();
    const named = { 'gen_ai.provider.name': 'openai', 'gen_ai.request.model': 'gpt-5-mini' };
    return agent.span('chat gpt-5-mini', named, () => rest(ms), { kind: 'client' });
  };
  if (seed.heldMs !== undefined) {
    const release = await agent.wait('shelf', () => shelf.acquire());
    await call({ count: 1, ms: seed.heldMs }).finally(release);
  }
  burn(seed.burnMs);
  allocate(seed.objects, seed.kept);
  for (const calls of seed.calls) {
    const all = Array.from({ length: calls.count }, () => calls);
    if (calls.abreast) await Promise.all(all.map(call));
    else for (const each of all) await call(each);
  }
}

/** As much work as takes so long on an idle processor of 2.5 GHz: on a busy one it is the same work, not less. */
function burn(ms: number): number {
  let sum = 0;
  for (let loops = ms * LOOPS_A_MS; loops > 0; loops--) for (let at = 0; at < 1_000; at++) sum += Math.sqrt(sum + at);
  return sum;
}

function allocate(objects: number, most: number): void {
  for (let at = 0; at < objects; at++) {
    const made = { at, text: `object ${at}`, tags: [at, at + 1, at + 2], next: kept[kept.length - 1] ? {} : null };
    if (most) kept[at % most] = made;
  }
}

process.once('message', (order) => void main(order as SeededOrder));
