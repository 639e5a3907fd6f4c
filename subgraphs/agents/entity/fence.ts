/**
 * The fence of a command: which process of the agent it is for, and its number among the agent's commands. Another process of
 * the same agent gets another fence, so that what the one before it still says is told apart.
 */
export function fenceOf(incarnation: number, number: number): string {
  return `${incarnation}.${number}`;
}

/** Which process of its agent a command is for. */
export function incarnationOf(fence: string): number {
  return Number(fence.split('.')[0]);
}
