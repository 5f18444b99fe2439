#!/usr/bin/env bun
/**
 * All sessions of one address, or of a range of addresses, over all files, days and sensors.
 *
 * Event tables are searched by their dictionaries, so only those that hold the address are decoded.
 */
import { addressMatcher, parseAddressRange } from "../lib/text/address.ts";
import { type Command, type ExitCode, parseCommand, runMain, UsageError } from "../lib/process/cli.ts";
import { findAddress } from "../lib/sessions/event-search.ts";
import { LOG_OPERAND } from "../lib/logs/log-options.ts";
import { quoteForMessage, toSafeJson } from "../lib/text/text.ts";
import { storyToJson, summarize, summaryToJson } from "../lib/sessions/story.ts";
import { renderTrace } from "../lib/pages/trace-page.ts";
import { runTrace, type Trace, TRACE_OPTIONS } from "../lib/sessions/trace-run.ts";
import { addressToText } from "../lib/sessions/trace-text.ts";

const { file, ...traceOptions } = TRACE_OPTIONS;

const OPTIONS = {
  file,
  ip: {
    type: "string",
    short: "i",
    placeholder: "ADDRESS",
    required: true,
    help: "Source address, or a range as 203.0.113.0/24 or 2001:db8::/32; ::ffff:203.0.113.7 is 203.0.113.7.",
  },
  ...traceOptions,
} as const;

export const COMMAND = {
  name: "trace-ip",
  summary: "All sessions of one address or range, with a summary on top.",
  operands: [LOG_OPERAND],
  options: OPTIONS,
  writes:
    "The summary and the sessions, by sensor and day, as text to stdout, times as offsets from the connect " +
    "(minutes:seconds); with --json one JSON object {address, searched, summary, sessions: [{..., steps}]}; with -o a " +
    "page of one file that needs no script and no network.",
  exits: { ok: "the address was found", failed: "no session of it, or an input that is missing or damaged" },
  examples: [
    {
      does: "A session whose download came after its end",
      run: "bun scripts/trace-ip.ts test/fixtures/fleet -i 203.0.113.253",
    },
    {
      does: "A whole network on one sensor, as a page",
      run: "bun scripts/trace-ip.ts test/fixtures/fleet -i 203.0.113.0/24 --sensor hp-nyc-01 -o trace.html",
    },
  ],
} as const satisfies Command;

export async function main(argv: string[]): Promise<ExitCode> {
  const { values, operands } = parseCommand(COMMAND, argv);
  const { ip } = values;
  const range = parseAddressRange(ip.trim());
  if (range === undefined) {
    throw new UsageError(`Cannot read --ip ${quoteForMessage(ip)}: expected an address, or a range as 203.0.113.0/24`);
  }
  const trace: Trace = {
    name: COMMAND.name,
    what: `a session from ${quoteForMessage(ip)}`,
    range,
    search: (set, options) => findAddress(set, addressMatcher(range), options),
    toText: (stories, options) => addressToText(ip, stories, summarize(stories), options),
    toJson: (stories, { logs, days }) =>
      toSafeJson({
        address: ip,
        searched: { logs, days },
        summary: summaryToJson(summarize(stories)),
        sessions: stories.map(storyToJson),
      }),
    toPage: (stories, searched) => renderTrace({ kind: "address", name: ip }, stories, searched),
  };
  return runTrace(trace, values, operands);
}

if (import.meta.main) await runMain(COMMAND.name, main);
