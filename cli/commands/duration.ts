/** `15m` and the like as ISO 8601; what is not of that form goes as it is. */
export function durationOf(text: string): string {
  const [, amount, unit] = /^(\d+)(s|m|h|d)$/.exec(text) ?? [];
  if (!amount || !unit) return text;
  return unit === 'd' ? `P${amount}D` : `PT${amount}${unit.toUpperCase()}`;
}
