/**
 * Long calculations that signals, timers and other work can interrupt.
 *
 * Tested in `test/lib/reduced/combine.test.ts` and `test/lib/events/event-table.test.ts`.
 */

/** Let everything else have its turn. */
export function pause(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve));
}

/** A signal waits for so long at most. */
const PAUSE_EVERY_MS = 50;
let pausedMs = 0;

/** As {@link pause} where the last one is some time ago: for loops of many small steps, which `await` alone does not interrupt. */
export async function pauseNowAndThen(): Promise<void> {
  if (performance.now() - pausedMs < PAUSE_EVERY_MS) return;
  await pause();
  pausedMs = performance.now();
}

/** A calculation in steps, each short enough for a signal to wait for its end. */
export type Calculation<T> = Generator<void, T>;

export function takeAtOnce<T>(steps: Calculation<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** Take all steps with a pause behind each. */
export async function takeWithPauses<T>(steps: Calculation<T>): Promise<T> {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    await pause();
  }
}
