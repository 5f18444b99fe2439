import { describe, expect, test } from "bun:test";
import { PAUSE_MOST_US, toFrames } from "../../../lib/recordings/frames.ts";
import { frameAt, rowsAt, toPlayback } from "../../../lib/recordings/playback.ts";
import { parseRecording } from "../../../lib/recordings/recording.ts";
import type { Row } from "../../../lib/recordings/screen-size.ts";
import { TerminalScreen } from "../../../lib/recordings/terminal-screen.ts";
import { packedFrameAt, packPlayback, screenAt } from "../../../lib/view/packed-recording.ts";
import { seededRandom } from "../../support/random.ts";
import { exampleRecording, Recorder } from "../../support/recordings.ts";

const SIZE = { columns: 40, rows: 6 };
const textOf = (rows: readonly Row[]) => rows.map(row => row.map(({ text }) => text).join(""));

describe("toFrames", () => {
  test("output close together is one frame, pauses are shortened, only changed rows are told", async () => {
    const recorder = new Recorder(0).write("output", "a", 1000).write("output", "b", 10).write("output", "\r\nc", 500).write("output", "d", 3_600_000);
    using screen = new TerminalScreen(SIZE, false);
    const frames = await Array.fromAsync(toFrames(parseRecording(recorder.finish()), screen));
    expect(frames.map(({ us }) => us)).toEqual([1_000_000, 1_510_000, 1_510_000 + PAUSE_MOST_US]);
    expect(frames.map(({ changed }) => changed.map(({ y }) => y))).toEqual([[0], [1], [1]]);
    expect(frames.map(({ cursor }) => [cursor.row, cursor.column])).toEqual([[0, 2], [1, 1], [1, 2]]);
  });

  test("any moment is as if all output up to it had been written at once", async () => {
    const recording = parseRecording(exampleRecording());
    const playback = await toPlayback(recording, SIZE);
    const { packed, isCut } = packPlayback(playback, 1e6);
    expect(isCut).toBe(false);
    const random = seededRandom(3);
    for (let round = 0; round < 20; round++) {
      const index = random.int(playback.frames.length);
      const rows = rowsAt(playback, index);
      const numbers = screenAt(packed, index);
      const texts = Array.from(numbers, number => packed.texts[number]!.filter(part => typeof part === "string").join(""));
      expect(textOf(rows).slice(0, packed.rows)).toEqual(texts);
    }
    using screen = new TerminalScreen(SIZE, false);
    for (const { direction, bytes } of recording.data) if (direction === "output") await screen.write(bytes);
    expect(rowsAt(playback, playback.frames.length - 1)).toEqual(screen.rows());
  });
});

describe("playback", () => {
  test("the frame of a time is the last that is not later", async () => {
    const playback = await toPlayback(parseRecording(exampleRecording()), SIZE);
    const { packed } = packPlayback(playback, 1e6);
    const times = playback.frames.map(({ us }) => us);
    expect(times.length).toBeGreaterThan(20);
    for (const us of [0, 1, times[5]!, times[5]! + 1, times.at(-1)!, 1e12]) {
      const plain = Math.max(0, times.findLastIndex(time => time <= us));
      expect(frameAt(playback, us)).toBe(plain);
    }
    expect(packedFrameAt(packed, 0)).toBe(0);
    expect(packedFrameAt(packed, 1e12)).toBe(packed.frames.length - 1);
  });

  test("a recording of nothing has one empty frame", async () => {
    const playback = await toPlayback(parseRecording(new Recorder(0).write("input", "x").finish()), SIZE);
    expect(playback.frames).toEqual([{ us: 0, changed: [], cursor: { column: 0, row: 0 } }]);
    expect(packPlayback(playback, 0)).toEqual({ packed: { columns: 40, rows: 1, texts: [[]], frames: [[0, 0, 0]] }, isCut: false });
  });

  test("a page keeps to its room, and says so", async () => {
    const recorder = new Recorder(0);
    for (let i = 0; i < 200; i++) recorder.write("output", `line ${i}\r\n`, 100);
    const playback = await toPlayback(parseRecording(recorder.finish()), SIZE);
    const { packed, isCut } = packPlayback(playback, 2000);
    expect(isCut).toBe(true);
    expect(packed.frames.length).toBeGreaterThan(5);
    expect(JSON.stringify(packed).length).toBeLessThan(4000);
  });
});
