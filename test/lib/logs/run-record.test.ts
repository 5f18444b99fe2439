/** What makes a run necessary; that a run says so, and what it does then, is in test/scripts/analyze-local.test.ts. */
import { expect, test } from "bun:test";
import { copyFileSync, mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findLogs } from "../../../lib/logs/find-logs.ts";
import { RunRecord, type RunShape } from "../../../lib/logs/run-record.ts";
import { makeTempDir } from "../../support/run.ts";

const OUTCOME = { exitCode: 0, told: [{ line: "said", isProblem: true }], text: "text", summary: { logs: 2 } } as const;

/** Two logs and an output, all of them settled. */
async function makeRun() {
  const dir = await makeTempDir();
  const at = (name: string) => join(dir.path, name);
  mkdirSync(at("logs/a"), { recursive: true });
  for (const name of ["logs/cowrie.json", "logs/a/cowrie.json", "logs/cowrie.json.arrow", "out"]) writeFileSync(at(name), name);
  await Bun.sleep(30);
  const shape = (more: Partial<RunShape> = {}): RunShape => ({
    command: "c",
    inputs: [at("logs")],
    settings: { n: 1 },
    outputs: [at("out")],
    ...more,
  });
  const tables = [at("logs/cowrie.json.arrow")];
  const open = (more?: Partial<RunShape>) => new RunRecord(shape(more), findLogs(shape(more).inputs));
  return { at, open, tables, [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose]() };
}

test("the run before is known, with all it told", async () => {
  await using run = await makeRun();
  expect(run.open().find()).toBeUndefined();
  run.open().keep(OUTCOME, run.tables, 1234);
  expect(run.open().find()).toMatchObject({ ...OUTCOME, endMs: 1234 });
});

const log = "logs/cowrie.json";
type Run = Awaited<ReturnType<typeof makeRun>>;
const changes: [what: string, change: (at: Run["at"]) => void][] = [
  ["a new log", at => writeFileSync(at("logs/cowrie.json.1"), "x")],
  ["an empty log", at => writeFileSync(at("logs/cowrie.json.1"), "")],
  ["a log that grew", at => writeFileSync(at(log), "more", { flag: "a" })],
  ["a log with other bytes and the same times", at => {
    writeFileSync(at(log), "x".repeat(log.length));
    utimesSync(at(log), 0, 0);
  }],
  ["a log touched", at => utimesSync(at(log), 0, 0)],
  ["a log renamed", at => renameSync(at(log), at("logs/cowrie.json.1"))],
  ["a folder renamed", at => renameSync(at("logs/a"), at("logs/b"))],
  ["a log removed", at => rmSync(at("logs/a/cowrie.json"))],
  ["a log replaced by its copy", at => {
    copyFileSync(at(log), at("copy"));
    renameSync(at("copy"), at(log));
  }],
  ["a link to a log", at => symlinkSync(at("logs/a/cowrie.json"), at("logs/cowrie.json.2"))],
  ["an output edited", at => writeFileSync(at("out"), "tuo")],
  ["an output removed", at => rmSync(at("out"))],
  ["an output that is a folder", at => {
    rmSync(at("out"));
    mkdirSync(at("out"));
  }],
  ["an event table removed", at => rmSync(at("logs/cowrie.json.arrow"))],
];
for (const [what, change] of changes) {
  test(`it is made again: ${what}`, async () => {
    await using run = await makeRun();
    run.open().keep(OUTCOME, run.tables);
    expect(run.open().find()).toBeDefined();
    change(run.at);
    // A link to a log that is there already adds none.
    expect(run.open().find() === undefined).toBe(what !== "a link to a log");
  });
}

test("another option, command, output, or way to name the logs is another run", async () => {
  await using run = await makeRun();
  run.open().keep(OUTCOME, run.tables);
  writeFileSync(run.at("out2"), "");
  const others: Partial<RunShape>[] = [
    { command: "d" },
    { settings: { n: 2 } },
    { outputs: [run.at("out2")] },
    { outputs: [run.at("out"), run.at("out2")] },
    { inputs: [run.at("logs/a"), run.at("logs")] },
    { inputs: [`${run.at("logs")}/`] },
  ];
  for (const other of others) expect(run.open(other).find()).toBeUndefined();
  const place = process.cwd();
  try {
    process.chdir(run.at("logs"));
    expect(run.open().find()).toBeUndefined();
  } finally {
    process.chdir(place);
  }
  expect(run.open().find()).toBeDefined();
});

test("nothing is kept of logs that may change unseen: of this very moment, of whole seconds, of standard input", async () => {
  await using run = await makeRun();
  writeFileSync(run.at(log), "now");
  run.open().keep(OUTCOME, run.tables);
  expect(run.open().find()).toBeUndefined();
  await Bun.sleep(30);
  const now = Math.floor(Date.now() / 1000);
  utimesSync(run.at(log), now, now);
  await Bun.sleep(30);
  run.open().keep(OUTCOME, run.tables);
  expect(run.open().find()).toBeUndefined();
  run.open({ inputs: ["-"] }).keep(OUTCOME, run.tables);
  expect(run.open({ inputs: ["-"] }).find()).toBeUndefined();
});

test("an output that is no file leaves no record", async () => {
  await using run = await makeRun();
  run.open({ outputs: ["/dev/null"] }).keep(OUTCOME, run.tables);
  expect(run.open({ outputs: ["/dev/null"] }).find()).toBeUndefined();
});
