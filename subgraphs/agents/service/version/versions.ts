import type { Call } from '../../../../lib/call/signing.ts';
import type { Clock } from '../../../../lib/clock.ts';
import type { Transaction } from '../../../../lib/database.ts';
import { FleetError } from '../../../../lib/errors.ts';
import { type PatchStep, patchOf } from '../../../../lib/json-patch.ts';
import type { WriteOutcome, Writes } from '../../../../lib/write/writes.ts';
import { AgentVersion, contentOf } from '../../entity/agent-version.ts';
import type { ConfigOperation } from '../../entity/config-operation.ts';
import type { VersionStore } from '../../store/versions.ts';
import { assertConfig } from '../definition.ts';
import { readOperations } from '../migration/operations.ts';
import type { Config } from '../migration/pointer.ts';
import { actorOf } from '../record.ts';
import { compareVersions, isSemver } from './semver.ts';
import { VersionedConfigs } from './versioned-configs.ts';

/** A version as it is published. */
export interface NewVersion {
  kind: string;
  version: string;
  configSchema?: unknown;
  defaults?: unknown;
  migratesFrom?: string | null | undefined;
  operations?: readonly ConfigOperation[] | null | undefined;
  notes?: string | null | undefined;
  dryRun?: boolean | null | undefined;
  clientMutationId?: string | null | undefined;
}

export interface VersionResult {
  kind: string;
  version: string;
  changes: PatchStep[];
  /** The version as it would be, for a dry run. */
  preview?: object;
}

const MAX_VERSIONS = 1_000;
const MAX_NOTES = 4_000;
const KIND = /^(?!\s)[^\p{Cc}]{1,64}(?<!\s)$/u;

/** Publishes versions of kinds of agents, and tells what there are. */
export class Versions {
  constructor(
    private readonly store: VersionStore,
    private readonly configs: VersionedConfigs,
    private readonly writes: Writes,
    private readonly clock: Clock,
  ) {}

  /** Newest first. */
  async ofKind(kind: string): Promise<AgentVersion[]> {
    return (await this.store.ofKind(kind)).sort((a, b) => compareVersions(b.version, a.version));
  }

  find(kind: string, version: string): Promise<AgentVersion | null> {
    return this.store.find(kind, version);
  }

  /**
   * Publishes a version, once: the same again changes nothing, another content is a CONFLICT. Its migrations are tried on the
   * defaults of the version they start from.
   */
  publish(call: Call, input: NewVersion): Promise<WriteOutcome<VersionResult>> {
    return this.writes.run<VersionResult>({
      call,
      action: 'publishAgentVersion',
      args: { ...input },
      target: { type: 'AgentVersion', id: `${input.kind}@${input.version}` },
      run: async (tx) => {
        assertNew(input);
        await this.store.lockKind(tx, input.kind);
        const all = await this.store.ofKind(input.kind, tx);
        const version = this.#versionOf(call, input);
        const known = all.find((each) => each.version === input.version);
        const changes = patchOf(known && contentOf(known), contentOf(version));
        if (known && changes.length) {
          throw new FleetError(
            'CONFLICT',
            `${input.kind} ${input.version} is published and stays as it is: publish another`,
            {
              field: ['version'],
            },
          );
        }
        if (!known) {
          if (all.length >= MAX_VERSIONS)
            throw new FleetError('CONFLICT', `there are ${MAX_VERSIONS} versions already`);
          this.configs.prove(version, all);
          await this.store.insert(tx, version);
        }
        const target = { type: 'AgentVersion', id: (known ?? version).id };
        const preview = input.dryRun ? { preview: { ...(known ?? version) } } : {};
        return {
          result: { kind: input.kind, version: input.version, changes, ...preview },
          target,
          before: known && contentOf(known),
          after: contentOf(version),
        };
      },
    });
  }

  /**
   * A configuration as the agent's version has it: complete and valid. Any, when that version is not published.
   * @throws BAD_INPUT with the path that is wrong
   */
  async complete(
    tx: Transaction,
    { kind, version }: { kind: string; version: string },
    config: Config,
  ): Promise<Config> {
    const published = await this.store.find(kind, version, tx);
    return published ? this.configs.complete(published, config) : config;
  }

  #versionOf(call: Call, input: NewVersion): AgentVersion {
    return Object.assign(new AgentVersion(), {
      uuid: this.clock.uuid(),
      kind: input.kind,
      version: input.version,
      configSchema: (input.configSchema ?? null) as Config | null,
      defaults: (input.defaults ?? {}) as Config,
      migratesFrom: input.migratesFrom ?? null,
      operations: (input.operations ?? []).map(withoutNothing),
      notes: input.notes ?? null,
      publishedAt: new Date(this.clock.nowMs()),
      publishedBy: actorOf(call.principal),
    });
  }
}

function assertNew({ kind, version, defaults, migratesFrom, operations, notes }: NewVersion): void {
  const refuse = (sentence: string, field: string) => {
    throw new FleetError('BAD_INPUT', sentence, { field: [field] });
  };
  if (!KIND.test(kind)) refuse('a kind has 1 to 64 characters, no blanks around it', 'kind');
  if (!isSemver(version)) refuse('a version is a semantic one, such as 2.1.0', 'version');
  if (migratesFrom === version) refuse('a version does not come from itself', 'migratesFrom');
  if (migratesFrom != null && !isSemver(migratesFrom))
    refuse('a version is a semantic one, such as 2.1.0', 'migratesFrom');
  if (migratesFrom == null && operations?.length) refuse('say which version the operations start from', 'migratesFrom');
  if ((notes?.length ?? 0) > MAX_NOTES) refuse(`notes have at most ${MAX_NOTES} characters`, 'notes');
  if (defaults != null) assertConfig(defaults, 'defaults');
  readOperations(operations ?? []);
}

/** An operation as it is kept: what it does not say is left out, so that the same is equal. */
function withoutNothing(operation: ConfigOperation): ConfigOperation {
  const said = Object.entries(operation).filter(
    ([name, value]) => value !== undefined && (value !== null || name === 'value'),
  );
  return Object.fromEntries(said) as unknown as ConfigOperation;
}
