import { Agent, request } from 'undici';

/** Who asks, as the header `x-priority` has it, and their part of all requests. */
export const MIX = { 'on-call': 0.1, script: 0.3, dashboard: 0.6 } as const;
export type Caller = keyof typeof MIX;

export interface LoadFigures {
  /** Whole answers within two seconds, a second. */
  goodput: number;
  sent: number;
  /** Of whole answers, milliseconds. */
  p99: Record<Caller, number>;
  /** Share that was answered whole in time. */
  served: Record<Caller, number>;
}

const PATIENCE_MS = 2_000;
const TICK_MS = 5;
const CALLERS = Object.keys(MIX) as Caller[];

/** An open load: requests come at their rate whether or not earlier ones were answered. @param mix each caller's part */
export async function load(
  url: string,
  perSecond: number,
  seconds: number,
  mix: Partial<Record<Caller, number>> = MIX,
): Promise<LoadFigures> {
  const agent = new Agent({ connections: 2_048, pipelining: 1 });
  const sent: Record<Caller, number> = { 'on-call': 0, script: 0, dashboard: 0 };
  const times: Record<Caller, number[]> = { 'on-call': [], script: [], dashboard: [] };
  const asked: Promise<void>[] = [];
  const beganMs = performance.now();
  let within = 0;
  // Each asks for another thing: equal ones would share a call.
  const ask = async (caller: Caller, n: number) => {
    const startedMs = performance.now();
    const { statusCode, body } = await request(`${url}/graphql`, {
      dispatcher: agent,
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-priority': caller },
      body: JSON.stringify({ query: 'query ($n: Int) { hello(n: $n) }', variables: { n } }),
    });
    const text = await body.text();
    const tookMs = performance.now() - startedMs;
    if (statusCode !== 200 || !text.includes('"you"') || tookMs > PATIENCE_MS) return;
    times[caller].push(tookMs);
    // What comes once nobody asks any more would flatter the rate.
    if (performance.now() - beganMs <= seconds * 1_000) within += 1;
  };
  let count = 0;
  for (let passedMs = 0; passedMs < seconds * 1_000; passedMs = performance.now() - beganMs) {
    for (; count < (passedMs / 1_000) * perSecond; count += 1) {
      const caller = callerAt(Math.random(), mix);
      sent[caller] += 1;
      asked.push(ask(caller, count).catch(() => undefined));
    }
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  }
  await Promise.all(asked);
  await agent.close();
  const each = (read: (caller: Caller) => number) =>
    Object.fromEntries(CALLERS.map((caller) => [caller, read(caller)])) as Record<Caller, number>;
  return {
    goodput: within / seconds,
    sent: count,
    p99: each((caller) => at(times[caller], 0.99)),
    served: each((caller) => times[caller].length / Math.max(1, sent[caller])),
  };
}

function callerAt(part: number, mix: Partial<Record<Caller, number>>): Caller {
  let before = 0;
  for (const caller of CALLERS) {
    before += mix[caller] ?? 0;
    if (part < before) return caller;
  }
  return 'on-call';
}

function at(values: number[], share: number): number {
  values.sort((one, other) => one - other);
  return values[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN;
}
