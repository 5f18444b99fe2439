/** A recording that can be shown from any moment: its frames, and the rows that stand at one of them. */
import { type Frame, openScreen, toFrames } from "./frames.ts";
import type { Recording } from "./recording.ts";
import type { Row, ScreenSize } from "./screen-size.ts";

/** Frames of one recording; a session of two hours, typed without a pause, has fewer. */
const FRAMES_MOST = 20_000;

export interface Playback {
  readonly size: ScreenSize;
  /** At least one. */
  readonly frames: readonly Frame[];
  /** Time of the last frame. */
  readonly durationUs: number;
  /** Frames that are not shown because there are too many. */
  readonly hasMore: boolean;
}

/** Play a recording once, keeping its frames. */
export async function toPlayback(recording: Recording, size: ScreenSize, pauseMostUs?: number): Promise<Playback> {
  using screen = await openScreen(recording, size);
  const frames: Frame[] = [];
  let hasMore = false;
  for await (const frame of toFrames(recording, screen, pauseMostUs)) {
    if (frames.length < FRAMES_MOST) frames.push(frame);
    else hasMore = true;
  }
  if (frames.length === 0) frames.push({ us: 0, changed: [], cursor: { column: 0, row: 0 } });
  return { size, frames, durationUs: frames.at(-1)!.us, hasMore };
}

/** Index of the frame that is seen at a time. */
export function frameAt({ frames }: Playback, us: number): number {
  let [low, high] = [0, frames.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (frames[middle]!.us <= us) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** All rows as they stand at a frame. */
export function rowsAt({ frames, size }: Playback, index: number): Row[] {
  const rows: Row[] = Array.from({ length: size.rows }, () => []);
  for (let i = 0; i <= index; i++) for (const { y, row } of frames[i]!.changed) rows[y] = row;
  return rows;
}
