import { describe, expect, test } from "bun:test";
import { NoRecordingError, parseRecording } from "../../../lib/recordings/recording.ts";
import { Recorder, toRecord } from "../../support/recordings.ts";
import { seededRandom } from "../../support/random.ts";

const START_US = Date.UTC(2026, 6, 20) * 1000;
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

describe("parseRecording", () => {
  test("keeps data, directions and times since the beginning", () => {
    const bytes = new Recorder(START_US).write("output", "$ ", 100).write("input", "ls\r", 250).write("output", "a", 1).finish();
    const recording = parseRecording(bytes);
    expect(recording.data.map(({ us, direction, bytes: data }) => [us, direction, text(data)])).toEqual([
      [100_000, "output", "$ "],
      [350_000, "input", "ls\r"],
      [351_000, "output", "a"],
    ]);
    expect(recording).toMatchObject({ startUs: START_US, durationUs: 351_000, isExec: false, cut: undefined });
  });

  test("a command without a terminal is told by its direction", () => {
    const recording = parseRecording(new Recorder(START_US).write("command", "id").write("output", "uid=0\n", 5).finish());
    expect(recording.isExec).toBe(true);
    expect(recording.data[0]!.direction).toBe("command");
  });

  test("a recording without its end is read as far as it goes, at every length", () => {
    const whole = new Recorder(START_US).write("output", "one", 10).write("output", "two", 10).finish();
    const seen = new Set<string>();
    for (let length = 24; length < whole.length; length++) {
      const { data, cut } = parseRecording(whole.subarray(0, length));
      expect(cut).toMatch(/^it has no close record$|^its last record is cut$/);
      seen.add(data.map(({ bytes }) => text(bytes)).join("|"));
    }
    expect([...seen]).toEqual(["", "one", "one|two"]);
    expect(parseRecording(new Recorder(START_US).write("output", "x").finish(false)).cut).toBe("it has no close record");
  });

  test("what is no record ends it", () => {
    const good = new Recorder(START_US).write("output", "ok", 10).finish(false);
    const spoilt = [
      toRecord(9, 2, START_US, new Uint8Array(3)),
      toRecord(3, 7, START_US, new Uint8Array(3)),
      toRecord(-1, 2, START_US, new Uint8Array(3)),
    ];
    const negative = toRecord(3, 2, START_US, new Uint8Array(3));
    new DataView(negative.buffer).setInt32(8, -5, true);
    for (const record of [...spoilt, negative]) {
      const { data, cut } = parseRecording(Buffer.concat([good, record]));
      expect(data).toHaveLength(1);
      expect(cut).toBe(`there is no record at byte ${good.length}`);
    }
    const closed = new Recorder(START_US).write("output", "ok").finish();
    expect(parseRecording(Buffer.concat([closed, new Uint8Array(7)])).cut).toBe("7 bytes follow its close record");
  });

  test("a clock that is set back does not turn time around", () => {
    const records = [1, 0].map(second => toRecord(3, 2, START_US + second * 1e6, new Uint8Array([65])));
    const { data, durationUs } = parseRecording(Buffer.concat([toRecord(1, 0, START_US, new Uint8Array(0)), ...records]));
    expect(data.map(({ us }) => us)).toEqual([1_000_000, 1_000_000]);
    expect(durationUs).toBe(1_000_000);
  });

  test("a file that is none, or is only begun, is told", () => {
    expect(() => parseRecording(new Uint8Array(0))).toThrow(new NoRecordingError("it is empty"));
    expect(() => parseRecording(new TextEncoder().encode("#!/bin/sh\necho this is a script, no recording\n"))).toThrow(NoRecordingError);
    const bytes = new Recorder(START_US).write("output", "a").write("output", "b").finish(false);
    expect(parseRecording(bytes.subarray(0, bytes.length - 1), false).cut).toBe("only its first 16.8 MB are read");
  });

  test("any bytes are read or told, never more data than there are", () => {
    const random = seededRandom(7);
    const base = new Recorder(START_US).type("ls -la /tmp\r", 40).write("output", "x".repeat(200), 5).finish();
    let read = 0;
    for (let round = 0; round < 3000; round++) {
      const bytes = Uint8Array.from(base);
      for (let i = 1 + random.int(4); i > 0; i--) bytes[random.int(bytes.length)] = random.int(256);
      try {
        const { data } = parseRecording(bytes);
        expect(data.reduce((sum, record) => sum + record.bytes.length, 0)).toBeLessThanOrEqual(bytes.length);
        read++;
      } catch (error) {
        expect(error).toBeInstanceOf(NoRecordingError);
      }
    }
    expect(read).toBeGreaterThan(2000);
  });
});
