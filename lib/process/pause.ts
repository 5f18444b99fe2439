/** Let signals, timers and other work have their turn in the middle of a long calculation. */
export function pause(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve));
}
