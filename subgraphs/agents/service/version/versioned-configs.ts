import { FleetError } from '../../../../lib/errors.ts';
import type { AgentVersion } from '../../entity/agent-version.ts';
import { migrateDown } from '../migration/migrate.ts';
import { readOperations } from '../migration/operations.ts';
import type { Config } from '../migration/pointer.ts';
import { carry, type Edge } from '../migration/route.ts';
import { compileSchema, withDefaults } from './config-schema.ts';

type Compiled = ReturnType<typeof compileSchema>;

const MAX_COMPILED = 100;
const ANY: Compiled = { check: () => {}, checkPart: () => {} };

/** Configurations by the rules of published versions; compiles each schema once. */
export class VersionedConfigs {
  readonly #compiled = new Map<string, Compiled>();

  /** @throws BAD_INPUT with the path that is wrong */
  complete(version: AgentVersion, config: Config): Config {
    const whole = withDefaults(config, version.defaults);
    this.#of(version).check(whole);
    return whole;
  }

  /**
   * A configuration of one version as another has it: carried, completed, valid.
   * @param all every published version of the kind
   * @throws CONFLICT with the path of what would be lost, BAD_INPUT with the path that the target does not take
   */
  carry(config: Config, all: readonly AgentVersion[], from: string, to: string): Config {
    const carried = from === to ? config : carry(config, all.flatMap(edgeOf), from, to);
    const target = all.find(({ version }) => version === to);
    return target ? this.complete(target, carried) : carried;
  }

  /**
   * Tries a new version before it is published: its schema, its defaults, and its migrations on what the version before gives.
   * @throws BAD_INPUT, or CONFLICT with the path of what would be lost
   */
  prove(version: AgentVersion, others: readonly AgentVersion[]): void {
    this.#of(version).checkPart(version.defaults);
    const before = others.find((other) => other.version === version.migratesFrom);
    if (!before || !Object.keys(before.defaults).length) return;
    const carried = carry(before.defaults, edgeOf(version), before.version, version.version);
    const back = migrateDown(carried, readOperations(version.operations));
    this.#of(before).checkPart(back);
    try {
      this.#of(version).checkPart(withDefaults(carried, version.defaults));
    } catch (error) {
      if (!(error instanceof FleetError)) throw error;
      const sentence = `what ${before.version} gives by default does not fit once it is migrated: ${error.message}`;
      throw new FleetError('BAD_INPUT', sentence, { field: ['operations'], path: error.extensions['path'] });
    }
  }

  #of({ uuid, configSchema }: AgentVersion): Compiled {
    const known = this.#compiled.get(uuid);
    if (known) return known;
    const compiled = configSchema === null ? ANY : compileSchema(configSchema);
    this.#compiled.set(uuid, compiled);
    if (this.#compiled.size > MAX_COMPILED) this.#compiled.delete(this.#compiled.keys().next().value as string);
    return compiled;
  }
}

function edgeOf({ version, migratesFrom, operations }: AgentVersion): Edge[] {
  return migratesFrom === null ? [] : [{ version, migratesFrom, operations: readOperations(operations) }];
}
