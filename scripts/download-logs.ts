#!/usr/bin/env bun
/**
 * Copies the logs of many nodes into local folders, again and again, at the cost of what is new.
 */
import { join } from "node:path";
import { EXIT, type ExitCode, note, runMain, writeOut } from "../lib/process/cli.ts";
import { type Command, COMMON_OPTIONS, DAY_FORMS } from "../lib/process/command.ts";
import { parseCommand } from "../lib/process/options.ts";
import { describeDownload, downloadLogs, type DownloadResult } from "../lib/remote/download-logs.ts";
import { formatBytes, formatDuration, formatRate, plural } from "../lib/text/format.ts";
import { lockOutputs } from "../lib/process/lock.ts";
import {
  describeTarget,
  nodeFolder,
  openFleet,
  type Outcome,
  REMOTE_OPTIONS,
  resolveTargets,
} from "../lib/remote/fleet.ts";
import { quoteForMessage, toSafeJson, visible } from "../lib/text/text.ts";
import { DAY_MS, DAY_SECONDS } from "../lib/text/time.ts";

/** Requests at the same time, over all nodes and at one node. */
const REQUESTS_MAX = 16;
const NODE_REQUESTS_MAX = 4;

const OPTIONS = {
  folder: { type: "path", short: "f", required: true, placeholder: "FOLDER", help: "Logs go to FOLDER/NODE." },
  ...REMOTE_OPTIONS,
  // What has come stays, and the next run goes on from there; but a first copy over a slow line takes its time.
  timeLimit: { ...REMOTE_OPTIONS.timeLimit, default: DAY_SECONDS },
  since: {
    ...COMMON_OPTIONS.since,
    help: `Leave out logs that were last written before this day (UTC): ${DAY_FORMS}.`,
  },
  include: {
    type: "string",
    placeholder: "GLOB",
    repeatable: true,
    help: "Copy only logs whose file name matches, with * and ?; give it again for more.",
  },
  compress: { type: "boolean", help: "Pack on the way, with zstd or gzip on the node; for slow lines." },
  bwlimit: {
    type: "number",
    min: 0.001,
    placeholder: "MB/S",
    help: "Megabytes a second that all nodes together may send.",
  },
  wait: COMMON_OPTIONS.wait,
} as const;

export const COMMAND = {
  name: "download-logs",
  summary: "Copy the Cowrie logs of many nodes over SSH, only what is not there yet.",
  options: OPTIONS,
  writes:
    "FOLDER/NODE/..., each log under its own name once it is whole and its SHA-256 is the node's; a transfer that broke goes " +
    "on where it stopped. A log that took the place of another (rotation) leaves the other one's text: as the dated " +
    "log it has become, else beside it with .old- and its time. Nothing on stdout but with --json or --dry-run.",
  exits: {
    ok: "every log of every node is there",
    failed: "a node or a log could not be had; the others are there all the same",
  },
  examples: [
    {
      does: "What would be copied from two honeypots; without --dry-run it is copied",
      run: "bun scripts/download-logs.ts -i 203.0.113.5 -i 203.0.113.9 -u root -p 2112 -f logs --dry-run",
    },
    {
      does: "A fleet out of a file, packed on the way",
      run: "bun scripts/download-logs.ts --nodes test/fixtures/sensors.toml -f logs --compress --dry-run",
    },
  ],
} as const satisfies Command;

export async function main(argv: string[]): Promise<ExitCode> {
  const { values } = parseCommand(COMMAND, argv);
  const targets = await resolveTargets(values);
  if (values.dryRun) {
    const lines = targets.map(
      target => `${describeTarget(target, `to ${nodeFolder(values.folder, target.node)}`)}\n`,
    );
    await writeOut(lines.join(""));
    return targets.every(({ error }) => error === undefined) ? EXIT.ok : EXIT.failed;
  }
  const startMs = performance.now();
  await using _lock = await lockOutputs(
    targets.map(({ node }) => join(values.folder, `${node.name}.download`)),
    { waitSeconds: values.wait },
  );
  const onWire = values.bwlimit === undefined ? undefined : limitRate(values.bwlimit * 1e6);
  await using fleet = await openFleet(targets, values);
  const outcomes = await fleet.run(
    targets,
    ({ node, connection, show, note }) =>
      downloadLogs(connection, {
        folder: nodeFolder(values.folder, node),
        paths: node.logPaths,
        sudo: values.sudo,
        isPacked: values.compress,
        requests: Math.max(
          1,
          Math.min(NODE_REQUESTS_MAX, Math.floor(REQUESTS_MAX / Math.min(targets.length, values.parallel))),
        ),
        include: values.include,
        ...(values.since === undefined ? {} : { sinceMs: values.since * DAY_MS }),
        ...(onWire === undefined ? {} : { onWire }),
        show,
        note,
      }),
    describeDownload,
  );
  const seconds = (performance.now() - startMs) / 1000;
  if (values.json) await writeOut(`${toSafeJson(toSummary(outcomes, seconds))}\n`);
  return tell(outcomes, seconds, values.quiet);
}

/** Waits so that on average no more comes in than so many bytes a second. */
function limitRate(bytesPerSecond: number): (bytes: number) => Promise<void> {
  let freeMs = performance.now();
  return async bytes => {
    freeMs = Math.max(freeMs, performance.now()) + (bytes / bytesPerSecond) * 1000;
    const waitMs = freeMs - performance.now();
    if (waitMs > 5) await Bun.sleep(waitMs);
  };
}

function toSummary(outcomes: readonly Outcome<DownloadResult>[], seconds: number): Record<string, unknown> {
  return {
    nodes: outcomes.map(({ node, value, error, seconds }) => ({
      name: node.name,
      seconds,
      ...(error === undefined ? {} : { error }),
      ...(value === undefined
        ? {}
        : {
            logs: value.logs,
            fetched: value.fetched,
            unchanged: value.unchanged,
            bytes: value.bytes,
            wire_bytes: value.wireBytes,
            failed: value.failed,
            kept: value.kept,
          }),
    })),
    seconds,
  };
}

/** Say what did not go well, and the whole in one line. */
function tell(outcomes: readonly Outcome<DownloadResult>[], seconds: number, quiet: boolean): ExitCode {
  let bytes = 0;
  let logs = 0;
  const bad: string[] = [];
  for (const { node, value, error } of outcomes) {
    if (error !== undefined) {
      bad.push(node.name);
      // The board has said it already.
      if (quiet) note(`download-logs: ${visible(node.name)}: ${error}`);
      continue;
    }
    bytes += value!.bytes;
    logs += value!.logs;
    for (const { path, reason } of value!.failed)
      note(`download-logs: ${visible(node.name)}: ${quoteForMessage(path)}: ${reason}`);
    if (value!.failed.length > 0) bad.push(node.name);
    if (quiet) continue;
    for (const path of value!.kept)
      note(`${visible(node.name)}: kept ${quoteForMessage(path)}: its text is in no log of today`);
  }
  if (!quiet) {
    const missing = bad.length === 0 ? "" : `; incomplete: ${bad.map(visible).join(", ")}`;
    note(
      `download-logs: ${plural(outcomes.length, "node")}, ${plural(logs, "log")}, ${formatBytes(bytes)} new; ` +
        `${formatDuration(seconds)}${bytes > 0 ? `, ${formatRate(bytes, seconds)}` : ""}${missing}`,
    );
  }
  return bad.length === 0 ? EXIT.ok : EXIT.failed;
}

if (import.meta.main) await runMain(COMMAND.name, main);
