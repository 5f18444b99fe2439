import { expect, test } from "bun:test";
import { isAlive, isNear, THIS_PROCESS } from "../../../lib/process/process-identity.ts";

/** One that has ended and is buried. */
const gone = Bun.spawnSync(["true"]).pid;

test("a process may still be at work: this one, one that does not tell its start, any of another machine; no other", () => {
  const alive = (more: object) => isAlive({ ...THIS_PROCESS, ...more });
  expect([{}, { start: "" }, { host: "elsewhere", pid: gone }].map(alive)).toEqual([true, true, true]);
  // The same number, given again after it ended; numbers by which a signal would reach a group of processes.
  expect([{ start: "1" }, { pid: gone }, { pid: 0 }, { pid: -1 }, { pid: 1.5 }, { pid: NaN }].map(alive)).toEqual(Array(6).fill(false));
});

test("near is what runs on this machine and in this space of processes, as far as that is told", () => {
  const near = (more: object) => isNear({ ...THIS_PROCESS, ...more });
  expect([{}, { pid: gone }, { space: undefined }, { space: "pid:[1]" }, { host: "elsewhere" }].map(near)).toEqual([true, true, true, false, false]);
});
