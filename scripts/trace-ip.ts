#!/usr/bin/env bun
/**
 * All sessions of one address, or of a range of addresses, over all files, days and sensors.
 *
 * Event tables are searched by their dictionaries, so only those that hold the address are decoded.
 */
import { type ExitCode, runMain } from "../lib/process/cli.ts";
import { type Command, UsageError } from "../lib/process/command.ts";
import { parseCommand } from "../lib/process/options.ts";
import { findAddress } from "../lib/sessions/event-search.ts";
import { DAMAGED_EXIT, LOG_OPERAND } from "../lib/logs/log-options.ts";
import { quoteForMessage, toSafeJson } from "../lib/text/text.ts";
import { storyToJson } from "../lib/sessions/story.ts";
import { runTrace, type TraceRequest, TRACE_OPTIONS } from "../lib/sessions/trace-run.ts";
import { addressToText } from "../lib/sessions/trace-text.ts";
import { summarize, summaryToJson } from "../lib/sessions/story-summary.ts";

const { file, ...traceOptions } = TRACE_OPTIONS;

const OPTIONS = {
  file,
  ip: {
    type: "string",
    short: "i",
    placeholder: "ADDRESS",
    required: true,
    repeatable: true,
    help:
      "Source address, or a range as 203.0.113.0/24 or 2001:db8::/32; ::ffff:203.0.113.7 is 203.0.113.7. Give it again " +
      "for more.",
  },
  limit: {
    type: "count",
    short: "n",
    default: 0,
    help: "Different sessions shown, most frequent first, with --json the first sessions; 0 = all. The summary is of all.",
  },
  withCommands: { type: "boolean", help: "Only sessions in which something was typed." },
  ...traceOptions,
} as const;

export const COMMAND = {
  name: "trace-ip",
  summary: "All sessions of some addresses or ranges, with a summary on top.",
  operands: [LOG_OPERAND],
  options: OPTIONS,
  writes:
    "The summary and the sessions as text to stdout, times as offsets from the connect (minutes:seconds): those that " +
    "did the same as one with their number, the others by sensor and day. With --json one JSON object {address (a list " +
    "of several), searched, summary, sessions: [{..., steps}]} with each session by itself; with -o a page of one file " +
    "that needs no script and no network.",
  exits: { ok: "each address was found", failed: "no session of one, or an input that is missing", more: [DAMAGED_EXIT] },
  examples: [
    {
      does: "A session whose download came after its end",
      run: "bun scripts/trace-ip.ts test/fixtures/fleet -i 203.0.113.253",
    },
    {
      does: "Who typed something from two networks, the ten most frequent ways",
      run: "bun scripts/trace-ip.ts test/fixtures/fleet -i 203.0.113.0/24 -i 198.51.100.0/24 --with-commands -n 10",
    },
    {
      does: "A whole network on one sensor, as a page",
      run: "bun scripts/trace-ip.ts test/fixtures/fleet -i 203.0.113.0/24 --sensor hp-nyc-01 -o trace.html",
    },
  ],
} as const satisfies Command;

export async function main(argv: string[]): Promise<ExitCode> {
  const { values, operands } = parseCommand(COMMAND, argv);
  const { ip, limit, withCommands } = values;
  const { addressMatcher } = await import("../lib/text/address.ts");
  const matchers = ip.map(text => {
    const matcher = addressMatcher(text.trim());
    if (matcher !== undefined) return matcher;
    throw new UsageError(`Cannot read --ip ${quoteForMessage(text)}: expected an address, or a range as 203.0.113.0/24`);
  });
  const matches = (address: string) => matchers.some(isIn => isIn(address));
  const name = ip.join(", ");
  const kind = withCommands ? "a session with commands from" : "a session from";
  const trace: TraceRequest = {
    name: COMMAND.name,
    asked: ip.map((text, i) => ({
      what: `${kind} ${quoteForMessage(text)}`,
      isFound: ({ address }) => matchers[i]!(address ?? ""),
    })),
    isWanted: ({ address, commands }) => matches(address ?? "") && (!withCommands || commands.length > 0),
    search: (set, scope) => findAddress(set, matches, scope),
    toText: (stories, options) => addressToText(name, stories, summarize(stories), options, limit),
    toJson: (stories, { logs, days }) =>
      toSafeJson({
        address: ip.length === 1 ? ip[0] : ip,
        searched: { logs, days },
        summary: summaryToJson(summarize(stories)),
        sessions: (limit === 0 ? stories : stories.slice(0, limit)).map(storyToJson),
      }),
    toPage: async (stories, searched) => {
      const { renderTrace } = await import("../lib/pages/trace-page.ts");
      return renderTrace({ kind: "address", name }, stories, searched, { limit });
    },
  };
  return runTrace(trace, values, operands);
}

if (import.meta.main) await runMain(COMMAND.name, main);
