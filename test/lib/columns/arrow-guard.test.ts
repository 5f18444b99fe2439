import { describe, expect, test } from "bun:test";
import { List, Table, tableFromArrays, tableToIPC, Utf8, vectorFromArray } from "apache-arrow";
import { checkFileBytes, checkStream, checkedMessages } from "../../../lib/columns/arrow-guard.ts";
import { type IpcFormat, openIpc, toIpc } from "../../../lib/columns/arrow-ipc.ts";
import { readReducedArrow, reducedToIpc, toTexts } from "../../../lib/reduced/reduced-arrow.ts";
import type { KindTable, ReducedTable } from "../../../lib/reduced/reduced-table.ts";
import { buildReduced } from "../../support/build.ts";
import { command, watch } from "../../support/days.ts";
import { seededRandom } from "../../support/random.ts";

// How long a test takes is for whoever runs it to judge; the machine may have others to serve.

const FORMATS: readonly IpcFormat[] = ["file", "stream"];
const table = buildReduced([...watch("a", 3), ...watch("b", 2), ...command("a", "id", [1, 0, 2])]);
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
    expect(Buffer.concat(messages)).toEqual(bytes);
    checkStream(bytes);
  });
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
  for (const [name, change] of cases) {
    test(name, async () => {
      expect(await failure(bytesOf("stream", lie(change)))).toMatch(/^a reduced table with damaged rows: no command can be/);
    });
  }

  test("metadata that describe no table", async () => {
    const { info } = table;
    const lies: unknown[] = [
      { ...info, sources: [{ path: 1 }] },
      { ...info, sources: "none" },
      { ...info, parameters: null },
      { ...info, parameters: { robotMaxSeconds: "10" } },
      { ...info, parameters: { robotMaxSeconds: 10, sensors: [1] } },
    ];
    for (const lie of lies) {
      expect(await failure(bytesOf("stream", { ...table, info: lie as ReducedTable["info"] }))).toMatch(
        /^a reduced table with damaged metadata/,
      );
    }
  });
});
