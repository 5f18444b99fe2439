#!/usr/bin/env bun
/**
 * All that one session did, in order, from whichever logs its events lie in.
 *
 * Event tables are searched by their dictionaries, so only those that hold the session are decoded.
 */
import { type ExitCode, runMain } from "../lib/process/cli.ts";
import type { Command } from "../lib/process/command.ts";
import { parseCommand } from "../lib/process/options.ts";
import { findLongerSession, findSessions } from "../lib/sessions/event-search.ts";
import { DAMAGED_EXIT, LOG_OPERAND } from "../lib/logs/log-options.ts";
import { quoteForMessage, toSafeJson } from "../lib/text/text.ts";
import { storyToJson } from "../lib/sessions/story.ts";
import { runTrace, type TraceRequest, TRACE_OPTIONS } from "../lib/sessions/trace-run.ts";
import { storiesToText } from "../lib/sessions/trace-text.ts";

const { file, ...traceOptions } = TRACE_OPTIONS;

const OPTIONS = {
  file,
  sessionId: {
    type: "string",
    short: "sid",
    placeholder: "ID",
    required: true,
    repeatable: true,
    help:
      "Session to trace, as Cowrie wrote it; give it again for more. On sensors that share an id, each has a trace of " +
      "its own.",
  },
  tty: {
    type: "path",
    placeholder: "FOLDER",
    help: "Folder of the recordings (Cowrie's ttylog_path): adds what the terminal showed; in a page it plays.",
  },
  ...traceOptions,
} as const;

export const COMMAND = {
  name: "trace-sid",
  summary: "All that a session did: logins, commands, files, forwards, in order.",
  operands: [LOG_OPERAND],
  options: OPTIONS,
  writes:
    "The session as text to stdout, times as offsets from the connect (minutes:seconds); with --json one JSON object " +
    "{session (a list of several), searched, sessions: [{..., steps}]}; with -o a page of one file that needs no script and no network.",
  exits: { ok: "each session was found", failed: "one was not, or an input that is missing", more: [DAMAGED_EXIT] },
  examples: [
    {
      does: "A session of the example logs, past midnight and over two files",
      run: "bun scripts/trace-sid.ts test/fixtures/fleet -sid 3d7d1fd7e7ee",
    },
    { does: "The same as a page", run: "bun scripts/trace-sid.ts test/fixtures/fleet -sid 3d7d1fd7e7ee -o trace.html" },
  ],
} as const satisfies Command;

export async function main(argv: string[]): Promise<ExitCode> {
  const { values, operands } = parseCommand(COMMAND, argv);
  const { sessionId } = values;
  const recordings =
    values.tty === undefined ? undefined : new (await import("../lib/sessions/story-recordings.ts")).StoryRecordings(values.tty);
  const trace: TraceRequest = {
    name: COMMAND.name,
    asked: sessionId.map(id => ({
      what: `session ${quoteForMessage(id)}`,
      isFound: ({ session }) => session === id,
      findSimilar: set => findLongerSession(set, id),
    })),
    search: (set, scope) => findSessions(set, sessionId, scope),
    async *toText(stories, options) {
      for (const [i, story] of stories.entries()) {
        yield* storiesToText([story], options, i > 0);
        if (recordings !== undefined) yield* recordings.toText(story, options);
      }
    },
    async toJson(stories, { logs, days }) {
      const sessions: unknown[] = [];
      for (const story of stories)
        sessions.push({ ...storyToJson(story), ...(recordings && { recordings: await recordings.toJson(story) }) });
      return toSafeJson({ session: sessionId.length === 1 ? sessionId[0] : sessionId, searched: { logs, days }, sessions });
    },
    async toPage(stories, searched) {
      const { renderTrace } = await import("../lib/pages/trace-page.ts");
      const views = recordings && (await (await import("../lib/pages/screen-player.ts")).viewRecordings(stories, recordings));
      return renderTrace({ kind: "session", name: sessionId.join(", ") }, stories, searched, { recordings: views });
    },
  };
  return runTrace(trace, values, operands);
}

if (import.meta.main) await runMain(COMMAND.name, main);
