/** What can be chosen: counted and read by place, so that choosing makes no lists. */
export interface Choices<T> {
  readonly length: number;
  readonly [place: number]: T;
}

/**
 * The less loaded of two that chance picks among those that may be chosen.
 * Source: Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 1996.
 * @param random a number in [0, 1)
 * @returns undefined when none may be chosen
 */
export function lessLoadedOfTwo<T>(
  all: Choices<T>,
  mayBeChosen: (one: T) => boolean,
  loadOf: (one: T) => number,
  random: () => number,
): T | undefined {
  let count = 0;
  let last: T | undefined;
  for (let place = 0; place < all.length; place++) {
    if (!mayBeChosen(all[place] as T)) continue;
    count += 1;
    last = all[place];
  }
  if (count <= 1) return last;
  const first = Math.floor(random() * count);
  const other = (first + 1 + Math.floor(random() * (count - 1))) % count;
  const one = nth(all, mayBeChosen, first);
  const two = nth(all, mayBeChosen, other);
  return loadOf(two) < loadOf(one) ? two : one;
}

function nth<T>(all: Choices<T>, mayBeChosen: (one: T) => boolean, index: number): T {
  let left = index;
  for (let place = 0; ; place++) {
    const one = all[place] as T;
    if (mayBeChosen(one) && left-- === 0) return one;
  }
}
