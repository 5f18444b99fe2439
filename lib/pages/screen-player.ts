/**
 * Recordings in `trace.html`: the last screen and the lines typed for everyone, a player for whoever has a script.
 *
 * Tested in `test/browser/recordings.test.ts`.
 */
import screenStyle from "../../templates/screen.css" with { type: "text" };
import { bundleScript } from "./client-script.ts";
import type { FoundRecording, StoryRecordings } from "../sessions/story-recordings.ts";
import type { Story } from "../sessions/story.ts";
import type { Recording } from "../recordings/recording.ts";
import { toPlayback } from "../recordings/playback.ts";
import { GROUND, PALETTE } from "../recordings/cell-style.ts";
import type { ScreenSize } from "../recordings/screen-size.ts";
import { typedLines } from "../recordings/typed-lines.ts";
import { formatOffset } from "../sessions/trace-text.ts";
import { formatDuration, formatInstant, formatNumber } from "../text/format.ts";
import { toLongText } from "../text/long-text.ts";
import { visible } from "../text/text.ts";
import { toMarkupText } from "../view/markup.ts";
import { foldedMarkup } from "../view/parts-markup.ts";
import { drawScreenRow, packPlayback, type PackedRecording, screenAt } from "../view/packed-recording.ts";

/** Letters of all recordings of one page. */
const PAGE_LETTERS_MOST = 3_000_000;
/** Recordings of one page; a bot whose sessions are all alike has one, many times. */
const RECORDINGS_MOST = 100;
/** Typed lines of one recording. */
const LINES_MOST = 500;

/** What a page holds of its recordings. */
export interface PageRecordings {
  readonly views: ReadonlyMap<Story, readonly object[]>;
  /** For the script; the views name them by number. */
  readonly data: readonly PackedRecording[];
  readonly style: string;
  readonly script: string;
}

/** The recordings of some sessions for their page; undefined where there are none. */
export async function viewRecordings(
  stories: readonly Story[],
  recordings: StoryRecordings,
): Promise<PageRecordings | undefined> {
  const views = new RecordingViews();
  for (const story of stories) for (const found of recordings.of(story)) await views.add(story, found);
  return views.finish();
}

/** Collects the recordings of a page; equal files are packed once. */
class RecordingViews {
  readonly #data: PackedRecording[] = [];
  readonly #made = new Map<string, Promise<object>>();
  readonly #views = new Map<Story, object[]>();
  #room = PAGE_LETTERS_MOST;

  /** Add one that a session names, behind those it has. */
  async add(story: Story, { path, recording, size, ttylog, isShared }: FoundRecording): Promise<void> {
    // The same file on terminals of other sizes looks different.
    const key = `${size.columns} ${size.rows} ${path}`;
    let made = this.#made.get(key);
    if (made === undefined) this.#made.set(key, (made = this.#make(recording, size)));
    const own = this.#views.get(story) ?? [];
    own.push({ ...(await made), name: visible(ttylog), isShared });
    this.#views.set(story, own);
  }

  /** All that was added; undefined where that is nothing. */
  async finish(): Promise<PageRecordings | undefined> {
    if (this.#views.size === 0) return undefined;
    return { views: this.#views, data: this.#data, style: SCREEN_STYLE + screenStyle, script: await bundleScript("trace.js") };
  }

  async #make(recording: Recording, size: ScreenSize) {
    const playback = await toPlayback(recording, size);
    const hasRoom = this.#data.length < RECORDINGS_MOST && this.#room > 0;
    const { packed, isCut } = packPlayback(playback, Math.max(0, this.#room));
    if (hasRoom) {
      this.#room -= JSON.stringify(packed).length;
      this.#data.push(packed);
    }
    const screen = screenAt(packed, packed.frames.length - 1);
    const last = screen.findLastIndex(number => number !== 0);
    const typed = typedLines(recording);
    const cut = [
      ...(recording.cut === undefined ? [] : [`Shown as far as it goes: ${recording.cut}.`]),
      ...(isCut || playback.hasMore || !hasRoom ? ["Too long for a page to show whole; replay.ts has all of it."] : []),
      ...(typed.length > LINES_MOST ? [`First ${LINES_MOST} of ${formatNumber(typed.length)} lines typed.`] : []),
    ].join(" ");
    return {
      number: hasRoom ? this.#data.length - 1 : -1,
      hasPlayer: hasRoom && packed.frames.length > 1,
      began: `${formatInstant(recording.startUs)} UTC`,
      lasted: formatDuration(recording.durationUs / 1e6),
      size: `${size.columns} x ${size.rows}`,
      markup: Array.from(screen.subarray(0, last + 1), number => toMarkupText(drawScreenRow(packed.texts[number]!))).join(""),
      isEmpty: last < 0,
      typed: typed.slice(0, LINES_MOST).map(({ us, text }) => ({ offset: formatOffset(us), markup: toMarkupText(foldedMarkup(toLongText(text))) })),
      hasTyped: typed.length > 0,
      cut,
      hasCut: cut !== "",
    };
  }
}

const hex = (rgb: number) => `#${rgb.toString(16).padStart(6, "0")}`;

/** Colours of the screen; the same in both themes, as a terminal is. */
const SCREEN_STYLE = [
  `.screen { background: ${hex(GROUND)}; color: ${hex(PALETTE[7]!)}; }`,
  ".screen .f0 { color: #000000; }",
  ...PALETTE.map((rgb, i) => `.screen .f${i + 1} { color: ${hex(rgb)}; } .screen .g${i + 1} { background: ${hex(rgb)}; }`),
  "",
].join("\n");
