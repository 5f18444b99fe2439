/**
 * A recording as frames: the screen each time it had come to rest for a moment, the rows that changed and when.
 *
 * Tested in `test/lib/recordings/playback.test.ts`.
 */
import type { Recording } from "./recording.ts";
import type { Row, ScreenSize } from "./screen-size.ts";
import type { TerminalScreen } from "./terminal-screen.ts";

export interface Frame {
  /** When it is shown, since the beginning, with long pauses shortened. */
  readonly us: number;
  /** Rows that are not as in the frame before, from the top. */
  readonly changed: readonly { readonly y: number; readonly row: Row }[];
  readonly cursor: { readonly column: number; readonly row: number };
}

/** Output closer together than this is one frame: thirty a second are smooth. */
const FRAME_US = 33_000;

/** Pauses are shortened to this, in microseconds, as everyone does who shows terminals. */
export const PAUSE_MOST_US = 2_000_000;

/** Times of the output, pauses shortened; the same for every way to show a recording. */
class Clock {
  #lastUs = 0;
  #shownUs = 0;
  readonly #mostUs: number;

  constructor(mostUs = PAUSE_MOST_US) {
    this.#mostUs = mostUs;
  }

  /** @param us Time of the recording, never falling. */
  at(us: number): number {
    this.#shownUs += Math.min(us - this.#lastUs, this.#mostUs);
    this.#lastUs = us;
    return this.#shownUs;
  }
}

/**
 * Play a recording on a screen model.
 *
 * @param screen Is left as the recording left it.
 * @yields Frames in order of time; the first shows all rows that are not empty.
 */
export async function* toFrames(recording: Recording, screen: TerminalScreen, pauseMostUs?: number): AsyncGenerator<Frame> {
  const clock = new Clock(pauseMostUs);
  let before: string[] = [];
  let pendingUs = -1;
  const take = (us: number): Frame => {
    const rows = screen.rows();
    const keys = rows.map(row => JSON.stringify(row));
    const changed = rows.flatMap((row, y) => (keys[y] === (before[y] ?? "[]") ? [] : [{ y, row }]));
    before = keys;
    return { us, changed, cursor: screen.cursor() };
  };
  for (const { us, direction, bytes } of recording.data) {
    const shownUs = clock.at(us);
    if (direction !== "output") continue;
    if (pendingUs >= 0 && shownUs - pendingUs >= FRAME_US) {
      yield take(pendingUs);
      pendingUs = -1;
    }
    await screen.write(bytes);
    if (pendingUs < 0) pendingUs = shownUs;
  }
  if (pendingUs >= 0) yield take(pendingUs);
}

/** A screen of the right kind for a recording; its model is loaded with the first. */
export async function openScreen({ isExec }: Recording, size: ScreenSize): Promise<TerminalScreen> {
  const { TerminalScreen } = await import("./terminal-screen.ts");
  return new TerminalScreen(size, isExec);
}
