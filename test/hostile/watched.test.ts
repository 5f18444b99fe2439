/** The watch itself: each promise that is broken is found out. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { makeTempDir } from "../support/run.ts";
import { faultsOf, faultsOfOutputs, UNTOUCHED, watch } from "./watched.ts";

const YARDSTICK = { cpuSeconds: 0.02, peakBytes: 100e6 };

test.each([
  { name: "work without end", code: "for (;;);", fault: "work: " },
  { name: "memory without end", code: "globalThis.a = Array.from({ length: 6 }, () => Buffer.alloc(1e8, 1))", fault: "memory: " },
  { name: "a code nobody promised", code: "process.exit(7)", fault: "exit code 7" },
  { name: "a failure without a word", code: "process.exit(1)", fault: "exit code 1 without a word" },
  { name: "usage without its line", code: "process.exit(2)", fault: "not one line for wrong usage" },
  { name: "a fall", code: "null.x", fault: "stderr: the program fell over" },
  { name: "a cursor that is moved", code: 'console.log("\\x1b[2J")', fault: "stdout: a raw control character" },
  { name: "a text that is turned round", code: 'console.error("\\u202e")', fault: "stderr: a raw control character" },
])("finds out $name", async ({ code, fault }) => {
  const run = await watch([process.execPath, "-e", code], { cwd: import.meta.dir, yardstick: YARDSTICK });
  const faults = faultsOf(run, { name: "x", inputBytes: 0, yardstick: YARDSTICK, isText: true });
  expect(faults.join("\n")).toContain(fault);
});

test("finds nothing in a run that is well, and what is not whole among outputs", async () => {
  await using dir = await makeTempDir();
  // Whatever the tests of this process need themselves.
  Buffer.alloc(4e8, 1);
  const run = await watch([process.execPath, "-e", 'console.log("well")'], { cwd: dir.path, yardstick: { ...YARDSTICK, cpuSeconds: 1 } });
  expect(faultsOf(run, { name: "x", inputBytes: 0, yardstick: YARDSTICK, isText: true })).toEqual([]);
  await Bun.write(join(dir.path, "a.json"), UNTOUCHED);
  await Bun.write(join(dir.path, "b.json"), "[]");
  expect(await faultsOfOutputs(dir.path, run)).toEqual([]);
  await Bun.write(join(dir.path, "c.json"), "[");
  await Bun.write(join(dir.path, "d.html"), "<p>\x1b</p></html>\n");
  await Bun.write(join(dir.path, "e.arrow"), "ARROW1");
  await Bun.write(join(dir.path, "f.json.partial"), "");
  expect((await faultsOfOutputs(dir.path, run)).map(fault => fault.split(/[ :]+/)[1])).toEqual(
    expect.arrayContaining(["c.json", "d.html", "e.arrow", "f.json.partial"]),
  );
});
