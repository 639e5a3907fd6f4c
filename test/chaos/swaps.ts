import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { largeSupergraph } from '../router/schema/large-fleet.ts';
import type { Watched } from '../router/schema/support.ts';
import { LargeHouse } from './large-house.ts';
import { openStreams, SwapsLoad } from './swaps-load.ts';
import type { RouterFigures } from './swaps-router.ts';
import { type Scenario, type Verdict, verdict } from './verdict.ts';

const STREAMS = 16;
const SIZES = {
  full: { warm: 10, swaps: 100, fleet: { subgraphs: 50, types: 12 } },
  short: { warm: 3, swaps: 5, fleet: { subgraphs: 6, types: 6 } },
};
const MEMORY = 0.05;
const HELD_MS = 50;
/** For one change, from the file to its being served, milliseconds. */
const CHANGE_MS = 180_000;

/** A large schema that changes a hundred times under load: nobody is refused, no stream ends, nothing is held up or left behind. */
export const swaps: Scenario = {
  name: 'swaps',
  async run(short): Promise<Verdict[]> {
    const { warm, swaps, fleet } = short ? SIZES.short : SIZES.full;
    const house = new LargeHouse();
    const sdl = largeSupergraph(fleet, await house.start());
    const router = new SwappedRouter(sdl);
    try {
      const url = await router.start();
      const load = new SwapsLoad(url, fleet.subgraphs);
      const streams = await openStreams(url, STREAMS);
      load.start();
      const swap = async () => {
        await router.swap(load);
        house.flash();
        await until(() => streams.every(({ ended, answers }) => ended || answers.length >= house.flashed));
      };
      for (let at = 0; at < warm; at++) await swap();
      const before = await router.measured();
      load.takeP99Ms();
      const startedMs = performance.now();
      for (let at = 0; at < swaps; at++) await swap();
      const tookMs = performance.now() - startedMs;
      const duringMs = load.takeP99Ms();
      const after = await router.measured();
      load.takeP99Ms();
      await new Promise((resolve) => setTimeout(resolve, Math.min(tookMs, 10_000)));
      const quietMs = load.takeP99Ms();
      await load.stop();
      for (const stream of streams) stream.leave();
      return [
        verdict(
          `wrong answers over ${swaps} swaps of a schema of ${fleet.subgraphs} subgraphs`,
          `${load.wrong.length} of ${load.requests} ${load.wrong[0]?.slice(0, 300) ?? ''}`,
          load.wrong.length === 0 && load.requests > 50 * swaps,
        ),
        verdict('streams dropped, or with a hole or a double', ...broken(streams, house.flashed)),
        verdict(
          'memory after collection within 5 %',
          `${grown(before.heapBytes, after.heapBytes)}; resident ${grown(before.residentBytes, after.residentBytes)}`,
          // A small schema's heap is so small that what is under way is more than that of it.
          short || after.heapBytes <= (1 + MEMORY) * before.heapBytes,
        ),
        // Judged where it is alone: beside others even CPU time grows, with every cache they empty.
        verdict('CPU ms that the loop was held at most', after.heldMs.toFixed(0), short || after.heldMs <= HELD_MS),
        verdict(
          'query p99 while schemas change, ms',
          `${duringMs.toFixed(0)}, ${quietMs.toFixed(0)} else; a change each ${(tookMs / swaps).toFixed(0)} ms`,
          true,
        ),
      ];
    } finally {
      router.stop();
      house.stop();
    }
  },
};

/** The router's command over a file that changes. */
class SwappedRouter {
  readonly #file = path.join(mkdtempSync(path.join(tmpdir(), 'fleetgraph-swaps-')), 'supergraph.graphql');
  #child: ChildProcess | undefined;
  #version = 0;

  constructor(private readonly sdl: string) {}

  async start(): Promise<string> {
    this.#write();
    const env = {
      PATH: process.env['PATH'],
      PORT: '0',
      SUPERGRAPH_PATH: this.#file,
      // Rates are off, and nothing else.
      ROUTER_MODE: 'bench',
      FLEET_CANARY_SHARE: '0.2',
      FLEET_CANARY_MS: '500',
      FLEET_LOG_LEVEL: 'error',
    };
    const options = { env, execArgv: ['--expose-gc', '--enable-source-maps'] };
    this.#child = fork(path.join(__dirname, 'swaps-router.js'), [], options);
    return String(await this.#message());
  }

  /** Changes the file, and waits until everybody is served what it says now. */
  async swap(load: SwapsLoad): Promise<void> {
    const before = await swapsOf(load.url);
    this.#version += 1;
    this.#write();
    this.#child?.kill('SIGHUP');
    // A canary may be asked too, so what is seen counts only after the swap. And not by asking for the field itself: that
    // would be an operation which the next schema breaks.
    await until(async () => {
      if ((await swapsOf(load.url)) === before) return false;
      const fields = await load.ask('{ __type(name: "Query") { fields { name } } }');
      return fields.includes(`"version${this.#version}"`);
    });
  }

  async measured(): Promise<RouterFigures> {
    this.#child?.send('measure');
    return (await this.#message()) as RouterFigures;
  }

  stop(): void {
    this.#child?.kill('SIGKILL');
  }

  #write(): void {
    writeFileSync(`${this.#file}.new`, this.sdl.replaceAll('version0', `version${this.#version}`));
    renameSync(`${this.#file}.new`, this.#file);
  }

  #message(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#child?.once('message', resolve);
      this.#child?.once('exit', (code) => reject(new Error(`the router ended with ${code}`)));
    });
  }
}

async function swapsOf(url: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(/^fleet_router_schema_moves_total\{phase="CURRENT"\} (\d+)$/m.exec(metrics)?.[1]);
}

function broken(streams: readonly Watched[], flashed: number): [string, boolean] {
  const numbers = Array.from({ length: flashed }, (_, at) => at + 1).join();
  const bad = streams.filter(({ ended, answers }) => {
    return ended || answers.map(({ data }) => data?.flashed.number).join() !== numbers;
  });
  const seen = bad[0] ? ` ${bad[0].ended ? 'ended' : ''} ${JSON.stringify(bad[0].answers).slice(0, 300)}` : '';
  return [`${bad.length} of ${streams.length}; ${flashed} events each${seen}`, bad.length === 0 && flashed > 0];
}

async function until(isMet: () => boolean | Promise<boolean>): Promise<void> {
  for (const startedMs = performance.now(); !(await isMet()); ) {
    if (performance.now() - startedMs > CHANGE_MS) throw new Error('a change was not served in time');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function grown(before: number, after: number): string {
  const share = 100 * (after / before - 1);
  return `${share >= 0 ? '+' : ''}${share.toFixed(1)} % of ${(before / 1e6).toFixed(1)} MB`;
}
