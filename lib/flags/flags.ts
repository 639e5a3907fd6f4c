import { FLAG_NAMES, FLAGS, type FlagName } from './catalogue.ts';
import { type CompiledRule, compileRule, type FlagRule, judge } from './rule.ts';

/** Which features are on. Asking costs well under a microsecond: it may be done for every request. */
export interface Flags {
  /**
   * @param caller for whom; without one, a flag that is on for some only is off
   * @throws Error for a name that the catalogue does not have
   */
  isOn(name: FlagName, caller?: { readonly id: string }): boolean;
}

/** Every flag held on or off, whatever anybody sets. */
export type Hold = 'all-on' | 'all-off';

/** Flags by rules that may be exchanged as a whole. */
export class RuledFlags implements Flags {
  #compiled: ReadonlyMap<string, CompiledRule>;

  constructor(
    rules: Readonly<Partial<Record<FlagName, FlagRule>>> = {},
    readonly hold?: Hold,
  ) {
    this.#compiled = compileAll(rules, hold);
  }

  isOn(name: FlagName, caller?: { readonly id: string }): boolean {
    const rule = this.#compiled.get(name);
    if (rule === undefined) throw new Error(`${name} is no flag: lib/flags/catalogue.ts lists them`);
    return typeof rule === 'boolean' ? rule : judge(rule, caller?.id);
  }

  protected exchange(rules: Readonly<Partial<Record<FlagName, FlagRule>>>): void {
    this.#compiled = compileAll(rules, this.hold);
  }
}

function compileAll(rules: Readonly<Partial<Record<FlagName, FlagRule>>>, hold: Hold | undefined) {
  return new Map<string, CompiledRule>(
    FLAG_NAMES.map((name) => [
      name,
      hold ? hold === 'all-on' : compileRule(name, rules[name], FLAGS[name].isOnByDefault),
    ]),
  );
}

/** The catalogue's defaults, or every flag as held. */
export function heldFlags(hold?: Hold): Flags {
  return new RuledFlags({}, hold);
}

let standard = heldFlags();

/** What holds where nobody passed flags: the catalogue's defaults. */
export function standardFlags(): Flags {
  return standard;
}

/** Holds every flag of this process that nobody passed on or off; undefined: the defaults again. For whole test runs. */
export function holdStandardFlags(hold: Hold | undefined): void {
  standard = heldFlags(hold);
}

/** Some flags as given, the others as they stand. For tests of one feature, which must not depend on what is held. */
export function fixedFlags(given: Readonly<Partial<Record<FlagName, boolean>>>, others = standardFlags()): Flags {
  return { isOn: (name, caller) => given[name] ?? others.isOn(name, caller) };
}
