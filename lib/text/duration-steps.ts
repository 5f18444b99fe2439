/** Steps in which the lengths of sessions are counted: each about three times the one before. */
export const DURATION_STEPS: readonly { readonly below: number; readonly name: string }[] = [
  { below: 1, name: "under 1 s" },
  { below: 3, name: "1 to 3 s" },
  { below: 10, name: "3 to 10 s" },
  { below: 30, name: "10 to 30 s" },
  { below: 60, name: "30 to 60 s" },
  { below: 180, name: "1 to 3 min" },
  { below: 600, name: "3 to 10 min" },
  { below: 1800, name: "10 to 30 min" },
  { below: Infinity, name: "30 min and more" },
];

/** Place of a length in seconds among the steps. */
export function durationStep(seconds: number): number {
  return DURATION_STEPS.findIndex(({ below }) => seconds < below);
}
