import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readRecording, recordingName, RecordingFolder } from "../../../lib/recordings/find-recording.ts";
import { RECORDING_MAX_BYTES } from "../../../lib/recordings/recording.ts";
import { EXAMPLE_RECORDING, exampleRecording, Recorder, toRecord } from "../../support/recordings.ts";
import { FIXTURES_FOLDER } from "../../support/example-fleet.ts";

const root = mkdtempSync(join(tmpdir(), "cowrie-recordings-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const temporaryFolder = () => mkdtempSync(join(root, "t-"));

test("of a path only the name counts, and only one of Cowrie's", () => {
  expect(recordingName("var/lib/cowrie/tty/00ffa9fd")).toBe("00ffa9fd");
  expect(recordingName("log/tty/20180613-120000-1a2b3c4d-0i.log")).toBe("20180613-120000-1a2b3c4d-0i.log");
  for (const bad of ["", "a/..", "..", ".hidden", "tty/a b", "tty/a\0b", "tty/$(id)", "x".repeat(300)]) expect(recordingName(bad)).toBeUndefined();
});

describe("RecordingFolder", () => {
  test("finds by name in folders below, never outside", () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "tty", "ams"), { recursive: true });
    writeFileSync(join(folder, "tty", "ams", "abcdef01"), exampleRecording());
    writeFileSync(join(folder, "outside"), exampleRecording());
    symlinkSync(join(folder, "outside"), join(folder, "tty", "link"));
    const recordings = new RecordingFolder(join(folder, "tty"));
    expect(recordings.find("lib/tty/abcdef01")).toBe(join(folder, "tty", "ams", "abcdef01"));
    for (const other of ["../outside", "outside", "link", "nowhere"]) expect(recordings.find(other)).toBeUndefined();
  });

  test("a name in part is found if it is the only one, and long enough", () => {
    const folder = temporaryFolder();
    for (const name of ["abcdef01", "abcdef02", "123456ff"]) writeFileSync(join(folder, name), "");
    const recordings = new RecordingFolder(folder);
    expect(recordings.findByPrefix("123456")).toBe(join(folder, "123456ff"));
    expect(recordings.findByPrefix("abcdef")).toBeUndefined();
    expect(recordings.findByPrefix("12345")).toBeUndefined();
  });

  test("a folder that is none is told", () => {
    expect(() => new RecordingFolder("/nowhere/tty")).toThrow('Cannot list the recordings in "/nowhere/tty": no such file or folder');
  });
});

describe("readRecording", () => {
  test("the one of the example logs is as it is made", () => {
    const path = join(FIXTURES_FOLDER, "tty", EXAMPLE_RECORDING);
    expect(Buffer.from(exampleRecording()).equals(readFileSync(path))).toBe(true);
    expect(readRecording(path).data.length).toBeGreaterThan(100);
  });

  test("what cannot be read is told in one line", () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "text"), "no recording, whatever its name is");
    expect(() => readRecording(join(folder, "text"))).toThrow("it does not begin with a record of Cowrie's ttylog");
    expect(() => readRecording(folder)).toThrow("it is a folder, expected a regular file");
    expect(() => readRecording(join(folder, "none"))).toThrow("no such file or folder");
  });

  test("of a file that is far too long the beginning is read", () => {
    const path = join(temporaryFolder(), "long");
    const record = toRecord(3, 2, 1e6, new Uint8Array(1 << 20));
    writeFileSync(path, Buffer.concat([new Recorder(1e6).finish(false), ...new Array(17).fill(record)]));
    const { data, cut } = readRecording(path);
    expect(data).toHaveLength(15);
    expect(RECORDING_MAX_BYTES).toBe(16 << 20);
    expect(cut).toBe("only its first 16.8 MB are read");
  });
});
