/** How the work of a function grows with its text, on a machine that may be busy with other things. */

const ATTEMPTS = 5;

/** Work of this thread so far, in milliseconds of the processor. */
export function workMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/**
 * Work for a long text over that for a short one.
 *
 * @param leastMs What is shorter says nothing of growth, and counts as so long.
 * @param most Where the quotient is not under it, it is measured again: what grows too fast does so each time.
 * @returns The least quotient of all that were measured.
 */
export function measureGrowth(
  run: (text: string) => unknown,
  { short, long, leastMs, most }: { short: string; long: string; leastMs: number; most: number },
): number {
  const timeOf = (text: string) => {
    const started = workMs();
    run(text);
    return workMs() - started;
  };
  let least = Infinity;
  for (let attempt = 0; attempt < ATTEMPTS && least >= most; attempt++) {
    const shortMs = Math.max(timeOf(short), timeOf(short), leastMs);
    least = Math.min(least, timeOf(long) / shortMs);
  }
  return least;
}
