import { describe, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { Answer, AnswerError, type AnswerShape, type Wire } from "../../../lib/remote/answer.ts";

const MARK = "0123456789abcdef0123456789abcdef";
const HASH = "ab".repeat(32);

/** An answer as a host writes it. */
function answerOf(parts: readonly (readonly [text: string, note?: string])[]): Buffer {
  return Buffer.from(parts.map(([text, note = ""], i) => `${text}\n${MARK} ${i} ${note}\n`).join(""));
}

/** Read an answer that comes in pieces of so many bytes. */
async function read(bytes: Buffer, pieceBytes: number, shape: Omit<AnswerShape, "mark">) {
  const texts: string[] = shape.lengths.map(() => "");
  const ends: (readonly [part: number, bytes: number, hashes: readonly string[]])[] = [];
  const answer = new Answer(
    { ...shape, mark: MARK },
    {
      async data(part, data) {
        // Whoever takes a piece may need time.
        await Bun.sleep(0);
        texts[part] += data.toString();
      },
      end: (part, count, hashes) => void ends.push([part, count, hashes]),
    },
  );
  try {
    for (let at = 0; at < bytes.length; at += pieceBytes) await answer.take(bytes.subarray(at, at + pieceBytes));
    return { isWhole: await answer.end(), texts, ends };
  } finally {
    await answer.close();
  }
}

function pack(bytes: Buffer, wire: Wire): Buffer {
  if (wire === "none") return bytes;
  return wire === "gzip" ? gzipSync(bytes) : Buffer.from(Bun.zstdCompressSync(bytes));
}

describe("Answer", () => {
  const parts = [
    ["first\n"],
    [""],
    [`\n${MARK}\n${MARK} 7 \n\n`, `${HASH}  -`],
    ["no line end", `${HASH} ${HASH} `],
    ["short", "not a hash"],
  ] as const;
  const lengths = [6, 0, 71, 11, 99];

  for (const wire of ["none", "gzip", "zstd"] as const) {
    test(`cuts parts wherever the pieces are cut, ${wire}`, async () => {
      const bytes = pack(answerOf(parts), wire);
      for (const pieceBytes of [1, 2, 3, 7, 35, 64, 1000]) {
        const { isWhole, texts, ends } = await read(bytes, pieceBytes, { wire, lengths });
        expect([pieceBytes, isWhole, texts]).toEqual([pieceBytes, true, parts.map(([text]) => text)]);
        expect(ends).toEqual([
          [0, 6, []],
          [1, 0, []],
          [2, 71, [HASH]],
          [3, 11, [HASH, HASH]],
          [4, 5, []],
        ]);
      }
    });

    test(`an answer that breaks off is not whole, ${wire}`, async () => {
      const whole = answerOf(parts);
      for (const length of [0, 3, 30, 60, whole.length - 1]) {
        const { isWhole } = await read(pack(whole.subarray(0, length), wire), 16, { wire, lengths });
        expect([length, isWhole]).toEqual([length, false]);
      }
    });
  }

  const BAD: [name: string, bytes: Buffer, wire: Wire][] = [
    ["more than was asked for", answerOf([["seven.."]]), "none"],
    ["something behind the last part", Buffer.concat([answerOf([["six..."]]), Buffer.from("x")]), "none"],
    ["a mark without end", Buffer.from(`six...\n${MARK} 0 ${"x".repeat(70_000)}`), "none"],
    ["what is not packed", Buffer.from("plain text, no gzip"), "gzip"],
    ["a bomb", pack(Buffer.alloc(50_000_000), "zstd"), "zstd"],
  ];
  test.each(BAD)("refuses %s", async (_, bytes, wire) => {
    await expect(read(bytes, 1 << 15, { wire, lengths: [6] })).rejects.toBeInstanceOf(AnswerError);
  });

  test("hears nothing any more once it is closed", async () => {
    let heard = 0;
    const wire = { wire: "zstd" as const, mark: MARK, lengths: [5_000_000] };
    const answer = new Answer(wire, {
      async data() {
        heard++;
        await Bun.sleep(5);
      },
      end() {},
    });
    await answer.take(pack(Buffer.alloc(5_000_000, "x\n"), "zstd"));
    while (heard === 0) await Bun.sleep(1);
    await answer.close();
    const before = heard;
    await Bun.sleep(30);
    expect(heard).toBe(before);
  });
});
