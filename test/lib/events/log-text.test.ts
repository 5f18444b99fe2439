/** Packed and plain text by its first bytes. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { chunkedText, openText } from "../../../lib/events/log-text.ts";
import { seededRandom } from "../../support/random.ts";
import { makeTempDir } from "../../support/run.ts";
import { isArrow, peek } from "../../../lib/columns/first-bytes.ts";
import { hashHead, hashText, readHead, TextHash } from "../../../lib/events/text-hash.ts";

const random = seededRandom("log file");
const TEXT = Buffer.from(Array.from({ length: 400_000 }, () => 32 + random.int(90)));

async function readAll(path: string, length = 77_777): Promise<Buffer> {
  const text = openText(path);
  const pieces: Buffer[] = [];
  try {
    for (;;) {
      const into = Buffer.alloc(length + 3, 0xff);
      const n = await text.read(into, 1, length);
      if (n === 0) return Buffer.concat(pieces);
      pieces.push(into.subarray(1, 1 + n));
      expect([into[0], into[n + 1]]).toEqual([0xff, 0xff]);
    }
  } finally {
    text.close();
  }
}

describe("the text of a log", () => {
  const half = TEXT.length / 2;
  const packed: [name: string, bytes: Uint8Array][] = [
    ["plain", TEXT],
    ["gzip", Bun.gzipSync(TEXT)],
    [
      "gzip of three members",
      Buffer.concat([TEXT.subarray(0, half), "", TEXT.subarray(half)].map(part => Bun.gzipSync(part))),
    ],
    ["gzip with zeros behind", Buffer.concat([Bun.gzipSync(TEXT), Buffer.alloc(512)])],
    ["zstd", zstdCompressSync(TEXT)],
    [
      "zstd of two frames",
      Buffer.concat([zstdCompressSync(TEXT.subarray(0, half)), zstdCompressSync(TEXT.subarray(half))]),
    ],
  ];
  test.each(packed)("%s: the same, whatever the name", async (_, bytes) => {
    await using dir = await makeTempDir();
    const path = join(dir.path, "cowrie.json.xz");
    await Bun.write(path, bytes);
    expect((await readAll(path)).equals(TEXT)).toBe(true);
    const hash = new TextHash();
    hash.add(TEXT);
    expect(await hashText(path)).toEqual({ wholeHash: hash.digest(), sizeBytes: TEXT.length });
    expect((await readHead(path)).hash).toBe(hashHead(TEXT));
    expect(hashHead(Buffer.from("ab\ncd"))).toBe(hashHead(Buffer.from("ab\n")));
    expect(hashHead(Buffer.from("ab\n"))).not.toBe(hashHead(Buffer.from("ac\n")));
  });

  test("damaged at the end: what came before is handed out, then the error", async () => {
    await using dir = await makeTempDir();
    for (const [name, bytes] of packed.slice(1, 2)) {
      const path = join(dir.path, name);
      await Bun.write(path, bytes.subarray(0, bytes.length - 1000));
      const text = openText(path);
      const into = Buffer.alloc(TEXT.length);
      const n = await text.read(into, 0, into.length);
      expect(n).toBeWithin(TEXT.length / 2, TEXT.length);
      expect(into.subarray(0, n).equals(TEXT.subarray(0, n))).toBe(true);
      await expect((async () => text.read(into, 0, 10))()).rejects.toThrow();
      text.close();
    }
  });

  test("damaged, and opened long before it is read: the error waits for its reader", async () => {
    await using dir = await makeTempDir();
    const path = join(dir.path, "log.gz");
    await Bun.write(path, Bun.gzipSync(TEXT.subarray(0, 2000)).subarray(0, -10));
    const text = openText(path);
    await Bun.sleep(20);
    const into = Buffer.alloc(4000);
    expect(await text.read(into, 0, into.length)).toBeGreaterThan(0);
    await expect((async () => text.read(into, 0, 10))()).rejects.toThrow();
    text.close();
  });

  test.each([
    ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
    ["bzip2", [0x42, 0x5a, 0x68]],
    ["zip", [0x50, 0x4b, 0x03, 0x04]],
    ["7-Zip", [0x37, 0x7a, 0xbc, 0xaf]],
  ])("%s is told", async (name, magic) => {
    await using dir = await makeTempDir();
    await Bun.write(join(dir.path, "log"), Buffer.from([...magic, 1, 2, 3]));
    expect(() => openText(join(dir.path, "log"))).toThrow(`it is compressed with ${name}, expected plain text`);
  });

  test.each([["little", [0xff, 0xfe, 0x7b, 0]], ["big", [0xfe, 0xff, 0, 0x7b]]])("UTF-16 is told, %s end first", async (_, bytes) => {
    await using dir = await makeTempDir();
    await Bun.write(join(dir.path, "log"), Buffer.from(bytes));
    expect(() => openText(join(dir.path, "log"))).toThrow("it is UTF-16, expected UTF-8");
  });

  test("a folder, and nothing", async () => {
    await using dir = await makeTempDir();
    expect(() => openText(dir.path)).toThrow("it is a folder");
    expect(() => openText(join(dir.path, "none"))).toThrow();
  });
});

test("chunks of any size, also empty ones, fill what is asked for", async () => {
  async function* chunks() {
    for (const size of [0, 1, 0, 5, 100, 0]) yield TEXT.subarray(0, size);
  }
  const text = chunkedText("none", chunks());
  const into = Buffer.alloc(200);
  expect([await text.read(into, 0, 4), await text.read(into, 4, 150), await text.read(into, 154, 10)]).toEqual([
    4, 102, 0,
  ]);
});

test("first bytes are looked at and given back", async () => {
  for (const sizes of [[], [3], [1, 2, 3, 4, 5], [100, 1]]) {
    async function* chunks() {
      for (const size of sizes) yield TEXT.subarray(0, size);
    }
    const { head, all } = await peek(chunks());
    const length = sizes.reduce((sum, size) => sum + size, 0);
    expect(head.length).toBeGreaterThanOrEqual(Math.min(8, length));
    const pieces: Uint8Array[] = [];
    for await (const piece of all) pieces.push(piece);
    expect(Buffer.concat(pieces).equals(Buffer.concat(sizes.map(size => TEXT.subarray(0, size))))).toBe(true);
  }
});

test("Arrow by its first bytes, in a file and in a stream", () => {
  const looks = ["ARROW1\0\0", "\xff\xff\xff\xff\x10\0\0\0", "ARROW", '{"eventid"', "", "\xff\xff\xff"];
  expect(looks.map(text => isArrow(Buffer.from(text, "latin1")))).toEqual([true, true, false, false, false, false]);
});
