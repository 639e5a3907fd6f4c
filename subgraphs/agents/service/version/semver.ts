/** Semantic Versioning 2.0.0, its own expression: major, minor, patch, pre-release, build. */
const SEMVER =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][\da-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][\da-zA-Z-]*))*))?(?:\+([\da-zA-Z-]+(?:\.[\da-zA-Z-]+)*))?$/;

export function isSemver(text: string): boolean {
  return text.length <= 64 && SEMVER.test(text);
}

/** Precedence of two semantic versions (section 11): below 0 when the first is older. What is none is older than any. */
export function compareVersions(one: string, other: string): number {
  const [a, b] = [SEMVER.exec(one), SEMVER.exec(other)];
  if (!a || !b) return (a ? 1 : 0) - (b ? 1 : 0) || (one < other ? -1 : one > other ? 1 : 0);
  for (const part of [1, 2, 3]) {
    const difference = compareNumbers(a[part] as string, b[part] as string);
    if (difference) return difference;
  }
  return compareReleases(a[4], b[4]);
}

/** Digits without a leading zero, of any length. */
function compareNumbers(one: string, other: string): number {
  return one.length - other.length || (one < other ? -1 : one > other ? 1 : 0);
}

function compareReleases(one: string | undefined, other: string | undefined): number {
  // A release is newer than any of its pre-releases.
  if (one === undefined || other === undefined) return (one === undefined ? 1 : 0) - (other === undefined ? 1 : 0);
  const [left, right] = [one.split('.'), other.split('.')];
  for (let at = 0; at < Math.max(left.length, right.length); at += 1) {
    const [a, b] = [left[at], right[at]];
    if (a === undefined || b === undefined) return a === undefined ? -1 : 1;
    const [isNumber, isOtherNumber] = [/^\d+$/.test(a), /^\d+$/.test(b)];
    if (isNumber !== isOtherNumber) return isNumber ? -1 : 1;
    const difference = isNumber ? compareNumbers(a, b) : a < b ? -1 : a > b ? 1 : 0;
    if (difference) return difference;
  }
  return 0;
}
