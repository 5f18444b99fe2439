/** Bytes in pieces of any size, long lines, last pieces: what becomes of the text between a log and its lines. */
import { describe, expect, test } from "bun:test";
import { BLOCK_BYTES } from "../../../lib/events/log-text.ts";
import { LINE_MAX_BYTES } from "../../../lib/events/map-log.ts";
import { seededRandom } from "../../support/random.ts";
import { randomLines } from "../../hostile/lines.ts";
import { mapBytes, readBack } from "../../support/tables.ts";

const encoder = new TextEncoder();
const event = (n: number, more = "") =>
  `{"eventid":"cowrie.login.failed","timestamp":"2024-01-31T10:00:00.${String(n).padStart(6, "0")}Z",` +
  `"username":"u${n}"${more}}`;

describe("pieces of any size give the same table", () => {
  const sizes: [name: string, pieces: number[]][] = [
    ["one byte", [1]],
    ["two bytes and three", [2, 3]],
    ["7 bytes", [7]],
    ["1, then 4096", [1, 4096]],
    ["a prime", [65_537]],
  ];
  for (const [name, pieces] of sizes) {
    test(`${name} at a time`, async () => {
      const random = seededRandom(`pieces ${name}`);
      const bytes = randomLines(random, pieces[0] === 1 && pieces.length === 1 ? 60 : 300);
      const tail = random.chance(0.5) ? event(1) : '{"eventid":"torn';
      const text = Buffer.concat([bytes, encoder.encode(tail)]);
      expect(await readBack(text, { pieces })).toEqual(await readBack(text));
    });
  }

  test("lines that lie across the blocks of a large log", async () => {
    // Lengths that put a line end before, at and behind the end of a block.
    for (const over of [-1, 0, 1]) {
      const first = event(1, `,"data":"${"x".repeat(BLOCK_BYTES - event(1, ',"data":""').length - 1 + over)}"`);
      expect(first).toHaveLength(BLOCK_BYTES - 1 + over);
      const text = `${first}\n${event(2)}\n${event(3)}`;
      const { source, events } = await readBack(text);
      expect({ over, counts: source.counts }).toEqual({
        over,
        counts: { lines: 3, events: 3, repaired: 0, rejected: 0, pending: 0 },
      });
      expect(events[1]).toContain('username="u2"');
    }
  });
});

describe("the limit of a line", () => {
  /** A whole event of exactly so many bytes. */
  const eventOf = (bytes: number) => event(1, `,"data":"${"x".repeat(bytes - event(1, ',"data":""').length)}"`);
  const counts = async (text: string) => (await readBack(text)).source.counts;
  const table: [name: string, text: () => string, expected: object][] = [
    ["exactly 16 MiB", () => `${eventOf(LINE_MAX_BYTES)}\n${event(2)}\n`, { lines: 2, events: 2 }],
    ["with a CR behind", () => `${eventOf(LINE_MAX_BYTES)}\r\n${event(2)}\n`, { lines: 2, events: 2 }],
    ["one byte over", () => `${eventOf(LINE_MAX_BYTES + 1)}\n${event(2)}\n`, { lines: 2, events: 1, rejected: 1 }],
    [
      "one over, between others",
      () => `${event(2)}\n${eventOf(LINE_MAX_BYTES + 1)}\r\n${event(3)}\n`,
      { lines: 3, events: 2, rejected: 1 },
    ],
    [
      "far over",
      () => `${event(2)}\n${"x".repeat(2 * LINE_MAX_BYTES + 77)}\n${event(3)}\n`,
      { lines: 3, events: 2, rejected: 1 },
    ],
    [
      "two long ones",
      () => `${"{".repeat(LINE_MAX_BYTES + 5)}\n${"[".repeat(LINE_MAX_BYTES + 5)}\n${event(3)}\n`,
      { lines: 3, events: 1, rejected: 2 },
    ],
    [
      "far over, without an end",
      () => `${event(2)}\n${"x".repeat(LINE_MAX_BYTES + BLOCK_BYTES)}`,
      { lines: 2, events: 1, rejected: 1 },
    ],
    ["exactly 16 MiB, without an end", () => eventOf(LINE_MAX_BYTES), { lines: 1, events: 1 }],
    ["one byte over, without an end", () => eventOf(LINE_MAX_BYTES + 1), { lines: 1, rejected: 1 }],
    [
      "40 MB of NULs, then a whole object",
      () => `${event(2)}\n${"\0".repeat(40_000_000)}${event(3)}\n${event(4)}\n`,
      { lines: 3, events: 2, repaired: 1 },
    ],
    ["40 MB of NULs at the start", () => `${"\0".repeat(40_000_000)}${event(3)}\n`, { lines: 1, repaired: 1 }],
    ["40 MB of NULs at the end", () => `${event(3)}\n${"\0".repeat(40_000_000)}`, { lines: 2, events: 1 }],
    [
      "NULs before exactly 16 MiB",
      () => `${"\0".repeat(BLOCK_BYTES + 9)}${eventOf(LINE_MAX_BYTES)}\n`,
      { lines: 1, repaired: 1 },
    ],
  ];
  test.each(table)("%s", async (_, text, expected) => {
    expect(await counts(text())).toEqual({ lines: 0, events: 0, repaired: 0, rejected: 0, pending: 0, ...expected });
  });

  test("a line over it is handed to the listener whole, in pieces of one number", async () => {
    const long = "y".repeat(LINE_MAX_BYTES + 3 * BLOCK_BYTES + 5);
    const lines = new Set<number>();
    let bytes = 0;
    const { table } = await mapBytes(`${event(1)}\n${long}\n${event(2)}\n`, {
      onReject: (line, piece) => {
        lines.add(line);
        bytes += piece.length;
      },
    });
    table.close();
    expect([[...lines], bytes]).toEqual([[2], long.length]);
  });
});

describe("the last piece", () => {
  const table: [name: string, tail: string, counts: object, rejects: string[]][] = [
    ["a whole event", event(2), { lines: 2, events: 2 }, []],
    ["half an event", event(2).slice(0, 40), { lines: 2, events: 1, pending: 1 }, []],
    ["an object that is no event", '{"eventid":"x"}', { lines: 2, events: 1, pending: 1 }, []],
    ["an array, partly of events", `[${event(2)},17]`, { lines: 2, events: 2, rejected: 1 }, [`2: [${event(2)},17]`]],
    ["blanks", "  \r", { lines: 2, events: 1 }, []],
    ["NULs", "\0\0\0", { lines: 2, events: 1 }, []],
    ["NULs and an event", `\0\0${event(2)}`, { lines: 2, events: 1, repaired: 1 }, []],
    ["torn and whole", `{"eventid":"to${event(2)}`, { lines: 2, events: 1, repaired: 1 }, []],
  ];
  test.each(table)("%s", async (_, tail, counts, rejects) => {
    const result = await readBack(`${event(1)}\n${tail}`);
    expect([result.source.counts, result.rejects]).toEqual([
      { lines: 0, events: 0, repaired: 0, rejected: 0, pending: 0, ...counts } as typeof result.source.counts,
      rejects,
    ]);
  });

  test("halves of a cut line are kept, whole ones are not", async () => {
    const [head, tail] = [event(2).slice(20), event(3).slice(0, 30)];
    const { source } = await readBack(`${head}\n${event(1)}\n${tail}`);
    expect([source.head, source.tail]).toEqual([head, tail]);
    const sound = await readBack(`{"a":1}\n${event(1)}\n{"b":2}`);
    expect([sound.source.head, sound.source.tail]).toEqual([undefined, undefined]);
    const only = await readBack(head);
    expect([only.source.head, only.source.tail]).toEqual([head, head]);
  });
});

describe("the first line", () => {
  const table: [string, string, object][] = [
    ["behind a byte order mark", `\uFEFF${event(1)}\n${event(2)}\n`, { lines: 2, events: 2 }],
    ["is nothing but a byte order mark", `\uFEFF\n${event(2)}\n`, { lines: 2, events: 1 }],
    ["is a byte order mark and CR", `\uFEFF\r\n${event(2)}\r\n`, { lines: 2, events: 1 }],
    ["is blank", `\n${event(2)}\n`, { lines: 2, events: 1 }],
    ["is blank, a mark in the second", `\n\uFEFF${event(2)}\n`, { lines: 2, repaired: 1 }],
    ["has CR LF", `${event(1)}\r\n${event(2)}\r\n\r\n`, { lines: 3, events: 2 }],
    ["is the only one, unended, behind a mark", `\uFEFF${event(1)}`, { lines: 1, events: 1 }],
  ];
  test.each(table)("%s", async (_, text, counts) => {
    const { source } = await readBack(text);
    expect(source.counts).toEqual({ lines: 0, events: 0, repaired: 0, rejected: 0, pending: 0, ...counts });
  });

  test("nothing at all", async () => {
    const { source, events } = await readBack("");
    expect([source.counts, source.sizeBytes, source.firstSeenUs, events]).toEqual([
      { lines: 0, events: 0, repaired: 0, rejected: 0, pending: 0 },
      0,
      undefined,
      [],
    ]);
  });
});
