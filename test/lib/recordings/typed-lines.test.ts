import { expect, test } from "bun:test";
import { parseRecording } from "../../../lib/recordings/recording.ts";
import { typedLines } from "../../../lib/recordings/typed-lines.ts";
import { Recorder } from "../../support/recordings.ts";

const linesOf = (...keys: (string | Uint8Array)[]) =>
  typedLines(parseRecording(keys.reduce<Recorder>((recorder, key) => recorder.write("input", key, 1), new Recorder(0)).finish())).map(({ text }) => text);

test("lines end with Enter, the last one without", () => {
  expect(linesOf("ls\r", "id\n", "who")).toEqual(["ls", "id", "who"]);
  expect(linesOf("\r\n\r")).toEqual([]);
});

test("erasing takes letters, words and the line", () => {
  expect(linesOf("lss\x7f -l\b\ba\r")).toEqual(["ls a"]);
  expect(linesOf("rm  the  file\x17x\r")).toEqual(["rm  the  x"]);
  expect(linesOf("wrong\x15right\r")).toEqual(["right"]);
  expect(linesOf("\x7f\x7fa\r")).toEqual(["a"]);
});

test("keys that are no letters leave none, also where they come in parts", () => {
  expect(linesOf("a\x1b[Ab\x1bOPc\x1b", "[1;5", "Cd\r")).toEqual(["abcd"]);
  expect(linesOf("a\x1bxb\r")).toEqual(["ab"]);
  expect(linesOf("a\0b\r")).toEqual(["ab"]);
});

test("a line that was given up, and an input that was ended", () => {
  expect(linesOf("sleep 100\x03", "cat\x04")).toEqual(["sleep 100^C", "cat"]);
});

test("a letter split over two records is one", () => {
  const bytes = new TextEncoder().encode("ä\r");
  expect(linesOf(bytes.subarray(0, 1), bytes.subarray(1))).toEqual(["ä"]);
});

test("a command without a terminal is a line, with its time", () => {
  const recording = parseRecording(new Recorder(0).write("command", "uname -a; id", 5).write("output", "x", 5).finish());
  expect(typedLines(recording)).toEqual([{ us: 5000, text: "uname -a; id" }]);
});

test("a line of megabytes is cut", () => {
  expect(linesOf("x".repeat(1 << 20))[0]).toHaveLength(1 << 16);
});
