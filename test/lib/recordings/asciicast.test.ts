import { expect, test } from "bun:test";
import { type CastVersion, toAsciicast } from "../../../lib/recordings/asciicast.ts";
import { parseRecording } from "../../../lib/recordings/recording.ts";
import { Recorder } from "../../support/recordings.ts";

const SIZE = { columns: 80, rows: 24 };
const START_US = Date.UTC(2026, 6, 20) * 1000;

function cast(recorder: Recorder, version: CastVersion) {
  const lines = [...toAsciicast(parseRecording(recorder.finish()), version, SIZE, "a \x1b[31m title")];
  const text = lines.join("");
  return { text, lines: text.trimEnd().split("\n").map(line => JSON.parse(line)) };
}

const recorder = () => new Recorder(START_US).write("output", "$ ", 500).write("input", "ls", 1000).write("output", "\x1b[1mx", 250);

test("version 2 counts from the beginning", () => {
  expect(cast(recorder(), "2").lines).toEqual([
    { version: 2, width: 80, height: 24, timestamp: START_US / 1e6, idle_time_limit: 2, title: "a \x1b[31m title" },
    [0.5, "o", "$ "],
    [1.5, "i", "ls"],
    [1.75, "o", "\x1b[1mx"],
  ]);
});

test("version 3 counts from the line before", () => {
  expect(cast(recorder(), "3").lines).toEqual([
    { version: 3, term: { cols: 80, rows: 24 }, timestamp: START_US / 1e6, idle_time_limit: 2, title: "a \x1b[31m title" },
    [0.5, "o", "$ "],
    [1, "i", "ls"],
    [0.25, "o", "\x1b[1mx"],
  ]);
});

test("as a text it moves no cursor, and reads back as it was", () => {
  const output = "\x1b]0;t\x07\x9b2J\u202e</script>\u2028";
  const { text, lines } = cast(new Recorder(0).write("output", output), "2");
  expect(text).not.toMatch(/[\0-\x09\x0b-\x1f\x7f-\x9f\u202e\u2028]/);
  expect(lines[1][2]).toBe(output);
});

test("letters split over records come whole, broken ones as a sign", () => {
  const bytes = new TextEncoder().encode("密");
  const split = new Recorder(0).write("output", bytes.subarray(0, 1)).write("output", bytes.subarray(1)).write("output", new Uint8Array([0xff, 0xe5]));
  expect(cast(split, "2").lines.slice(1)).toEqual([[0, "o", "密"], [0, "o", "\ufffd"], [0, "o", "\ufffd"]]);
  const late = new Recorder(0).write("output", "a", 500).write("output", new Uint8Array([0xe5]), 250);
  expect(cast(late, "2").lines.at(-1)).toEqual([0.75, "o", "\ufffd"]);
});

test("a command without a terminal has the line ends of one", () => {
  const exec = new Recorder(0).write("command", "id").write("output", "a\nb\r\nc");
  expect(cast(exec, "2").lines[2][2]).toBe("a\r\nb\r\nc");
});
