import type { Surroundings } from '../sdk/index.ts';
import type { Chance } from './chance.ts';
import type { Ailment } from './condition.ts';
import type { Host } from './host.ts';
import type { KindName } from './roster.ts';
import type { Worker } from './worker.ts';

export type Fault = Ailment | 'crash';

const FIRST_MS = 500;
const SECOND_MS = 2_500;
const REST_MS = [20_000, 40_000] as const;
const ILL_MS: Record<Ailment, number> = { errors: 18_000, slow: 30_000 };
/** An ill agent is asked again and again, as impatient callers do. */
const RETRY_EVERY_MS = 250;
const TURNS: readonly Fault[] = ['errors', 'crash', 'slow', 'crash'];
/** Kinds whose every task asks a model, so that its refusals show. */
const ASKS_A_MODEL: readonly KindName[] = ['planner', 'researcher', 'coder', 'reviewer', 'summarizer'];

/** Makes agents fail in turn, by the seed: the first within seconds, then one every half minute or so. */
export class Faults {
  readonly #ill = new Set<Worker>();

  constructor(
    private readonly workers: readonly Worker[],
    private readonly host: Host,
    private readonly chance: Chance,
    private readonly surroundings: Surroundings,
  ) {}

  /** Goes on until the signal. */
  async run(signal: AbortSignal): Promise<void> {
    await this.surroundings.sleep(FIRST_MS, signal);
    for (let turn = 0; !signal.aborted; turn++) {
      void this.#strike(TURNS[turn % TURNS.length] as Fault, signal);
      const restMs = turn === 0 ? SECOND_MS : this.chance.between(...REST_MS);
      await this.surroundings.sleep(restMs, signal);
    }
  }

  async #strike(fault: Fault, signal: AbortSignal): Promise<void> {
    const worker = this.chance.pick(
      this.workers.filter(
        (each) => each.isOpen && !this.#ill.has(each) && (fault !== 'errors' || ASKS_A_MODEL.includes(each.kind)),
      ),
    );
    if (!worker) return;
    this.#ill.add(worker);
    if (fault === 'crash') await this.host.crash(worker);
    else await this.#ail(worker, fault, signal);
    this.#ill.delete(worker);
  }

  async #ail(worker: Worker, ailment: Ailment, signal: AbortSignal): Promise<void> {
    const untilMs = this.surroundings.nowMs() + ILL_MS[ailment];
    worker.ailment = ailment;
    worker.agent.tell('warn', ailment === 'slow' ? 'responses are slow' : 'the model provider refuses', {
      'fault.kind': ailment,
    });
    for (let retry = 1; worker.ailment && this.surroundings.nowMs() < untilMs && !signal.aborted; retry++) {
      if (worker.isOpen && worker.load < 5) {
        worker
          .do({ jobId: `retry-${worker.name}-${retry}`, goal: 'asked again by an impatient caller' })
          .catch(() => undefined);
      }
      await this.surroundings.sleep(RETRY_EVERY_MS, signal);
    }
    worker.ailment = undefined;
  }
}
