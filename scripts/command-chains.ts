#!/usr/bin/env bun
/**
 * What intruders type after login, as a step graph: which command follows which, and where sessions end.
 *
 * Memory grows with the sessions that typed something and the distinct commands.
 */
import { type ExitCode, note, runMain, writeOut } from "../lib/process/cli.ts";
import { type Command, COMMON_OPTIONS, DAY_FORMS } from "../lib/process/command.ts";
import { parseCommand } from "../lib/process/options.ts";
import { buildStepGraph, thinGraph } from "../lib/view/step-graph.ts";
import { plural } from "../lib/text/format.ts";
import { lockOutputs } from "../lib/process/lock.ts";
import {
  DAMAGED_EXIT,
  describePace,
  EVENT_OPTIONS,
  exitCodeOf,
  FILE_OPTION,
  listInputs,
  LOG_OPERAND,
  READ_OPTIONS,
  readScope,
  readWithTables,
} from "../lib/logs/log-options.ts";
import { maskCommand, MASKS } from "../lib/text/masks.ts";
import { assertWritable, writeOutputs } from "../lib/process/output-file.ts";
import { readSessionCommands } from "../lib/sessions/session-commands.ts";
import { describeHidden } from "../lib/view/step-graph-picture.ts";
import { toSafeJson, visible } from "../lib/text/text.ts";
import { countSearched } from "../lib/sessions/event-search.ts";
import { notFoundText } from "../lib/sessions/trace-text.ts";

const OPTIONS = {
  ...FILE_OPTION,
  outfile: { type: "path", short: "o", default: "command-chains.html", help: 'The page; "-" is stdout.' },
  threshold: {
    type: "count",
    short: "t",
    min: 1,
    default: 10,
    placeholder: "SESSIONS",
    help: "Hide links, and commands, of fewer sessions; the page says how many it hid.",
  },
  steps: {
    type: "count",
    min: 1,
    max: 64,
    default: 8,
    help: "Commands of a session that are shown, from the first on.",
  },
  top: {
    type: "count",
    min: 1,
    max: 100,
    default: 12,
    help: "Commands per position; all others are grouped as the rest.",
  },
  raw: { type: "boolean", help: "Commands as they were typed, random parts and all." },
  ...EVENT_OPTIONS,
  since: {
    ...COMMON_OPTIONS.since,
    help: `Sessions whose first command is of this day (UTC) or later: ${DAY_FORMS}.`,
  },
  until: {
    ...COMMON_OPTIONS.until,
    help: `Sessions whose first command is of this day (UTC) or earlier: ${DAY_FORMS}.`,
  },
  ...READ_OPTIONS,
  wait: COMMON_OPTIONS.wait,
  json: { type: "boolean", help: "Write the whole graph to stdout as one JSON object; no page unless -o is given." },
} as const;

export const COMMAND = {
  name: "command-chains",
  summary: "What intruders type after login, step by step, as a page with a Sankey diagram.",
  operands: [LOG_OPERAND],
  options: OPTIONS,
  writes:
    "A page of one file: the step graph, the most frequent chains, the full text of each command. Nothing on stdout but " +
    `with --json or -o -. Unless --raw is given, ${MASKS.length} masks make commands one that differ only in what tools ` +
    `draw at random: ${MASKS.map(({ what }) => what).join("; ")}.`,
  exits: {
    ok: "the page was written",
    failed: "no session typed anything, an input is missing, or the page cannot be written",
    more: [DAMAGED_EXIT],
  },
  examples: [
    {
      does: "The example logs, links of five sessions and more",
      run: "bun scripts/command-chains.ts test/fixtures/fleet -t 5",
    },
    {
      does: "August on one sensor, for a program",
      run: "bun scripts/command-chains.ts test/fixtures/fleet --since 2026-08-01 --sensor hp-sgp-01 --json",
    },
  ],
} as const satisfies Command;

export async function main(argv: string[]): Promise<ExitCode> {
  const { values, operands, given } = parseCommand(COMMAND, argv);
  const inputs = listInputs(values.file, operands);
  const startMs = performance.now();
  const scope = await readScope(values);
  const { threshold, steps, top, raw: isRaw } = values;
  const outputs = values.json && !given.has("outfile") ? [] : [values.outfile];
  await assertWritable(outputs);
  await using _lock = await lockOutputs(outputs, { waitSeconds: values.wait });
  using set = await readWithTables(inputs, values, { scope, outputs });
  const commands = await readSessionCommands(set, scope, isRaw ? undefined : maskCommand);
  if (commands.sessions.length === 0) {
    const isNarrow = given.has("since") || given.has("until") || given.has("sensor");
    const what = isNarrow ? "a command of the days and sensors asked for" : "a command";
    throw new Error(`${notFoundText(what, countSearched(set))}${isNarrow ? "; see --since, --until and --sensor" : ": nobody typed one"}`);
  }
  const graph = buildStepGraph(commands.sessions, { steps, top });
  const thinned = thinGraph(graph, threshold);
  const options = { threshold, steps, top, isRaw };
  const { chainsToJson, renderChains } = await import("../lib/pages/chains-page.ts");
  for (const path of outputs) await writeOutputs([[path, renderChains(commands, graph, thinned, set, options)]]);
  if (values.json) await writeOut(`${toSafeJson(chainsToJson(commands, graph, thinned, options))}\n`);
  if (!values.quiet) {
    const hidden = describeHidden(thinned, threshold) || "nothing hidden";
    const place = outputs.length === 0 ? "" : ` in ${visible(outputs[0]!)}`;
    note(
      `command-chains: ${plural(graph.sessions, "session")} with ${plural(commands.commands.length, "distinct command")}` +
        `${place}; ${hidden}; ${describePace(startMs, set)}`,
    );
  }
  return exitCodeOf(set);
}

if (import.meta.main) await runMain(COMMAND.name, main);
