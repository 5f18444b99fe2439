/** Tables merged as streams give the bytes that they give in memory, and no more than a batch of each is read ahead. */
import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { combineTables } from "../../../lib/reduced/combine.ts";
import { combineSorted, type SortedInput } from "../../../lib/reduced/combine-sorted.ts";
import { type KindTable, type ReducedTable, sliceRows, takeRows } from "../../../lib/reduced/reduced-table.ts";
import { REDUCED_BATCH_ROWS, readReducedArrow, reducedToIpc } from "../../../lib/reduced/reduced-arrow.ts";
import { openSorted, type SortedTable, toSorted } from "../../../lib/reduced/sorted-table.ts";
import { closing } from "../../../lib/columns/regular-file.ts";
import { ColumnMemory } from "../../../lib/columns/arrow-reader.ts";
import { type KeyColumn, type Kind, KIND_NAMES, KINDS } from "../../../lib/reduced/kinds.ts";
import { mergeSorted } from "../../../lib/reduced/merge-sorted.ts";
import { reducedToJson } from "../../../lib/reduced/reduced-json.ts";
import { readReduced } from "../../../lib/reduced/reduced-input.ts";
import { buildReduced, type LiteralRow, NO_INFO } from "../../support/build.ts";
import { randomLines } from "../../hostile/lines.ts";
import { FIXTURES_FOLDER } from "../../support/example-fleet.ts";
import { seededRandom } from "../../support/random.ts";
import { makeTempDir } from "../../support/run.ts";
import { analyze } from "../../support/tables.ts";
import type { SourceInfo } from "../../../lib/events/source.ts";

const temp = await makeTempDir();
afterAll(() => temp[Symbol.asyncDispose]());

const bytesOf = (table: ReducedTable) => Buffer.concat([...reducedToIpc(table)]);
let written = 0;

/** A table as one that lies in a file, or in memory. */
async function inputOf(table: ReducedTable, inMemory = false): Promise<SortedInput> {
  const path = join(temp.path, `${written++}.arrow`);
  if (inMemory) return { name: path, info: table.info, read: async () => table, open: () => toSorted(table, path) };
  await Bun.write(path, bytesOf(table));
  const sorted = openSorted(path)!;
  sorted.close();
  return { name: path, info: sorted.info, read: () => readReduced(path, () => {}), open: () => openSorted(path)! };
}

async function expectSame(tables: readonly ReducedTable[], topN = 2): Promise<void> {
  const expected = await combineTables(tables.map((table, i) => ({ name: `${i}`, table })), () => {});
  const inputs = await Promise.all(tables.map((table, i) => inputOf(table, i % 3 === 2)));
  using combined = await combineSorted(inputs, topN, temp.path, () => {});
  const bytes = Buffer.concat(Array.from(combined.chunks("file"), chunk => Buffer.from(chunk)));
  expect(bytes.equals(bytesOf(expected.table))).toBe(true);
  expect([combined.leftOut.length, combined.joinedLines]).toEqual([expected.leftOut.length, expected.joinedLines]);
  expect([...reducedToJson(combined.top.toTable(combined.info, combined.texts), topN)].join("")).toBe([...reducedToJson(expected.table, topN)].join(""));
}

const source = (name: string): SourceInfo => ({
  path: `logs/${name}`,
  sizeBytes: 100,
  headHash: name,
  wholeHash: name,
  counts: { lines: 9, events: 9, repaired: 0, rejected: 0, pending: 0 },
});
const built = (rows: LiteralRow[], name: string) => buildReduced(rows, { ...NO_INFO, sources: [source(name)] });

describe("the same bytes as in memory", () => {
  test("a table of each sensor of a fleet, in any order, and some twice", async () => {
    const fleet = join(FIXTURES_FOLDER, "fleet");
    const tables = await Promise.all(readdirSync(fleet).map(async name => (await analyze([join(fleet, name)])).table));
    expect(tables.length).toBeGreaterThan(2);
    await expectSame(tables);
    await expectSame(seededRandom("order").shuffle([...tables, tables[1]!]), 0);
  });

  test("logs cut anywhere, with sessions and lines in two parts", async () => {
    for (let seed = 0; seed < 3; seed++) {
      const random = seededRandom(`cut ${seed}`);
      const text = randomLines(random, 400);
      const folder = join(temp.path, `cut-${seed}`);
      mkdirSync(folder);
      const cuts = [0, random.int(text.length), random.int(text.length), random.int(text.length), text.length].sort((a, b) => a - b);
      const tables = [];
      for (let i = 0; i + 1 < cuts.length; i++) {
        const path = join(folder, `cowrie.json.${i}`);
        await Bun.write(path, text.subarray(cuts[i], cuts[i + 1]));
        tables.push((await analyze([path])).table);
      }
      await expectSame(tables, seed);
    }
  });

  test("a session that began and ended in one log, and comes again in another or types behind its end, is one", async () => {
    const random = seededRandom("sessions whole in a log");
    const event = (second: number, sensor: string, session: string, eventid: string, more: object = {}) =>
      JSON.stringify({ eventid, timestamp: new Date(Date.UTC(2024, 0, 1, 0, 0, second)).toISOString(), sensor, session, src_ip: "192.0.2.1", ...more });
    const logs = Array.from({ length: 5 }, (_, log) => {
      const visit = (i: number) => {
        // Few ids, so that most come in several logs; each visit is whole in its log.
        const [sensor, session, at] = [random.pick(["a", "b"]), `id${random.int(6)}`, log * 1000 + i * 10];
        const lines = [event(at, sensor, session, "cowrie.session.connect"), event(at + 1, sensor, session, "cowrie.command.input", { input: `typed ${log}.${i}` })];
        const late = random.chance(0.2) ? [event(at + 3, sensor, session, "cowrie.command.input", { input: "late" })] : [];
        return [...lines, event(at + 2, sensor, session, "cowrie.session.closed", { duration: 2 }), ...late];
      };
      return Array.from({ length: 8 }, (_, i) => visit(i)).flat();
    });
    const folder = join(temp.path, "whole-sessions");
    mkdirSync(folder);
    const paths = logs.map((_, i) => join(folder, `cowrie.json.2024-01-0${i + 1}`));
    await Promise.all(paths.map((path, i) => Bun.write(path, `${logs[i]!.join("\n")}\n`)));
    const whole = (await analyze(paths)).table;
    const parts = await Promise.all(paths.map(async path => (await analyze([path])).table));
    const sessions = new Set(logs.flat().map(line => JSON.parse(line)).filter(({ input }) => input !== undefined).map(({ sensor, session }) => `${sensor} ${session}`));
    const counted = (table: ReducedTable) => table.kinds.pre_disconnect_command.count.reduce((sum, count) => sum + count, 0);
    // Settled log by log they would be as many as there were visits by log.
    expect(parts.reduce((sum, part) => sum + counted(part), 0)).toBeGreaterThan(sessions.size);
    const named = random.shuffle(parts).map((table, i) => ({ name: `${i}`, table }));
    const some = (await combineTables(named.slice(0, 2), () => {})).table;
    const all = (await combineTables([{ name: "some", table: some }, ...named.slice(2)], () => {})).table;
    expect(counted(all)).toBe(sessions.size);
    expect(bytesOf(all).equals(bytesOf(whole))).toBe(true);
    await expectSame(parts);
  });

  test("more rows than a batch, some of one key in several tables and at the ends of batches", async () => {
    const random = seededRandom("batches");
    const draw = (name: string) => {
      const rows: LiteralRow[] = [];
      for (let i = 0; i < 1.3 * REDUCED_BATCH_ROWS; i++) {
        if (i > REDUCED_BATCH_ROWS - 20 && i < REDUCED_BATCH_ROWS + 20 ? false : random.chance(0.3)) continue;
        const from = [`192.0.2.${random.int(200)}`, `198.51.100.${random.int(200)}`].slice(0, random.int(3));
        rows.push({
          ...{ kind: "command", date: `2024-01-0${1 + Math.floor(i / 9000)}`, sensor: "s", key: { input: String(i).padStart(6, "0") } },
          ...{ count: 2 + random.int(9), firstSeenUs: 1.704e15 + random.int(1e6), lastSeenUs: 1.705e15 + random.int(1e6) },
          ...(random.chance(0.1) ? {} : { from }),
        });
      }
      return built(rows, name);
    };
    await expectSame([draw("a"), draw("b"), draw("c")]);
  });

  test("more tables than are merged at once", async () => {
    const tables = Array.from({ length: 300 }, (_, i) =>
      built(
        ["a", "b"].flatMap((sensor): LiteralRow[] => [
          { kind: "event", date: "2024-01-01", sensor, key: { eventid: "e", hour: i % 24 }, count: 1 + i, from: [`10.0.0.${i % 200}`] },
          { kind: "login", date: "2024-01-01", sensor, key: { username: `u${i % 7}`, password: null }, count: 3, success: 1, from: [] },
        ]),
        `log ${i}`,
      ),
    );
    await expectSame(tables);
    expect(readdirSync(temp.path).filter(name => name.startsWith(".combine-"))).toEqual([]);
  });

  test("of a few tables too many no more than these are merged first, and those the smallest", async () => {
    const opened: string[] = [];
    const inputs = Array.from({ length: 130 }, (_, i): SortedInput => {
      const events = 1 + ((i * 37) % 130);
      const own = { ...source(`log ${i}`), counts: { lines: events, events, repaired: 0, rejected: 0, pending: 0 } };
      const table = buildReduced([{ kind: "event", date: "2024-01-01", sensor: "s", key: { eventid: "e", hour: 1 }, count: events }], { ...NO_INFO, sources: [own] });
      const open = () => {
        opened.push(`${events}`);
        return toSorted(table);
      };
      return { name: `${i}`, info: table.info, read: async () => table, open };
    });
    using combined = await combineSorted(inputs, 1, temp.path, () => {});
    const [table] = Array.from(combined.batches(), ({ table }) => table);
    expect([table!.rows, table!.count[0]]).toEqual([1, (130 * 131) / 2]);
    expect([opened.length, opened.slice(0, 3).sort()]).toEqual([130, ["1", "2", "3"]]);
  });

  test("one table, and one without rows", async () => {
    await expectSame([built([], "nothing")]);
    await expectSame([built([], "nothing"), built([{ kind: "command", date: "2024-01-01", sensor: "", key: { input: null }, count: 1 }], "one")]);
  });
});

test("of each table a batch is in memory, and no more", async () => {
  let ahead = 0;
  const rows = 40 * REDUCED_BATCH_ROWS;
  const table = built([{ kind: "command", date: "2024-01-01", sensor: "s", key: { input: "x" }, count: 1, from: [] }], "log");
  const whole = { ...takeRows(table.kinds.command, new Int32Array(rows)), day: new Int32Array(rows) };
  /** The days of one table are even, those of the other odd. */
  const stream = (odd: number): SortedTable => ({
    ...toSorted(table),
    *batches(kind) {
      if (kind !== "command") return;
      for (let start = 0; start < rows; start += REDUCED_BATCH_ROWS) {
        const part: KindTable = sliceRows(whole, start, start + REDUCED_BATCH_ROWS);
        ahead++;
        yield { table: { ...part, day: part.day.map((_, row) => 2 * (start + row) + odd) }, sets: table.sets };
      }
    },
  });
  let batches = 0;
  for (const { table } of (await mergeSorted([stream(0), stream(1)])).batches()) {
    batches++;
    ahead -= table.rows / REDUCED_BATCH_ROWS;
    expect(ahead).toBeLessThanOrEqual(3);
  }
  expect(batches).toBe(80);
});

describe("rows that are decoded in one walk say what the long way says", () => {
  const path = join(temp.path, "plain.arrow");
  const memory = new ColumnMemory();
  /** All that a file says, and what is wrong with it. */
  const read = async (bytes: Uint8Array, memory?: ColumnMemory) => {
    await Bun.write(path, bytes);
    const told: unknown[] = [];
    try {
      const file = openSorted(path)!;
      using _file = closing(file);
      for (const kind of KIND_NAMES) {
        for (const { table, sets } of file.batches(kind, memory)) {
          const { day, sensor, keys, count, success, firstSeenUs, lastSeenUs } = table;
          const addresses = table.addresses && Array.from(table.addresses, code => (code < 0 ? null : [...sets.hashes.subarray(sets.offsets[code], sets.offsets[code + 1])]));
          told.push(kind, table.rows, [day, sensor, ...KINDS[kind].map((name: KeyColumn) => keys[name]!), count, success, firstSeenUs, lastSeenUs].map(column => [...column]), addresses);
        }
      }
    } catch (error) {
      told.push((error as Error).message);
    }
    return told;
  };

  test("whatever is damaged", async () => {
    const random = seededRandom("plain rows");
    const fleet = join(FIXTURES_FOLDER, "fleet");
    const { table } = await analyze([join(fleet, readdirSync(fleet)[0]!)]);
    const few = KIND_NAMES.map(kind => [kind, sliceRows(table.kinds[kind], 0, Math.min(12, table.kinds[kind].rows))]);
    const bytes = bytesOf({ ...table, kinds: Object.fromEntries(few) });
    const outcomes = { sound: 0, told: 0 };
    for (let round = 0; round < 120; round++) {
      const damaged = Buffer.from(bytes);
      // Where rows lie, behind texts that are longer.
      for (let i = 0; i < round % 4; i++) damaged[damaged.length - 1 - random.int(bytes.length * 0.6)] = [0, 255, random.int(256)][random.int(3)]!;
      const [plain, long] = [await read(damaged, memory), await read(damaged)];
      const isTold = typeof long.at(-1) === "string";
      outcomes[isTold ? "told" : "sound"]++;
      // Of two damages either way may find another first.
      if (isTold) expect([plain.length, typeof plain.at(-1)]).toEqual([long.length, "string"]);
      else expect(plain).toEqual(long);
    }
    expect(outcomes.told).toBeGreaterThan(20);
    expect(outcomes.sound).toBeGreaterThan(50);
  });

  const rows = (kind: Kind, key: LiteralRow["key"]): LiteralRow[] => [1, 2, 3].map(n => ({ kind, date: `2024-01-0${n}`, sensor: "s", key, count: n + 1, from: ["10.0.0.1", "10.0.0.2"] }));
  const event = built([...rows("event", { eventid: "e", hour: 3 }), ...rows("connect", { src_ip: "10.0.0.1", dst_port: 22 })], "log");
  const spoiled = (kind: "event" | "connect", what: Partial<Record<keyof KindTable, number>>): ReducedTable => {
    const spoil = ([name, value]: [string, number]) => {
      const column = (event.kinds[kind] as unknown as Record<string, Int32Array | Float64Array>)[name]!.slice();
      column[1] = value;
      return [name, column];
    };
    return { ...event, kinds: { ...event.kinds, [kind]: { ...event.kinds[kind], ...Object.fromEntries(Object.entries(what).map(entry => spoil(entry as [string, number]))) } } };
  };
  const DAMAGES: [what: string, table: ReducedTable, reason: string | undefined][] = [
    ["none", event, undefined],
    ["a day before the first", spoiled("event", { day: -2e7 }), "no event has the day -20000000"],
    ["a day behind the last", spoiled("event", { day: 2e7 }), "no event has the day 20000000"],
    ["the day before 1970", spoiled("event", { day: -1 }), undefined],
    ["no sensor", spoiled("event", { sensor: -1 }), "no event has the sensor -1"],
    ["more successes than events", spoiled("connect", { success: 9 }), "no connect can be row 1"],
    ["the last before the first", spoiled("event", { firstSeenUs: 5, lastSeenUs: 4 }), "no event can be row 1"],
    ["too early", spoiled("event", { firstSeenUs: -1e18 }), "no event has the first_seen -1000000000000000000"],
    ["too late", spoiled("event", { lastSeenUs: 1e18 }), "no event has the last_seen 1000000000000000000"],
    ["more addresses than events", spoiled("event", { count: 1 }), "no event can be row 1"],
    ["more than any log holds", spoiled("connect", { count: 2 ** 44 }), "no connect has the count 17592186044416"],
    ["more than any log holds together", { ...event, kinds: { ...event.kinds, connect: { ...event.kinds.connect, count: event.kinds.connect.count.map(() => 2 ** 42) } } }, "no log holds 13194139533312 of connect"],
    ["an hour that no day has", { ...event, kinds: { ...event.kinds, event: { ...event.kinds.event, keys: { ...event.kinds.event.keys, hour: Int32Array.of(3, 24, 3) } } } }, "no event has the hour 24"],
  ];
  test.each(DAMAGES)("%s", async (_, table, reason) => {
    const [plain, long] = [await read(bytesOf(table), memory), await read(bytesOf(table))];
    expect(plain).toEqual(long);
    const told = plain.at(-1);
    expect(typeof told === "string" ? told : undefined).toBe(reason === undefined ? undefined : `a reduced table with damaged rows: ${reason}`);
  });
});

describe("what says that it is sorted and is not", () => {
  const rows: LiteralRow[] = ["a", "b", "c"].map(input => ({ kind: "command", date: "2024-01-01", sensor: "s", key: { input }, count: 1, from: [] }));
  const table = built(rows, "log");
  const withRows = (order: number[]): ReducedTable => ({
    ...table,
    kinds: { ...table.kinds, command: takeRows(table.kinds.command, Int32Array.from(order)) },
  });
  const LIES: [what: string, lie: ReducedTable][] = [
    ["rows out of order", withRows([0, 2, 1])],
    ["a row twice", withRows([0, 1, 1])],
    ["texts out of order", { ...table, dictionaries: { ...table.dictionaries, input: ["b", "a", "c"] } }],
    ["a text twice", { ...table, dictionaries: { ...table.dictionaries, input: ["a", "a", "c"] } }],
  ];
  test.each(LIES)("%s: refused in one line", async (_, lie) => {
    const input = await inputOf(lie);
    const merge = async () => {
      using combined = await combineSorted([input, await inputOf(built([], "other"))], 1, temp.path, () => {});
      return [...combined.chunks("file")].length;
    };
    await expect(merge()).rejects.toThrow(/^Cannot read ".+arrow": a reduced table with damaged rows: they do not stand in the order that it says they have$/);
    // Read as a whole, it is sorted.
    expect((await readReducedArrow(bytesOf(lie))).parts).toHaveLength(1);
  });

  test("counts that wrap are refused, not written", async () => {
    const large = { ...table, kinds: { ...table.kinds, command: { ...table.kinds.command, count: table.kinds.command.count.map(() => 2 ** 33) } } };
    using combined = await combineSorted([await inputOf(large)], 1, temp.path, () => {});
    expect(() => [...combined.chunks("file")]).toThrow("more events of kind command than the logs of the tables hold");
  });
});
