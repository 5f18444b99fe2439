import { describe, expect, test } from "bun:test";
import { hashHead, TextHash } from "../../lib/log-file.ts";
import type { SourceInfo } from "../../lib/reduced-table.ts";
import { findCopies, type TextQuestion } from "../../lib/remote-copies.ts";

interface Log {
  readonly name: string;
  readonly text: Buffer;
  readonly source: SourceInfo;
}

function makeLog(name: string, text: Buffer): Log {
  const hash = new TextHash();
  hash.add(text);
  const source = { path: name, sizeBytes: text.length, headHash: hashHead(text), wholeHash: hash.digest() };
  return { name, text, source: source as SourceInfo };
}

type Ask = (questions: readonly TextQuestion<Log>[]) => Promise<(Buffer | undefined)[]>;

/** Answers as honest nodes would, and keeps what was asked. */
function honest() {
  const asked: TextQuestion<Log>[] = [];
  const ask: Ask = async questions => {
    asked.push(...questions);
    return questions.map(({ log, bytes, wants }) => {
      const text = log.text.subarray(0, bytes);
      return wants === "text" ? text : Buffer.from(new Bun.CryptoHasher("sha256").update(text).digest());
    });
  };
  return { asked, ask };
}

const lines = (from: number, to: number) =>
  Buffer.from(Array.from({ length: to - from }, (_, i) => `{"line":${from + i}}\n`).join(""));
const LONG = lines(0, 20_000);
const OTHER_END = Buffer.concat([lines(0, 10_000), lines(90_000, 99_000)]);

/** Copies as `copy < original`. */
async function copiesOf(logs: Log[], ask: Ask = honest().ask): Promise<string[]> {
  const copies = await findCopies(logs, ask);
  return [...copies].map(([log, { original, how }]) => `${log.name} ${how} ${original.name}`).sort();
}

describe("findCopies", () => {
  test("nothing is asked where no two logs begin alike, or all are equal", async () => {
    const { asked, ask } = honest();
    expect(await copiesOf([], ask)).toEqual([]);
    expect(await copiesOf([makeLog("a", LONG), makeLog("b", lines(1, 9))], ask)).toEqual([]);
    expect(await copiesOf([makeLog("a", LONG), makeLog("b", LONG), makeLog("c", LONG)], ask)).toEqual([
      "b the same text as a",
      "c the same text as a",
    ]);
    expect(asked).toEqual([]);
  });

  test("states of a growing log, short and long, are told by their bytes", async () => {
    const logs = [
      makeLog("short", lines(0, 3)),
      makeLog("middle", lines(0, 15_000)),
      makeLog("whole", LONG),
      makeLog("again", lines(0, 15_000)),
    ];
    expect(await copiesOf(logs)).toEqual([
      "again the same text as whole",
      "middle the beginning of whole",
      "short the beginning of whole",
    ]);
  });

  test("logs that begin alike and differ later both count, and each has its own beginnings", async () => {
    const logs = [
      makeLog("whole", LONG),
      makeLog("other", OTHER_END),
      makeLog("common", lines(0, 9_000)),
      makeLog("others", OTHER_END.subarray(0, OTHER_END.length - 12)),
      makeLog("early", Buffer.concat([lines(0, 2), lines(5, 8)])),
    ];
    expect(await copiesOf(logs)).toEqual(["common the beginning of whole", "others the beginning of other"]);
  });

  test("what cannot be had, or not whole, is not left out", async () => {
    const logs = [makeLog("whole", LONG), makeLog("part", lines(0, 15_000)), makeLog("short", lines(0, 3))];
    expect(await copiesOf(logs, async questions => questions.map(() => undefined))).toEqual([]);
    expect(await copiesOf(logs, async questions => questions.map(() => Buffer.alloc(0)))).toEqual([]);
    const { ask } = honest();
    const noHash: Ask = async questions =>
      questions[0]!.wants === "hash" ? questions.map(() => undefined) : ask(questions);
    expect(await copiesOf(logs, noHash)).toEqual(["short the beginning of whole"]);
  });

  test("many unrelated logs behind one empty line cost no hash", async () => {
    const { asked, ask } = honest();
    const logs = Array.from({ length: 50 }, (_, i) =>
      makeLog(`${i}`, Buffer.concat([Buffer.from("\n"), lines(i * 10_000, i * 10_000 + 9_000)])),
    );
    expect(await copiesOf(logs, ask)).toEqual([]);
    expect(asked.filter(({ wants }) => wants === "hash")).toEqual([]);
  });
});
