#!/usr/bin/env bun
/**
 * Logs dealt out into lists of equal work, for many machines or cores; copies are left out here, where all logs are seen.
 */
import { readdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { EXIT, type ExitCode, note, runMain, STDIN, writeOut } from "../lib/process/cli.ts";
import { type Command, COMMON_OPTIONS, UsageError } from "../lib/process/command.ts";
import { parseCommand } from "../lib/process/options.ts";
import { FILE_OPTION, listInputs, LOG_OPERAND, NAMES_OPTION, readNames } from "../lib/logs/log-options.ts";
import { findLogs, leaveOutCopies } from "../lib/logs/find-logs.ts";
import { planParts, workOf } from "../lib/logs/plan-parts.ts";
import { assertWritable, writeOutputs } from "../lib/process/output-file.ts";
import { lockOutputs } from "../lib/process/lock.ts";
import { formatBytes, plural } from "../lib/text/format.ts";
import { quoteForMessage, toSafeJson, visible } from "../lib/text/text.ts";

const OPTIONS = {
  ...FILE_OPTION,
  ...NAMES_OPTION,
  parts: {
    type: "count",
    min: 1,
    max: 100_000,
    required: true,
    placeholder: "N",
    help: "Lists to make. A task costs 0.4 s by itself, so let each have some hundred megabytes, and some lists a machine.",
  },
  outfile: { type: "path", short: "o", default: "plan", placeholder: "FOLDER", help: "Folder of the lists; lists of an earlier plan in it are replaced, and their counts removed." },
  keepDuplicates: { type: "boolean", help: "Keep logs that hold the same text as another, or its beginning." },
  json: { type: "boolean", help: "Write one JSON object to stdout: the lists with their logs and bytes, and what was left out." },
  quiet: COMMON_OPTIONS.quiet,
} as const;

export const COMMAND = {
  name: "plan",
  summary: "Logs dealt out into lists of equal work, to be reduced side by side and combined.",
  operands: [LOG_OPERAND],
  options: OPTIONS,
  writes:
    "Lists part-0001.list, part-0002.list, … in the folder, each for reduce.ts --files0-from: absolute paths, a NUL byte behind " +
    "each. scripts/cluster/ runs them by Slurm, GNU parallel or Snakemake. Copies that are written otherwise (other " +
    "spaces, other collector) are found only where they meet in one part.",
  exits: {
    failed: "an input is missing, there is no log, or the folder cannot be written",
    more: ["3 done, but a log without a byte is in no list: stderr names it"],
  },
  examples: [
    { does: "Four lists of the example logs", run: "bun scripts/plan.ts test/fixtures/fleet --parts 4 -o plan" },
    {
      does: "By hand: one list after the other, then all of them together",
      run:
        "bun scripts/plan.ts test/fixtures/fleet --parts 2 -o plan -q && for p in 0001 0002; do bun scripts/reduce.ts --files0-from " +
        "plan/part-$p.list -o plan/part-$p.arrow -q; done; bun scripts/combine-reduced.ts plan/part-0001.arrow plan/part-0002.arrow -o fleet.json -q",
    },
  ],
} as const satisfies Command;

/** What a plan makes, and what is made of it. */
const OWN = /^part-\d{4,6}\.(list|arrow|json|log)$|^plan\.json$/;

export async function main(argv: string[]): Promise<ExitCode> {
  const { values, operands } = parseCommand(COMMAND, argv);
  const inputs = listInputs([...values.file, ...(await readNames(values.files0From))], operands);
  if (inputs.includes(STDIN)) throw new UsageError("Cannot plan standard input: expected files or folders that every task can read");
  const folder = resolve(values.outfile);
  const index = join(folder, "plan.json");
  // Said before all logs are looked at.
  await assertWritable([index]);
  const found = findLogs(inputs);
  const unique = values.keepDuplicates ? { paths: found.paths, notices: [] } : await leaveOutCopies(found.paths);
  const leftOut = [...found.empty, ...found.notices, ...unique.notices];
  // Of what is in no list no task will say that it is empty.
  (values.quiet ? found.empty : leftOut).forEach(note);
  const logs = unique.paths.map(path => ({ path: resolve(path), bytes: workOf(path) }));
  if (logs.length === 0) throw new Error("Cannot plan: no log is left");
  const awkward = logs.find(({ path }) => path.includes("\0"));
  if (awkward !== undefined) throw new Error(`Cannot plan ${quoteForMessage(awkward.path)}: a NUL byte is in its name`);
  const parts = planParts(logs, values.parts);
  const digits = Math.max(4, String(parts.length).length);
  const lists = parts.map((part, i) => ({ ...part, list: join(folder, `part-${String(i + 1).padStart(digits, "0")}.list`) }));
  const plan = {
    parts: lists.map(({ list, bytes, paths }) => ({ list, logs: paths.length, bytes })),
    left_out: leftOut.length,
  };
  await using _lock = await lockOutputs([index], {});
  for (const name of readdirSync(folder)) if (OWN.test(name)) rmSync(join(folder, name));
  await writeOutputs([...lists.map(({ list, paths }) => [list, paths.map(path => `${path}\0`).join("")] as const), [index, `${toSafeJson(plan)}\n`]]);
  if (values.json) await writeOut(`${toSafeJson({ ...plan, parts: lists.map(({ list, bytes, paths }) => ({ list, bytes, logs: paths })) })}\n`);
  if (!values.quiet) {
    const sizes = parts.map(({ bytes }) => bytes);
    note(
      `plan: ${plural(logs.length, "log")} in ${plural(parts.length, "list")} of ${formatBytes(Math.min(...sizes))} to ${formatBytes(Math.max(...sizes))} of work, ` +
        `${leftOut.length} left out; ${visible(values.outfile)}`,
    );
  }
  return found.empty.length > 0 ? EXIT.damaged : EXIT.ok;
}

if (import.meta.main) await runMain(COMMAND.name, main);
