/**
 * A recording as a page carries it and its script plays it: every distinct row once, and frames as the rows that changed.
 *
 * Rows are compared whole, so a frame is a few numbers; to seek is to walk the frames from the first one, which for the most
 * there may be takes under a millisecond.
 *
 * Tested in `test/lib/recordings/playback.test.ts`.
 */
import { BLACK_LETTER, BOLD, colorsOf, DIM, ITALIC, STRIKE, UNDERLINE } from "../recordings/cell-style.ts";
import type { Playback } from "../recordings/playback.ts";
import { element, type Markup } from "./markup.ts";

/** Letters and their style, by turns. */
export type PackedRow = readonly (string | number)[];

export interface PackedRecording {
  readonly columns: number;
  /** As many as were ever used, from the top. */
  readonly rows: number;
  /** Distinct rows; the first is the empty one. */
  readonly texts: readonly PackedRow[];
  /** Each: milliseconds since the beginning, row and column of the cursor, then by turns which row of the screen, and its number in `texts`. */
  readonly frames: readonly (readonly number[])[];
}

/** Numbers before the changes of a frame. */
const FRAME_HEAD = 3;

/**
 * @param lettersMost Letters of distinct rows, and numbers of frames, that there is room for.
 * @returns The recording as far as there is room, and whether it ends early; at least one frame.
 */
export function packPlayback({ size, frames }: Playback, lettersMost: number): { packed: PackedRecording; isCut: boolean } {
  const texts: PackedRow[] = [[]];
  // Rows that nothing ever stood in, at the foot of the screen, are left out.
  const used = frames.reduce((most, { changed }) => Math.max(most, (changed.at(-1)?.y ?? 0) + 1), 1);
  const rows = Math.min(size.rows, used);
  const numbers = new Map<string, number>([["[]", 0]]);
  const packed: number[][] = [];
  let room = lettersMost;
  for (const { us, changed, cursor } of frames) {
    const frame = [Math.round(us / 1000), cursor.row, cursor.column];
    for (const { y, row } of changed) {
      const text = row.flatMap(run => [run.text, run.style]);
      const key = JSON.stringify(text);
      let number = numbers.get(key);
      if (number === undefined) {
        number = texts.push(text) - 1;
        numbers.set(key, number);
        room -= key.length;
      }
      frame.push(y, number);
    }
    room -= 4 * frame.length;
    if (room < 0 && packed.length > 0) return { packed: { columns: size.columns, rows, texts, frames: packed }, isCut: true };
    packed.push(frame);
  }
  return { packed: { columns: size.columns, rows, texts, frames: packed }, isCut: false };
}

/** Which row of `texts` stands where after a frame. */
export function screenAt({ rows, frames }: PackedRecording, index: number): Int32Array {
  const screen = new Int32Array(rows);
  for (let i = 0; i <= index; i++) {
    const frame = frames[i]!;
    for (let at = FRAME_HEAD; at < frame.length; at += 2) screen[frame[at]!] = frame[at + 1]!;
  }
  return screen;
}

/** The frame seen at a time. */
export function packedFrameAt({ frames }: PackedRecording, ms: number): number {
  let index = 0;
  while (index + 1 < frames.length && frames[index + 1]![0]! <= ms) index++;
  return index;
}

const MARKS = [
  [BOLD, "bold"],
  [DIM, "dim"],
  [ITALIC, "italic"],
  [UNDERLINE, "under"],
  [STRIKE, "strike"],
] as const;

/** Classes of a style: `f1` to `f16` the letter's colour, `g1` to `g16` the ground's, and marks. */
function classesOf(style: number): string {
  const { letter, ground } = colorsOf(style);
  return [
    ...(letter === 0 ? [] : [letter === BLACK_LETTER ? "f0" : `f${letter}`]),
    ...(ground === 0 ? [] : [`g${ground}`]),
    ...MARKS.flatMap(([mark, name]) => (style & mark ? [name] : [])),
  ].join(" ");
}

/** One row; an empty one is as high as others. */
export function drawScreenRow(row: PackedRow): Markup {
  const runs: (Markup | string)[] = [];
  for (let at = 0; at < row.length; at += 2) {
    const text = String(row[at]);
    const style = Number(row[at + 1]);
    runs.push(style === 0 ? text : element("span", { class: classesOf(style) }, text));
  }
  return element("div", {}, ...(runs.length === 0 ? ["\u200b"] : runs));
}
