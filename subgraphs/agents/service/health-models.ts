import type { Call } from '../../../lib/call/signing.ts';
import type { Clock } from '../../../lib/clock.ts';
import { FleetError } from '../../../lib/errors.ts';
import { durationMs } from '../../../lib/graphql/scalars.ts';
import type { TimeRange } from '../../../lib/graphql/shared.ts';
import { type PatchStep, patchOf } from '../../../lib/json-patch.ts';
import { checkVersion } from '../../../lib/write/versions.ts';
import type { WriteOutcome, Writes } from '../../../lib/write/writes.ts';
import { HealthModel, type HealthWeight } from '../entity/health-model.ts';
import type { HealthStore } from '../store/health.ts';
import { KEPT_MS } from './health-history.ts';
import { type Trial, tryWeights } from './health-trial.ts';
import type { LiveFleet } from './live.ts';
import { listOf, STANDARD_WEIGHTS, weightsOf } from './penalty/weights.ts';

/** Weights as callers write them; a factor that is left out is as it is built in. */
export interface ModelDraft {
  weights: readonly HealthWeight[];
  reason?: string | null | undefined;
  expectedVersion?: number | null | undefined;
  dryRun?: boolean | null | undefined;
  clientMutationId?: string | null | undefined;
}

/** What applying came to. `preview` is how it would be, for a dry run. */
export interface ModelResult {
  version: number;
  changes: PatchStep[];
  preview?: object;
}

const MAX_MINUTES = 200_000;

/** How health is computed: configuration, versioned, tried on what was before it holds. */
export class HealthModels {
  constructor(
    private readonly store: HealthStore,
    private readonly fleet: LiveFleet,
    private readonly writes: Writes,
    private readonly clock: Clock,
  ) {}

  /** The model that holds. */
  async current(): Promise<HealthModel> {
    return (await this.store.model()) ?? BUILT_IN;
  }

  /** Has the fleet judged by the model that holds: another process of this house may have applied it. */
  async refresh(): Promise<void> {
    this.fleet.weights = weightsOf((await this.current()).weights);
  }

  /** Makes the weights what the draft says; if they are so already, the version stays. */
  async apply(call: Call, draft: ModelDraft): Promise<WriteOutcome<ModelResult>> {
    const outcome = await this.writes.run<ModelResult>({
      call,
      action: 'applyHealthModel',
      args: { ...draft },
      target: { type: 'HealthModel', id: 'default' },
      run: async (tx) => {
        assertWeights(draft.weights);
        const known = (await this.store.lockModel(tx)) ?? BUILT_IN;
        checkVersion(draft.expectedVersion, known.version, 'the health model');
        const [before, after] = [byFactor(known.weights), byFactor(listOf(weightsOf(draft.weights)))];
        const changes = patchOf(before, after);
        const model = Object.assign(new HealthModel(), {
          version: known.version + (changes.length ? 1 : 0),
          weights: listOf(weightsOf(draft.weights)),
          appliedAt: changes.length ? new Date(this.clock.nowMs()) : known.appliedAt,
        });
        if (changes.length) await this.store.addModel(tx, model);
        const result = { version: model.version, changes, ...(draft.dryRun ? { preview: { ...model } } : {}) };
        return { result, before, after };
      },
    });
    await this.refresh();
    return outcome;
  }

  /**
   * How the minutes of a range would have been graded by other weights, beside those that hold.
   * @throws BAD_INPUT for weights or a range that cannot be used
   */
  async try(weights: readonly HealthWeight[], range: TimeRange | null | undefined): Promise<Trial> {
    assertWeights(weights);
    const nowMs = this.clock.nowMs();
    const { fromMs, toMs } = stretchOf(range, nowMs);
    const minutes = await this.store.minutes(new Date(fromMs), new Date(toMs), MAX_MINUTES);
    return tryWeights(minutes, weightsOf((await this.current()).weights), weightsOf(weights));
  }
}

const BUILT_IN: HealthModel = Object.assign(new HealthModel(), {
  version: 0,
  weights: listOf(STANDARD_WEIGHTS),
  appliedAt: null,
});

const byFactor = (weights: readonly HealthWeight[]): object =>
  Object.fromEntries(weights.map(({ factor, points, from, to }) => [factor, { points, from, to }]));

function assertWeights(weights: readonly HealthWeight[]): void {
  const seen = new Set<string>();
  weights.forEach(({ factor, points, from, to }, at) => {
    const refuse = (sentence: string, field: string) => {
      throw new FleetError('BAD_INPUT', sentence, { field: ['weights', String(at), field] });
    };
    if (seen.has(factor)) refuse(`${factor} is weighted twice`, 'factor');
    if (points < 0 || points > 100) refuse('a factor takes 0 to 100 points', 'points');
    if (!(from < to)) refuse('`from` is below `to`', 'from');
    seen.add(factor);
  });
}

function stretchOf(range: TimeRange | null | undefined, nowMs: number): { fromMs: number; toMs: number } {
  const lastMs = range?.last == null ? undefined : durationMs(range.last);
  const fromMs = lastMs === undefined ? (range?.from?.getTime() ?? nowMs - KEPT_MS) : nowMs - lastMs;
  const toMs = range?.to?.getTime() ?? nowMs;
  if (fromMs >= toMs) throw new FleetError('BAD_INPUT', 'a range begins before it ends', { field: ['range'] });
  return { fromMs, toMs };
}
