/**
 * What both traces do around their search: read the logs, say what was found nowhere, write in the form asked for.
 *
 * Tested in `test/scripts/trace-ip.test.ts`.
 */
import { EXIT, type ExitCode, note, terminal, writeOut } from "../process/cli.ts";
import { COMMON_OPTIONS, DAY_FORMS, type OptionTable, type OptionValues } from "../process/command.ts";
import { countSearched, type Found, type Searched, type SearchScope } from "./event-search.ts";
import { plural } from "../text/format.ts";
import { lockOutputs } from "../process/lock.ts";
import {
  EVENT_OPTIONS,
  exitCodeOf,
  FILE_OPTION,
  listInputs,
  READ_OPTIONS,
  readScope,
  readWithTables,
} from "../logs/log-options.ts";
import type { LogSet } from "../logs/log-set.ts";
import { assertWritable, writeOutputs } from "../process/output-file.ts";
import { describeSources, openOrigins, ORIGIN_OPTION } from "../origin/origins.ts";
import { quoteForMessage, visible } from "../text/text.ts";
import { buildStories, pickStories, type Story } from "./story.ts";
import { notFoundText, type TraceTextOptions } from "./trace-text.ts";

/** Options that both traces have behind their own. */
export const TRACE_OPTIONS = {
  ...FILE_OPTION,
  outfile: { type: "path", short: "o", help: 'Write a page (HTML) to FILE instead of text to stdout; "-" is stdout.' },
  ...EVENT_OPTIONS,
  since: { ...COMMON_OPTIONS.since, help: `Sessions that began on this day (UTC) or later: ${DAY_FORMS}.` },
  until: { ...COMMON_OPTIONS.until, help: `Sessions that began on this day (UTC) or earlier: ${DAY_FORMS}.` },
  ...ORIGIN_OPTION,
  ...READ_OPTIONS,
  wait: COMMON_OPTIONS.wait,
  json: { type: "boolean", help: "Write one JSON object to stdout instead of text." },
} as const satisfies OptionTable;

/** An address or a session that is looked for. */
export interface Asked {
  /** In words for a message: `session "abc"`. */
  readonly what: string;
  readonly isFound: (story: Story) => boolean;
  /** What may have been meant, where it was not found. */
  readonly findSimilar?: (set: LogSet) => Promise<string | undefined>;
}

/** One trace: how it searches, and how its result is told. */
export interface TraceRequest {
  readonly name: string;
  /** All that is looked for. */
  readonly asked: readonly Asked[];
  /** Which sessions of those found count; undefined = all. */
  readonly isWanted?: (story: Story) => boolean;
  search(set: LogSet, scope: SearchScope): Promise<Found>;
  /** Pieces of text. */
  toText(stories: readonly Story[], options: TraceTextOptions): Iterable<string> | AsyncIterable<string>;
  toJson(stories: readonly Story[], searched: Searched): string | Promise<string>;
  /** Its module is loaded when it is called. */
  toPage(stories: readonly Story[], searched: Searched): Promise<string>;
}

/** Text is written in pieces of about this many characters: `| head` then ends a long trace early. */
const PIECE_LENGTH = 1 << 16;

/** Trace through the logs a command line names. */
export async function runTrace(
  trace: TraceRequest,
  values: OptionValues<typeof TRACE_OPTIONS>,
  operands: readonly string[],
): Promise<ExitCode> {
  const inputs = listInputs(values.file, operands);
  const scope = await readScope(values);
  const origins = openOrigins(values);
  const outputs = values.outfile === undefined ? [] : [values.outfile];
  await assertWritable(outputs);
  await using _lock = await lockOutputs(outputs, { waitSeconds: values.wait });
  using set = await readWithTables(inputs, values, { scope, outputs });
  const searched = { ...countSearched(set), ...(origins && { originSources: origins.sources }) };
  const found = await trace.search(set, scope);
  const stories = pickStories(buildStories(found), {
    ...scope,
    ...(trace.isWanted === undefined ? {} : { isWanted: trace.isWanted }),
  }).map(story => (origins === undefined ? story : { ...story, origin: origins.of(story.address ?? "") }));
  const missing = trace.asked.filter(({ isFound }) => !stories.some(isFound));
  for (const { what, findSimilar } of missing) {
    const similar = await findSimilar?.(set);
    const hint = similar === undefined ? "" : `; did you mean ${quoteForMessage(similar)}?`;
    note(`${trace.name}: ${visible(notFoundText(what, searched))}${hint}`);
  }
  if (stories.length === 0) return EXIT.failed;
  if (values.outfile !== undefined) await writeOutputs([[values.outfile, await trace.toPage(stories, searched)]]);
  if (values.json) {
    await writeOut(`${await trace.toJson(stories, searched)}\n`);
  } else if (values.outfile === undefined) {
    const { columns, color } = terminal("stdout");
    let piece = "";
    for await (const text of trace.toText(stories, { width: columns, color })) {
      piece += text;
      if (piece.length < PIECE_LENGTH) continue;
      await writeOut(piece);
      piece = "";
    }
    await writeOut(piece);
  }
  if (values.outfile !== undefined && !values.quiet) {
    note(`${trace.name}: ${plural(stories.length, "session")} in ${visible(values.outfile)}`);
  }
  if (origins !== undefined && !values.quiet) note(`${trace.name}: ${describeSources(origins.sources)}`);
  return missing.length > 0 ? EXIT.failed : exitCodeOf(set);
}
