import { describe, expect, test } from "bun:test";
import { List, Table, tableFromArrays, tableToIPC, Utf8, vectorFromArray } from "apache-arrow";
import { checkFileBytes, checkStream, checkedMessages } from "../../../lib/columns/arrow-guard.ts";
import { SET_MAX } from "../../../lib/columns/address-sets.ts";
import { type IpcFormat, type ListColumn, openIpc, toIpc } from "../../../lib/columns/arrow-ipc.ts";
import { readReducedArrow, reducedToIpc } from "../../../lib/reduced/reduced-arrow.ts";
import { toTexts } from "../../../lib/columns/dictionary.ts";
import { type Kind, NUMBER_KEYS, TEXT_KEYS } from "../../../lib/reduced/kinds.ts";
import type { KindTable, ReducedTable } from "../../../lib/reduced/reduced-table.ts";
import type { SourceInfo } from "../../../lib/events/source.ts";
import { buildReduced } from "../../support/build.ts";
import { command, watch } from "../../support/days.ts";
import { seededRandom } from "../../support/random.ts";

const FORMATS: readonly IpcFormat[] = ["file", "stream"];
const table = buildReduced(
  [...watch("a", 3), ...watch("b", 2), ...command("a", "id", [1, 0, 2])].map((row, i) => ({ ...row, from: i % 5 === 0 ? [] : [`192.0.2.${i}`] })),
);
const bytesOf = (form: IpcFormat, of: ReducedTable = table) => Buffer.concat([...reducedToIpc(of, form)]);

async function* inPieces(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const failure = async (source: Uint8Array | AsyncIterable<Uint8Array>) => {
  try {
    await readReducedArrow(source);
    return "read";
  } catch (error) {
    return (error as Error).message;
  }
};

const SOURCE: SourceInfo = {
  path: "cowrie.json",
  sizeBytes: 1,
  headHash: "0123456789abcdef",
  wholeHash: "fedcba9876543210",
  counts: { lines: 1, events: 1, repaired: 0, rejected: 0, pending: 0 },
};

/** A table of equal rows as somebody else would write it: numbers are doubles, and texts where we have them. */
function foreignRow(
  kind: Kind,
  change: Record<string, number>,
  rows = 1,
  untold: readonly string[] = [],
  addresses?: ListColumn,
): Uint8Array {
  const values: Record<string, number> = { day: 19_000, count: 1, success: 0, first_seen: 1.6e15, last_seen: 1.7e15, ...change };
  const numbers = ["day", "count", "success", "first_seen", "last_seen", ...NUMBER_KEYS, ...untold];
  const texts = ["sensor", "kind", ...TEXT_KEYS].filter(name => !untold.includes(name));
  const shapes = [
    ...texts.map(name => ({ name, texts: toTexts([kind]), nullable: true })),
    ...numbers.map(name => ({ name, type: "float64" as const, nullable: true })),
    ...(untold.includes("addresses") ? [] : [{ name: "addresses", type: "list" as const, nullable: true }]),
  ];
  const columns = [
    ...texts.map(() => new Int32Array(rows)),
    ...numbers.map(name => new Float64Array(rows).fill(values[name] ?? NaN)),
    addresses,
  ].slice(0, shapes.length);
  const metadata = new Map([["cowrie.reduced", JSON.stringify(table.info)]]);
  return Buffer.concat([...toIpc("stream", shapes, [{ rows, columns }], metadata)]);
}

describe("sound tables pass", () => {
  for (const form of FORMATS) {
    test(`${form}, whole and in pieces of any size`, async () => {
      const bytes = bytesOf(form);
      const whole = await readReducedArrow(bytes);
      for (const size of [1, 7, 8, 1000, bytes.length]) {
        expect(await readReducedArrow(inPieces(bytes, size))).toEqual(whole);
      }
    });
  }

  test("each message in one piece, and all of them", async () => {
    const bytes = bytesOf("stream");
    const messages = await Array.fromAsync(checkedMessages(inPieces(bytes, 100)));
    expect(messages.length).toBeGreaterThan(3);
    const { messages: placed } = checkStream(bytes);
    const bodies = placed.map(({ message, bodyAt }) => bytes.subarray(bodyAt, bodyAt + message.bodyBytes));
    expect(messages.slice(1).map(({ body }) => Buffer.from(body))).toEqual(bodies);
    expect(messages.slice(1).map(({ message }) => message)).toEqual(placed.map(({ message }) => message));
  });
});

test("texts that are told twice, or behind the rows, are refused", async () => {
  const bytes = bytesOf("stream");
  const { messages } = checkStream(bytes);
  const schemaEnd = 8 + bytes.readInt32LE(4);
  const [first] = messages;
  const dictionary = bytes.subarray(schemaEnd, first!.bodyAt + first!.message.bodyBytes);
  const last = messages.at(-1)!;
  const rowsEnd = last.bodyAt + last.message.bodyBytes;
  for (const at of [schemaEnd, rowsEnd]) {
    const spoiled = Buffer.concat([bytes.subarray(0, at), dictionary, bytes.subarray(at)]);
    expect(() => checkStream(spoiled)).toThrow("Arrow data whose texts change half-way, which no table of ours does");
  }
  expect(await failure(bytes)).toBe("read");
});

describe("what is damaged is told, and costs nothing", () => {
  /** Few columns, so that every byte of what describes them can be tried. */
  const small = (form: IpcFormat) =>
    Buffer.concat([
      ...toIpc(
        form,
        [
          { name: "text", texts: toTexts(["one", "two"]), nullable: true },
          { name: "number", type: "float64", nullable: false },
        ],
        [{ rows: 2, columns: [Int32Array.of(1, -1), Float64Array.of(1.5, 2.5)] }],
        new Map([["key", "value"]]),
      ),
    ]);
  const readAll = async (bytes: Uint8Array) => {
    const ipc = await openIpc(bytes);
    let rows = 0;
    for await (const batch of ipc.batches()) {
      rows += batch.rows;
      for (const name of ipc.names) expect(batch.column(name)?.length ?? batch.rows).toBe(batch.rows);
    }
    return rows;
  };

  for (const form of FORMATS) {
    test(`every byte of a small ${form}, set to what is worst`, async () => {
      const sound = small(form);
      expect(await readAll(sound)).toBe(2);
      let told = 0;
      for (let at = 0; at < sound.length; at++) {
        for (const value of [0, 1, 0x7f, 0x80, 0xff, sound[at]! ^ 4]) {
          const bytes = Buffer.from(sound);
          bytes[at] = value;
          try {
            // Two rows, or those of a batch that calls itself something else and is passed over.
            expect(await readAll(bytes)).toBeLessThanOrEqual(2);
          } catch (error) {
            expect(error).toBeInstanceOf(Error);
            told++;
          }
        }
      }
      expect(told).toBeGreaterThan(sound.length / 4);
    });
  }

  test("random bytes of a reduced table, whole and in pieces", async () => {
    const random = seededRandom("damage");
    const outcomes = { read: 0, told: 0 };
    for (let round = 0; round < 600; round++) {
      const bytes = bytesOf(FORMATS[round % 2]!);
      for (let i = 0; i <= random.int(3); i++) bytes[random.int(bytes.length)] = [0, 255, random.int(256)][random.int(3)]!;
      const outcome = await failure(round % 3 === 0 ? inPieces(bytes, 500) : bytes);
      outcomes[outcome === "read" ? "read" : "told"]++;
    }
    expect(outcomes.told).toBeGreaterThan(50);
  });

  test("cut short anywhere", async () => {
    for (const form of FORMATS) {
      const bytes = bytesOf(form);
      for (let i = 0; i < 60; i++) {
        const cut = bytes.subarray(0, Math.floor((bytes.length * i) / 60));
        expect({ form, i, outcome: await failure(cut) }).not.toEqual({ form, i, outcome: "read" });
        expect({ form, i, outcome: await failure(inPieces(cut, 333)) }).not.toEqual({ form, i, outcome: "read" });
      }
    }
  });

  test("a stream that ends between two batches is cut short all the same", async () => {
    const bytes = bytesOf("stream");
    expect(await failure(bytes.subarray(0, bytes.length - 8))).toBe("its Arrow data are cut short");
  });

  test("a length that the body does not reach", async () => {
    const bytes = bytesOf("stream");
    bytes.writeUInt32LE(0x7fff_ffff, 4);
    expect(await failure(bytes)).toContain("its Arrow data are damaged");
  });

  test("what no table of ours holds", async () => {
    const nested = tableToIPC(
      new Table({ a: vectorFromArray([["x"]], new List(tableFromArrays({ item: ["x"] }).schema.fields[0]! as never)) }),
      "stream",
    );
    expect(() => checkStream(nested)).toThrow("Arrow data");
    const twice = tableToIPC(new Table({ a: vectorFromArray(["x", "y"], new Utf8()) }), "stream");
    checkStream(twice);
    const schemaEnd = 8 + Buffer.from(twice).readInt32LE(4);
    const schema = twice.subarray(0, schemaEnd);
    expect(() => checkStream(Buffer.concat([schema, twice]))).toThrow("damaged");
    expect(() => checkStream(twice.subarray(schemaEnd))).toThrow("without a schema");
    expect(() => checkFileBytes(twice)).toThrow();
  });
});

describe("rows that nobody can have counted", () => {
  const lie = (change: (commands: KindTable) => Partial<KindTable>): ReducedTable => ({
    ...table,
    kinds: { ...table.kinds, command: { ...table.kinds.command, ...change(table.kinds.command) } },
  });
  const cases: [string, (commands: KindTable) => Partial<KindTable>][] = [
    ["a day in a million years", ({ day }) => ({ day: day.map(() => 400_000_000) })],
    ["more successes than events", ({ count }) => ({ success: count.map(n => n + 1) })],
    ["a last time before the first", ({ firstSeenUs }) => ({ lastSeenUs: firstSeenUs.map(us => us - 1) })],
    ["a time in a million years", ({ lastSeenUs }) => ({ lastSeenUs: lastSeenUs.map(us => us * 1000) })],
    ["no sensor", ({ sensor }) => ({ sensor: sensor.map(() => -1) })],
  ];
  const REFUSED = /^a reduced table with damaged rows: no (command|log) (can be|has|holds)/;
  for (const [name, change] of cases) {
    test(name, async () => {
      expect(await failure(bytesOf("stream", lie(change)))).toMatch(REFUSED);
    });
  }

  // Nobody makes a stranger use our types: as doubles its numbers may be anything.
  const NUMBERS: [column: string, good: number, bad: number[]][] = [
    ["day", 19_000, [-2, 19_000.5, 84_009, 2 ** 32 + 19_000, -Infinity]],
    ["count", 1, [NaN, Infinity, -1, 0.5, 2 ** 43 + 1, 2 ** 53, 1e300]],
    ["success", 0, [NaN, Infinity, -1, 0.5, 2 ** 53]],
    ["first_seen", 1.6e15, [NaN, -Infinity, 1.6e15 + 0.5, -1e300]],
    ["last_seen", 1.7e15, [NaN, Infinity, 1.7e15 + 0.5, 1e300]],
  ];
  const KEYS: [column: string, kind: Kind, good: number, bad: number[]][] = [
    ["dst_port", "connect", 65_535, [65_536, -2, 22.5, Infinity, 2 ** 32 + 22]],
    ["robot", "session_closed", 1, [2, 0.5, 2 ** 32, -Infinity]],
    ["hour", "event", 23, [24, 0.5, 2 ** 32, Infinity]],
    ["positives", "scan", 5, [2 ** 31, -5, 0.5, Infinity]],
    ["total", "scan", 5, [2 ** 31, -5, 0.5, Infinity]],
    ["line", "last_command", 5, [2 ** 31, -5, 0.5, Infinity]],
  ];
  for (const [column, kind, good, bad] of [
    ...NUMBERS.map(([column, good, bad]) => [column, "command" as Kind, good, bad] as const),
    ...KEYS,
  ]) {
    test(`${column} of a stranger: ${bad.join(", ")}`, async () => {
      expect(await failure(foreignRow(kind, { [column]: good }))).toBe("read");
      for (const value of bad) {
        expect(await failure(foreignRow(kind, { [column]: value }))).toStartWith("a reduced table with damaged rows: no");
      }
    });
  }

  test("rows that are sound one by one and too many together", async () => {
    expect(await failure(foreignRow("command", { count: 2 ** 42 }, 2))).toBe("read");
    expect(await failure(foreignRow("command", { count: 2 ** 42 }, 3))).toMatch(REFUSED);
  });

  const lists = (...sets: number[][]): ListColumn => ({
    values: Uint32Array.from(sets.flat()),
    offsets: Int32Array.from([0, ...sets.map((_, i) => sets.slice(0, i + 1).flat().length)]),
    isNull: new Uint8Array(sets.length),
  });
  const full = Array.from({ length: SET_MAX }, (_, i) => i * 3);
  const SETS: [what: string, sets: number[][], isSound: boolean][] = [
    ["no address", [[]], true],
    ["rising", [[0, 7, 2 ** 32 - 1], [5]], true],
    ["as many as a set holds", [full], true],
    ["falling", [[7, 3]], false],
    ["one twice", [[5], [3, 3]], false],
    ["more than a set holds", [[...full, 2 ** 32 - 1]], false],
    ["more than there were events", [[1, 2, 3, 4, 5, 6]], false],
  ];
  test.each(SETS)("addresses of a stranger: %s", async (_, sets, isSound) => {
    const count = sets[0]!.length > 100 ? 2000 : 5;
    const outcome = await failure(foreignRow("command", { count }, sets.length, [], lists(...sets)));
    if (isSound) expect(outcome).toBe("read");
    else expect(outcome).toStartWith("a reduced table with damaged rows: no ");
  });

  test("offsets of addresses that lead anywhere", async () => {
    const sound = lists([1, 2], [3, 4]);
    for (const offsets of [[0, 2, 5], [0, 4, 2], [-1, 2, 4], [0, 2 ** 31 - 1, 4], [3, 2, 4]]) {
      // As bytes: the writer would not write them.
      const bytes = Buffer.from(foreignRow("command", { count: 5 }, 2, [], sound));
      const at = bytes.lastIndexOf(Buffer.from(Int32Array.of(0, 2, 4).buffer));
      expect(at).toBeGreaterThan(0);
      bytes.set(Buffer.from(Int32Array.from(offsets).buffer), at);
      expect([offsets, await failure(bytes)]).toEqual([offsets, expect.stringContaining("its Arrow data are damaged")]);
    }
  });

  test("no addresses, or something else in their place", async () => {
    expect(await failure(foreignRow("command", {}, 1, ["addresses"]))).toBe("a reduced table with no lists in the column addresses");
  });

  test("numbers where texts should stand", async () => {
    expect(await failure(foreignRow("command", {}, 1, ["input"]))).toBe(
      "a reduced table with no text in the columns input",
    );
  });

  test("a sum beyond 32 bits is written as it is", async () => {
    const large = lie(({ count }) => ({ count: count.map(() => 2 ** 33) }));
    const { parts } = await readReducedArrow(bytesOf("file", large));
    expect(parts.flatMap(({ kinds }) => [...(kinds.command?.count ?? [])])).toEqual([2 ** 33, 2 ** 33]);
  });

  test("metadata that describe no table", async () => {
    const { info } = table;
    const lies: unknown[] = [
      { ...info, sources: [{ path: 1 }] },
      { ...info, sources: "none" },
      { ...info, parameters: null },
      { ...info, parameters: { robotMaxSeconds: "10" } },
      { ...info, parameters: { robotMaxSeconds: 10, sensors: [1] } },
      ...[-1, null, "\u001b[2J"].map(robotMaxSeconds => ({ ...info, parameters: { robotMaxSeconds } })),
      ...["\u001b[2J", -1, null].map(seconds => ({
        ...info,
        parameters: { robotMaxSeconds: 10, robotMaxSecondsOf: { node: seconds } },
      })),
      { ...info, parameters: { robotMaxSeconds: 10, robotMaxSecondsOf: "\u001b[2J" } },
      ...[-(2 ** 53), 2 ** 53, 2 ** 52, 0.5, "now"].flatMap(day =>
        ["sinceDay", "untilDay"].map(name => ({ ...info, parameters: { robotMaxSeconds: 10, [name]: day } })),
      ),
      ...[-1e300, 1e300, 1.6e15 + 0.5, 2 ** 53].map(us => ({ ...info, sources: [{ ...SOURCE, firstSeenUs: us, lastSeenUs: us }] })),
      { ...info, sources: [{ ...SOURCE, firstSeenUs: 2e15, lastSeenUs: 1e15 }] },
      { ...info, sources: [{ ...SOURCE, firstSeenUs: 1e15 }] },
      { ...info, sources: [{ ...SOURCE, sizeBytes: 2 ** 53 }] },
      { ...info, sources: [{ ...SOURCE, counts: { ...SOURCE.counts, lines: 1e300 } }] },
    ];
    for (const lie of lies) {
      expect(await failure(bytesOf("stream", { ...table, info: lie as ReducedTable["info"] }))).toMatch(
        /^a reduced table with damaged metadata/,
      );
    }
  });
});
