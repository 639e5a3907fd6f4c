/**
 * Waits until a condition holds, for a test; never for a time.
 * @throws the condition's last failure, after `limitMs`
 */
export async function until<T>(condition: () => T | Promise<T>, limitMs = 20_000): Promise<NonNullable<T>> {
  for (let waitedMs = 0; ; waitedMs += 25) {
    const value = await condition();
    if (value) return value;
    if (waitedMs >= limitMs) throw new Error(`this did not become true: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
