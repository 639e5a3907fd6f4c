/**
 * Arguments of node for a process that routes. What requests under way hold lives as long as they do: in a young
 * generation of the default size it is copied twice and then collected among the old, a fifth of the processor time.
 * Measured with 50 requests at once: 12 to 25 % less for each.
 */
export const YOUNG_GENERATION = ['--min-semi-space-size=32', '--max-semi-space-size=64'] as const;

/**
 * Becomes the same program with a young generation of that size, where node can do this and nobody has set the size.
 * Returns where it cannot: then all works, at the default's cost.
 */
export function growYoungGeneration(
  { execPath, execArgv, argv, connected, platform, execve }: NodeJS.Process,
  environment: Readonly<Record<string, string | undefined>>,
): void {
  const isSet = /--(min|max)[-_]semi[-_]space/.test([...execArgv, environment['NODE_OPTIONS'] ?? ''].join(' '));
  // A parent that speaks with this process would lose it.
  if (isSet || connected || platform === 'win32' || !execve) return;
  execve(execPath, [execPath, ...YOUNG_GENERATION, ...execArgv, ...argv.slice(1)], { ...environment });
}
