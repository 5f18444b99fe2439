/**
 * Recordings of a session that logs tell of, with the size of its terminal.
 *
 * Tested in `test/scripts/replay.test.ts`.
 */
import { type ExitCode, note } from "../process/cli.ts";
import type { OptionValues } from "../process/command.ts";
import { EVENT_OPTIONS, exitCodeOf, FILE_OPTION, listInputs, READ_OPTIONS, readScope, readWithTables } from "../logs/log-options.ts";
import type { RecordingFolder } from "../recordings/find-recording.ts";
import { sensorLabel } from "../text/labels.ts";
import { quoteForMessage, visible } from "../text/text.ts";
import { findLongerSession, findSessions } from "./event-search.ts";
import { type FoundRecording, recordingsOf, StoryRecordings } from "./story-recordings.ts";
import { buildStories } from "./story.ts";

type ReadValues = OptionValues<typeof FILE_OPTION & typeof EVENT_OPTIONS & typeof READ_OPTIONS>;

export interface SessionRecording extends FoundRecording {
  /** Session and sensor, made harmless. */
  readonly title: string;
}

/**
 * Look a session up; what of its recordings is missing, or may be another session's, is said on stderr.
 *
 * @throws {Error} if there is no such session, or none of its recordings is in the folder.
 */
export async function findSessionRecordings(
  session: string,
  operands: readonly string[],
  values: ReadValues,
  folder: RecordingFolder,
): Promise<{ found: SessionRecording[]; exitCode: ExitCode }> {
  const scope = await readScope(values);
  using set = await readWithTables(listInputs(values.file, operands), values, { scope, outputs: [] });
  const stories = buildStories(await findSessions(set, [session], scope));
  if (stories.length === 0) {
    const similar = await findLongerSession(set, session);
    throw new Error(`Cannot find session ${quoteForMessage(session)} in the logs${similar === undefined ? "" : `; did you mean ${quoteForMessage(similar)}?`}`);
  }
  const recordings = new StoryRecordings(folder);
  const found = stories.flatMap(story =>
    recordings.of(story).map(one => ({ ...one, title: `session ${visible(story.session)} on ${sensorLabel(story.sensor)}` })),
  );
  for (const { ttylog, isShared } of found)
    if (isShared) note(`replay: ${visible(ttylog)} was kept of an earlier session in which the same was typed; it may show what that session saw`);
  if (found.length === 0) {
    const isNamed = stories.some(story => recordingsOf(story).length > 0);
    throw new Error(`Cannot replay session ${quoteForMessage(session)}: ${isNamed ? "none of its recordings is there" : "its log names no recording"}`);
  }
  return { found, exitCode: exitCodeOf(set) };
}
