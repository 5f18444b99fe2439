import { describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { hashHead, TextHash } from "../../../lib/events/text-hash.ts";
import type { SourceInfo } from "../../../lib/events/source.ts";
import { answerQuestions, findCopies, type TextQuestion } from "../../../lib/remote/find-copies.ts";
import { makeLab, writeLog } from "../../support/remote.ts";
import { SSHD_MISSING } from "../../support/sshd.ts";

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
    const told: string[] = [];
    await findCopies(logs, noHash, (log, longer) => void told.push(`${log.name} ${longer.name}`));
    expect(told).toEqual(["part whole"]);
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

describe("answerQuestions", () => {
  const why = SSHD_MISSING === undefined ? "" : ` (skipped: ${SSHD_MISSING})`;
  const sha256 = (text: Buffer) => Buffer.from(new Bun.CryptoHasher("sha256").update(text).digest());
  const TOOLS = ["sh", "bash", "head", "cat", "od", "tr", "nice", "gzip", "zstd"];
  const HASHES = ["sha256sum", "openssl", "shasum"].filter(name => Bun.which(name) !== null);

  test.skipIf(SSHD_MISSING !== undefined).each([...HASHES, "none"])(
    `of plain and packed logs, whatever their names, with %s for hashes${why}`,
    async program => {
      await using lab = await makeLab();
      const bin = join(lab.folder, "bin");
      mkdirSync(bin);
      chmodSync(lab.folder, 0o755);
      // A Perl script, unlike the others, wants Perl.
      for (const name of [...TOOLS, program, ...(program === "shasum" ? ["perl", "env"] : [])]) {
        const path = Bun.which(name);
        if (path !== null) symlinkSync(path, join(bin, name));
      }
      const server = await lab.start({ config: [`SetEnv PATH=${bin}`] });
      const odd = Buffer.from("-a 'b\"$(id)\n\xff.json", "latin1");
      await writeLog(server, odd, LONG);
      await writeLog(server, "packed.gz", gzipSync(LONG));
      await writeLog(server, "packed.zst", zstdCompressSync(LONG));
      const paths = [odd.toString("latin1"), "packed.gz", "packed.zst", "absent"].map(name => `${server.home}/${name}`);
      const questions = paths.flatMap(remotePath => [
        { log: { remotePath }, bytes: 1000, wants: "text" as const },
        { log: { remotePath }, bytes: 100_000, wants: "hash" as const },
      ]);
      const many = Array.from({ length: 9 }, () => questions).flat();
      const answers = await lab.at(server, connection => answerQuestions(connection, many, false));
      expect(answers).toHaveLength(many.length);
      const [piece, hash] = [
        LONG.subarray(0, 1000),
        program === "none" ? undefined : sha256(LONG.subarray(0, 100_000)),
      ];
      expect(answers.slice(-8)).toEqual([piece, hash, piece, hash, piece, hash, Buffer.alloc(0), undefined]);
    },
  );
});
