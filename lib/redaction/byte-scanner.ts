import { type HintNode, parseHint } from './hint.ts';

/** A state of the automaton before it is made deterministic: waits for a byte, or is the end, unless one of `unless` follows. */
type State = { bytes: Uint8Array; next: readonly number[] } | { unless: Uint8Array | undefined };

/** More states than this are not worth their table. */
const MAX_STATES = 2_048;
const FOUND = 2 ** 30;

/**
 * Finds in bytes, in one pass and whatever their case, where expressions end: a deterministic automaton (Aho and Corasick's idea
 * for more than words), less than half the time that the engine of expressions takes over alternatives without a common beginning.
 */
export class ByteScanner {
  private constructor(
    private readonly classes: Uint8Array,
    private readonly table: Int32Array,
    private readonly endings: ReadonlySet<number>,
  ) {}

  /**
   * @param source of an expression of ASCII characters, escapes, classes, groups, `|`, counts, and `(?!…)` of one character at
   * an alternative's end
   * @returns undefined when its automaton would be too large
   */
  static of(source: string): ByteScanner | undefined {
    const states: State[] = [{ unless: undefined }];
    const start = statesOf(parseHint(source), [0], states);
    const { classes, samples } = classesOf(states);
    const made = tableOf(states, start, samples);
    return made && new ByteScanner(classes, made.table, made.endings);
  }

  /**
   * Where the last byte of a match may be; a stretch of bytes that has a whole match in it has one of these in it.
   * @returns undefined when there are more than `most`
   */
  places(bytes: Uint8Array, most: number): number[] | undefined {
    const { classes, table } = this;
    const found: number[] = [];
    let state = 0;
    for (let at = 0; at < bytes.length; at += 1) {
      const step = table[state + (classes[bytes[at] as number] as number)] as number;
      if (step < FOUND) state = step;
      else {
        state = step - FOUND;
        // A byte that was not to follow did not: the match ended before it.
        if (at > 0) found.push(at - 1);
        found.push(at);
        if (found.length > most) return undefined;
      }
    }
    if (this.endings.has(state)) found.push(bytes.length - 1);
    return found;
  }
}

/** Adds the states of a node that goes on to `next`. @returns where it begins */
function statesOf(node: HintNode, next: readonly number[], states: State[]): readonly number[] {
  switch (node.kind) {
    case 'bytes':
      return [states.push({ bytes: node.bytes, next }) - 1];
    case 'unless':
      if (next.length !== 1 || next[0] !== 0) throw new Error('a hint has a look-ahead in its midst');
      return [states.push({ unless: node.bytes }) - 1];
    case 'sequence':
      return node.nodes.reduceRight((after, part) => statesOf(part, after, states), next);
    case 'either':
      return [...new Set(node.nodes.flatMap((way) => statesOf(way, next, states)))];
    case 'repeat':
      return repeatOf(node, next, states);
  }
}

function repeatOf(
  { node, least, most }: Extract<HintNode, { kind: 'repeat' }>,
  next: readonly number[],
  states: State[],
): readonly number[] {
  let after = next;
  if (most === Infinity) {
    // The loop comes back to its own beginning, known only when it is made.
    const again: number[] = [...next];
    const loop = statesOf(node, again, states);
    again.push(...loop.filter((state) => !again.includes(state)));
    after = again;
  } else {
    for (let left = most - least; left > 0; left -= 1) {
      after = [...new Set([...statesOf(node, after, states), ...next])];
    }
  }
  for (let left = least; left > 0; left -= 1) after = statesOf(node, after, states);
  return after;
}

/**
 * The automaton made deterministic, a row for each set of states that it can be in beside those it always begins in; undefined
 * when there are too many.
 */
function tableOf(states: readonly State[], start: readonly number[], samples: readonly number[]) {
  const begun = new Set(start);
  const after = (state: State, byte: number): readonly number[] => {
    if ('bytes' in state) return state.bytes[byte] ? state.next : [];
    // What was not to follow does not: the match is whole.
    return state.unless?.[byte] ? [] : [0];
  };
  const first = samples.map((byte) => start.flatMap((state) => after(states[state] as State, byte)));
  const numbers = new Map<string, number>();
  const sets: (readonly number[])[] = [];
  const numberOf = (reached: readonly number[]): number => {
    const set = [...new Set(reached)].filter((state) => state !== 0 && !begun.has(state)).sort((a, b) => a - b);
    const key = set.join();
    const known = numbers.get(key);
    if (known !== undefined) return known;
    numbers.set(key, sets.length);
    return sets.push(set) - 1;
  };
  numberOf([]);
  const rows: number[] = [];
  const endings = new Set<number>();
  for (let row = 0; row < sets.length; row += 1) {
    if (sets.length > MAX_STATES) return undefined;
    const set = (sets[row] as number[]).map((state) => states[state] as State);
    if (set.some((state) => 'unless' in state)) endings.add(row * samples.length);
    for (const [at, byte] of samples.entries()) {
      const reached = [...(first[at] as number[]), ...set.flatMap((state) => after(state, byte))];
      rows.push(numberOf(reached) * samples.length + (reached.includes(0) ? FOUND : 0));
    }
  }
  return { table: Int32Array.from(rows), endings };
}

/** Bytes that no state tells apart are one class; `samples` has one of each. */
function classesOf(states: readonly State[]): { classes: Uint8Array; samples: number[] } {
  const sets = states.map((state) => ('bytes' in state ? state.bytes : state.unless));
  const known = new Map<string, number>();
  const samples: number[] = [];
  const classes = Uint8Array.from({ length: 256 }, (_, byte) => {
    const key = sets.map((set) => set?.[byte] ?? 0).join('');
    const found = known.get(key);
    if (found !== undefined) return found;
    known.set(key, samples.length);
    return samples.push(byte) - 1;
  });
  return { classes, samples };
}
