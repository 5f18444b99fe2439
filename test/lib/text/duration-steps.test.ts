import { expect, test } from "bun:test";
import { DURATION_STEPS, durationStep } from "../../../lib/text/duration-steps.ts";

test("a length belongs to the step it has not reached the end of; the names say where they begin and end", () => {
  const nameOf = (seconds: number) => DURATION_STEPS[durationStep(seconds)]!.name;
  expect([0, 0.99, 1, 2.99, 3, 29.9, 30, 59, 60, 179, 180, 600, 1799, 1800, 1e9].map(nameOf)).toEqual([
    "under 1 s",
    "under 1 s",
    "1 to 3 s",
    "1 to 3 s",
    "3 to 10 s",
    "10 to 30 s",
    "30 to 60 s",
    "30 to 60 s",
    "1 to 3 min",
    "1 to 3 min",
    "3 to 10 min",
    "10 to 30 min",
    "10 to 30 min",
    "30 min and more",
    "30 min and more",
  ]);
});
