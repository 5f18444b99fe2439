/**
 * The recordings of a session: which its log names, the size its terminal had, and what they showed.
 *
 * Tested in `test/scripts/replay.test.ts`.
 */
import { note } from "../process/cli.ts";
import { readRecording, recordingName, RecordingFolder } from "../recordings/find-recording.ts";
import { openScreen } from "../recordings/frames.ts";
import type { Recording } from "../recordings/recording.ts";
import { type ScreenSize, toScreenSize } from "../recordings/screen-size.ts";
import { typedLines } from "../recordings/typed-lines.ts";
import { toIsoInstant } from "../text/format.ts";
import { quoteForMessage, visible } from "../text/text.ts";
import type { Story } from "./story.ts";
import { recordingToText, type TraceTextOptions } from "./trace-text.ts";

export interface StoryRecording {
  /** As the log says it; foreign text. */
  readonly ttylog: string;
  /** When its channel closed, microseconds since 1970. */
  readonly us: number;
  /** Cowrie had one of equal input already and kept that: what it shows may be what another session saw. */
  readonly isShared: boolean;
}

/** In the order of time; each name once. */
export function recordingsOf({ steps }: Story): StoryRecording[] {
  const found = new Map<string, StoryRecording>();
  for (const { fields, us } of steps) {
    const { ttylog, duplicate } = fields;
    if (typeof ttylog !== "string" || recordingName(ttylog) === undefined || found.has(ttylog)) continue;
    found.set(ttylog, { ttylog, us, isShared: duplicate === true });
  }
  return [...found.values()];
}

/** The size that the client said, or the usual one. */
function screenSizeOf({ steps }: Story): ScreenSize {
  const fields = steps.find(({ eventid }) => eventid === "cowrie.client.size")?.fields;
  const number = (value: unknown) => (typeof value === "number" ? value : undefined);
  return toScreenSize(number(fields?.columns), number(fields?.rows));
}

/** A recording that a session names, read from its file. */
export interface FoundRecording extends StoryRecording {
  readonly path: string;
  readonly recording: Recording;
  readonly size: ScreenSize;
}

/** Recordings of sessions, as far as they are in a folder. */
export class StoryRecordings {
  readonly #folder: RecordingFolder;

  /** @throws {Error} if the folder cannot be listed. */
  constructor(folder: string | RecordingFolder) {
    this.#folder = typeof folder === "string" ? new RecordingFolder(folder) : folder;
  }

  /**
   * Read those of a session; what is not there is said on stderr.
   *
   * @throws {Error} if one cannot be read.
   */
  of(story: Story): FoundRecording[] {
    const size = screenSizeOf(story);
    return recordingsOf(story).flatMap(named => {
      const path = this.#folder.find(named.ttylog);
      if (path !== undefined) return [{ ...named, path, recording: readRecording(path), size }];
      note(`Recording ${quoteForMessage(named.ttylog)} of session ${visible(story.session)} is not in ${quoteForMessage(this.#folder.path)}`);
      return [];
    });
  }

  /** What they showed, below the steps of the session. */
  async *toText(story: Story, options: TraceTextOptions): AsyncGenerator<string> {
    for (const found of this.of(story)) yield* recordingToText(found, await transcriptOf(found.recording, found.size), options);
  }

  async toJson(story: Story): Promise<Record<string, unknown>[]> {
    const recordings: Record<string, unknown>[] = [];
    for (const { ttylog, isShared, path, recording, size } of this.of(story))
      recordings.push({ ttylog, duplicate: isShared, recording: path, ...(await recordingToJson(recording, size)) });
    return recordings;
  }
}

/** All lines that the terminal showed; see {@link openScreen}. */
export async function transcriptOf(recording: Recording, size: ScreenSize): Promise<string[]> {
  using screen = await openScreen(recording, size);
  for (const { direction, bytes } of recording.data) if (direction === "output") await screen.write(bytes);
  return screen.transcript();
}

/** A recording for programs, whoever names it. */
export async function recordingToJson(recording: Recording, size: ScreenSize): Promise<Record<string, unknown>> {
  return {
    start: toIsoInstant(recording.startUs),
    duration_sec: recording.durationUs / 1e6,
    columns: size.columns,
    rows: size.rows,
    exec: recording.isExec,
    cut: recording.cut ?? null,
    typed: typedLines(recording).map(({ us, text }) => ({ offset_sec: us / 1e6, text })),
    shown: await transcriptOf(recording, size),
  };
}
