/** Lines that hold no event, on their way out. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { readRejects, rejectToJson } from "../../../lib/logs/rejects.ts";
import type { Seam } from "../../../lib/reduced/joined-lines.ts";
import { makeTempDir } from "../../support/run.ts";

test("a line is told as text, and as its bytes where they are no UTF-8; the mark of a byte order stays", () => {
  const told = (bytes: number[]) => JSON.parse(rejectToJson("a.json", 7, Uint8Array.from(bytes)));
  expect(told([0x78, 0xc3, 0xa4])).toEqual({ source: "a.json", line: 7, text: "x\u00e4" });
  expect(told([0x78, 0xe4])).toEqual({ source: "a.json", line: 7, base64: "eOQ=" });
  expect(told([0xef, 0xbb, 0xbf, 0x78])).toEqual({ source: "a.json", line: 7, text: "\ufeffx" });
});

test("halves of a line that were joined are none any more, whatever else stands in their logs", async () => {
  await using dir = await makeTempDir();
  const lines: [log: string, line: number, text: string][] = [
    ["a", 3, "before"], ["a", 9, "tail"], ["b", 1, "head"], ["b", 2, "behind"], ["c", 1, "head"], ["c", 2, "tail"],
  ];
  const jobs = ["a", "b", "c", "none"].map(path => ({ path, rejectsPath: join(dir.path, path) }));
  for (const { path, rejectsPath } of jobs.slice(0, 3)) {
    const own = lines.filter(([log]) => log === path);
    await Bun.write(rejectsPath, own.map(([log, line, text]) => rejectToJson(log, line, Buffer.from(text))).join(""));
  }
  const left = async (seams: object[]) => {
    const found: string[] = [];
    for await (const json of readRejects([...jobs, { path: "unasked" }], seams as Seam[])) {
      const { source, line, text } = JSON.parse(json);
      found.push(`${source}${line} ${text}`);
    }
    return found;
  };
  expect(await left([])).toEqual(["a3 before", "a9 tail", "b1 head", "b2 behind", "c1 head", "c2 tail"]);
  const seam = { before: { path: "a", tail: "tail" }, after: { path: "b" } };
  expect(await left([seam])).toEqual(["a3 before", "b2 behind", "c1 head", "c2 tail"]);
});
