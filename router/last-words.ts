/** Waits until all of this is done, but not longer: whoever goes away cannot wait for others. @throws what failed in time */
export async function noLongerThan(ms: number, work: readonly (Promise<unknown> | undefined)[]): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([Promise.all(work), late]).finally(() => clearTimeout(timer));
}
