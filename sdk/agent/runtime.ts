import { monitorEventLoopDelay, PerformanceObserver, performance } from 'node:perf_hooks';
import type { Instruments } from '../telemetry/instruments.ts';

/** What this process did since it was last told, as gauges by OpenTelemetry's names where it has them. */
export class RuntimeFigures {
  readonly #delay = monitorEventLoopDelay({ resolution: 20 });
  readonly #collections: PerformanceObserver;
  #collectedMs = 0;
  #loop = performance.eventLoopUtilization();
  #cpu = process.cpuUsage();
  #sinceMs = performance.now();

  constructor() {
    this.#collections = new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) this.#collectedMs += duration;
    });
    this.#collections.observe({ entryTypes: ['gc'] });
    this.#delay.enable();
  }

  /** Sets the gauges of an agent that has this process for itself. */
  tell(instruments: Instruments): void {
    const nowMs = performance.now();
    const tookMs = Math.max(1, nowMs - this.#sinceMs);
    const { user, system } = process.cpuUsage(this.#cpu);
    const memory = process.memoryUsage();
    const told: Record<string, number> = {
      'nodejs.eventloop.utilization': performance.eventLoopUtilization(this.#loop).utilization,
      'nodejs.eventloop.delay.p99': this.#delay.percentile(99) / 1e9,
      // Of the time that passed, a share: 1 is a processor's whole.
      'fleet.process.cpu': (user + system) / 1_000 / tookMs,
      'fleet.process.gc': this.#collectedMs / tookMs,
      'process.memory.usage': memory.rss,
      'v8js.memory.heap.used': memory.heapUsed,
    };
    for (const [name, value] of Object.entries(told)) instruments.gauge(name, value, {});
    this.#loop = performance.eventLoopUtilization();
    this.#cpu = process.cpuUsage();
    this.#sinceMs = nowMs;
    this.#collectedMs = 0;
    this.#delay.reset();
  }

  stop(): void {
    this.#delay.disable();
    this.#collections.disconnect();
  }
}
