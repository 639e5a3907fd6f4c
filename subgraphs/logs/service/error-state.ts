import { ErrorGroupState } from '../entity/error-group.ts';
import type { ErrorResolution } from '../entity/error-resolution.ts';
import { nanosOf, type SeenVersion } from '../store/index.ts';

/**
 * Whether a group of errors is mended.
 * @param resolution what was said; null when nobody said so
 * @param seen versions that failed in it, with the last time of each; those of before the resolution say nothing
 */
export function stateOf(
  resolution: Pick<ErrorResolution, 'resolvedAt' | 'inVersion'> | null | undefined,
  seen: readonly Pick<SeenVersion, 'version' | 'lastTime'>[],
): ErrorGroupState {
  if (!resolution) return ErrorGroupState.UNRESOLVED;
  // To its last nanosecond: what came in the same millisecond did not come after it.
  const since = BigInt(nanosOf(resolution.resolvedAt.getTime() + 1)) - 1n;
  const { inVersion } = resolution;
  const regressed = seen.some(
    ({ version, lastTime }) =>
      BigInt(lastTime) > since && (inVersion === null || version === '' || isLaterVersion(version, inVersion)),
  );
  return regressed ? ErrorGroupState.REGRESSED : ErrorGroupState.RESOLVED;
}

/**
 * Whether a version comes after another: by its numbers and words in turn, as people write them. A release comes after its own
 * previews, `1.0.0` after `1.0.0-rc.1`; what follows `+` says nothing. Source: Semantic Versioning 2.0.0, 11.
 */
export function isLaterVersion(version: string, than: string): boolean {
  const [a, b] = [partsOf(version), partsOf(than)];
  for (let at = 0; at < Math.max(a.length, b.length); at += 1) {
    const [left, right] = [a[at], b[at]];
    if (left === right) continue;
    // Numbers that are not written are zeros; a word that only one has makes that one the earlier.
    if (typeof (left ?? 0) === 'number' && typeof (right ?? 0) === 'number') {
      if ((left ?? 0) !== (right ?? 0)) return (left ?? 0) > (right ?? 0);
    } else if (typeof left === 'string' && typeof right === 'string') return left > right;
    else return typeof right === 'string';
  }
  return false;
}

function partsOf(version: string): (number | string)[] {
  const [told = ''] = version.replace(/^v(?=\d)/i, '').split('+');
  return (told.match(/\d+|[A-Za-z]+/g) ?? []).map((part) => (/^\d/.test(part) ? Number(part) : part));
}
