import { expect, test } from "bun:test";
import { progressLine, startProgress } from "../../../lib/process/progress.ts";
import { missing } from "../../support/needs.ts";
import { makeTempDir, run } from "../../support/run.ts";
import { writeSource } from "../../support/source.ts";

/** A terminal that remembers what was drawn, and a clock set by hand. */
function fakeScreen({ isTerminal = true, columns = 80 as number | undefined } = {}) {
  const log: string[] = [];
  const clock = { ms: 0 };
  return {
    log,
    clock,
    screen: {
      isTerminal,
      columns,
      rows: undefined,
      nowMs: () => clock.ms,
      draw: (text: string) => void log.push(text),
      note: (line: string) => void log.push(`${line}\n`),
    },
  };
}
const CLEAR = "\r\x1b[K";

test("startProgress() draws at most five times a second and clears its line", () => {
  const { log, clock, screen } = fakeScreen();
  const progress = startProgress({ label: "Reading", totalBytes: 10e6 }, screen);
  for (; clock.ms < 1000; clock.ms += 10) progress.add(20_000);
  progress[Symbol.dispose]();
  expect(log).toEqual([
    `${CLEAR}Reading  0 %  20.0 kB of 10.0 MB  -`,
    `${CLEAR}Reading  4 %  420 kB of 10.0 MB  2.10 MB/s`,
    `${CLEAR}Reading  8 %  820 kB of 10.0 MB  2.05 MB/s`,
    `${CLEAR}Reading  12 %  1.22 MB of 10.0 MB  2.03 MB/s`,
    `${CLEAR}Reading  16 %  1.62 MB of 10.0 MB  2.02 MB/s`,
    CLEAR,
  ]);
});

test("startProgress() makes way for a note", () => {
  const { log, screen } = fakeScreen();
  const progress = startProgress({ label: "Reading" }, screen);
  progress.add(1);
  progress.note("skipped a folder");
  progress.add(1);
  progress.clear();
  progress.clear();
  expect(log).toEqual([`${CLEAR}Reading  1 B  -`, CLEAR, "skipped a folder\n", `${CLEAR}Reading  2 B  -`, CLEAR]);
});

test("startProgress() without a terminal passes on notes only, quiet not even those", () => {
  const { log, screen } = fakeScreen({ isTerminal: false });
  for (const quiet of [false, true]) {
    const progress = startProgress({ label: "Reading", quiet }, screen);
    progress.add(1);
    progress.note(`quiet ${quiet}`);
    progress[Symbol.dispose]();
  }
  const onTerminal = fakeScreen();
  startProgress({ label: "Reading", quiet: true }, onTerminal.screen).add(1);
  expect([log, onTerminal.log]).toEqual([["quiet false\n"], []]);
});

test("startProgress() never wraps a line, and escapes its label", () => {
  const { log, screen } = fakeScreen({ columns: 12 });
  startProgress({ label: "\x1b[2J and more" }, screen).add(1);
  expect(log).toEqual([`${CLEAR}\\x1b[2J an…`]);
});

const LINES: { done: number; total?: number; ms: number; unit?: string; line: string }[] = [
  { done: 0, total: 8e7, ms: 2000, unit: "rows", line: "Reading  0 %  -" },
  { done: 2e7, total: 8e7, ms: 2000, unit: "rows", line: "Reading  25 %  10.0 million rows/s  6.00 s left" },
  { done: 0, total: 0, ms: 0, line: "Reading  0 B  -" },
  { done: 5e6, ms: 2000, line: "Reading  5.00 MB  2.50 MB/s" },
  { done: 25e6, total: 100e6, ms: 2000, line: "Reading  25 %  25.0 MB of 100 MB  12.5 MB/s  6.00 s left" },
  { done: 99.9e6, total: 100e6, ms: 500, line: "Reading  99 %  99.9 MB of 100 MB  200 MB/s" },
  { done: 101e6, total: 100e6, ms: 2000, line: "Reading  100 %  101 MB of 100 MB  50.5 MB/s" },
];
test.each(LINES)("progressLine() $line", ({ done, total, ms, unit, line }) => {
  expect(progressLine("Reading", done, total, ms, unit)).toBe(line);
});

const PROGRAM = `
  import { EXIT, note, runMain } from "$lib/process/cli.ts";
  import { startProgress } from "$lib/process/progress.ts";
  await runMain("sample", async () => {
    using progress = startProgress({ label: "Reading" });
    progress.add(1000);
    throw new Error("no luck");
  });`;

test("progress writes nothing into a pipe", async () => {
  await using dir = await makeTempDir();
  const { stdout, stderr, exitCode } = await run(await writeSource(dir.path, PROGRAM));
  expect({ stdout, stderr, exitCode }).toEqual({ stdout: "", stderr: "sample: no luck\n", exitCode: 1 });
});

const script = missing("script");
test.skipIf(script.reason !== undefined)(`on a real terminal the line is gone before the error${script.why}`, async () => {
  await using dir = await makeTempDir();
  const command = (await writeSource(dir.path, PROGRAM)).join(" ");
  const { stdout, exitCode } = await run(["script", "-qec", command, "/dev/null"], { env: { TERM: "xterm" } });
  expect({ stdout, exitCode }).toEqual({
    stdout: expect.stringMatching(/^\r\x1b\[KReading  1\.00 kB  [^\r]*\r\x1b\[Ksample: no luck\r\n$/), exitCode: 1,
  });
});
