/** A dataset is the reduced table of its logs, whatever came first; what did not change is not touched, and nothing outside is. */
import { tableFromIPC as readByFlechette } from "@uwdata/flechette";
import { tableFromIPC } from "apache-arrow";
import { afterAll, describe, expect, test } from "bun:test";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDataset, MANIFEST_NAME, monthOf } from "../../../lib/reduced/dataset-manifest.ts";
import { Dataset } from "../../../lib/reduced/dataset.ts";
import { PART_ROWS, PartRows } from "../../../lib/reduced/dataset-part.ts";
import { type Kind, KIND_NAMES, KIND_SPECS } from "../../../lib/reduced/kinds.ts";
import { reducedToIpc } from "../../../lib/reduced/reduced-arrow.ts";
import { toSorted } from "../../../lib/reduced/sorted-table.ts";
import { readReduced } from "../../../lib/reduced/reduced-input.ts";
import { countRows, type ReducedTable } from "../../../lib/reduced/reduced-table.ts";
import { StoredTable } from "../../../lib/reduced/stored-table.ts";
import { addToDataset } from "../../../lib/reduced/write-dataset.ts";
import type { SourceInfo } from "../../../lib/events/source.ts";
import { buildReduced, type LiteralRow, NO_INFO } from "../../support/build.ts";
import { FIXTURES_FOLDER } from "../../support/example-fleet.ts";
import { findEngine } from "../../support/parquet.ts";
import { seededRandom } from "../../support/random.ts";
import { makeTempDir } from "../../support/run.ts";
import { analyze } from "../../support/tables.ts";

const temp = await makeTempDir();
afterAll(() => temp[Symbol.asyncDispose]());
let made = 0;
const newFolder = () => join(temp.path, `dataset ${made++}`);

const bytesOf = (table: ReducedTable) => Buffer.concat([...reducedToIpc(table)]);
const inputOf = (table: ReducedTable, name = "table") => ({ name, info: table.info, open: () => toSorted(table, name) });
const add = (folder: string, ...tables: ReducedTable[]) => addToDataset(folder, tables.map((table, i) => inputOf(table, `table ${i}`)), () => {});

/** Every file of a folder with what it holds. */
function filesOf(folder: string): Map<string, Buffer> {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile());
  return new Map(names.map(({ parentPath, name }) => join(parentPath, name)).sort().map(path => [path.slice(folder.length), readFileSync(path)]));
}

/** The same, short: what differs is told by its name. */
const digestsOf = (folder: string) => [...filesOf(folder)].map(([name, bytes]) => [name, name.endsWith(MANIFEST_NAME) ? bytes.toString() : Bun.hash(bytes)]);

/** Where each file lies on the disk, and when it was written. */
const statesOf = (folder: string) => [...filesOf(folder).keys()].map(name => [name, statSync(join(folder, name)).ino, statSync(join(folder, name)).mtimeMs]);

const seenUs = (date: string) => Date.parse(date) * 1000;
function sourceOf(name: string, from: string, to: string): SourceInfo {
  const counts = { lines: 9, events: 1_000_000, repaired: 0, rejected: 0, pending: 0 };
  return { path: `logs/${name}`, sizeBytes: 100, headHash: name, wholeHash: name, counts, firstSeenUs: seenUs(from), lastSeenUs: seenUs(to) };
}

const DATES = ["1970-01-01", "2024-01-31", "2024-02-01", "2024-02-29", "2024-03-01", "2199-12-31"];

/** Rows of every kind over some months, with all that a column may hold. */
function drawRows(seed: string, dates: readonly string[] = DATES, kinds: readonly Kind[] = KIND_NAMES): LiteralRow[] {
  const random = seededRandom(seed);
  const rows: LiteralRow[] = [];
  // Made of the last commands, whenever tables are combined.
  for (const kind of kinds.filter(kind => kind !== "pre_disconnect_command")) {
    for (const date of dates) {
      for (const sensor of ["", "b"]) {
        const names = KIND_SPECS[kind].key;
        const number = (i: number) => (kind === "last_command" ? i : random.chance(0.2) ? null : random.int(2));
        for (let i = 0; i < 3; i++) {
          const key = Object.fromEntries(names.map(name => [name, ["dst_port", "robot", "hour", "positives", "total", "line"].includes(name) ? number(i) : name === "session" ? `${date}${sensor}${i}` : random.chance(0.2) && i > 0 ? null : `${seed} <${i}> é\u202e`]));
          if (rows.some(row => row.kind === kind && row.date === date && row.sensor === sensor && JSON.stringify(row.key) === JSON.stringify(key))) continue;
          const count = kind === "last_command" ? 1 : 1 + random.int(300);
          rows.push({ kind, date, sensor, key, count, success: kind === "login" ? random.int(count + 1) : 0, ...(random.chance(0.8) && { from: ["192.0.2.1", "198.51.100.7"].slice(0, Math.min(count, random.int(3))) }) });
        }
      }
    }
  }
  return rows;
}

/** In canonical form: what a table of these rows is once it was combined. */
async function combined(...tables: ReducedTable[]): Promise<ReducedTable> {
  const folder = newFolder();
  await add(folder, ...tables);
  return await readReduced(folder, () => {});
}

describe("the table of its logs", () => {
  test("read back, byte for byte, in memory and as rows that are read part by part", async () => {
    const { table } = await analyze([join(FIXTURES_FOLDER, "fleet")]);
    const folder = newFolder();
    const written = await add(folder, table);
    expect(bytesOf(await readReduced(folder, () => {})).equals(bytesOf(table))).toBe(true);
    expect([written.rows, Dataset.open(folder).allRows]).toEqual([countRows(table), countRows(table)]);
    const path = join(temp.path, "fleet.arrow");
    writeFileSync(path, bytesOf(table));
    using stored = StoredTable.open(folder)!;
    using file = StoredTable.open(path)!;
    expect(stored.dictionaries).toEqual(file.dictionaries);
    for (const days of [{}, { first: 20_670 }, { first: 20_660, last: 20_666 }]) {
      for (const kind of KIND_NAMES) expect(rowsOf(stored, kind, days)).toEqual(rowsOf(file, kind, days));
    }
  });

  test("of all that a column may hold", async () => {
    const table = await combined(buildReduced(drawRows("all"), { ...NO_INFO, sources: [sourceOf("all", "1970-01-01", "2199-12-31")] }));
    expect(countRows(table)).toBeGreaterThan(300);
    const again = newFolder();
    await add(again, table);
    expect(bytesOf(await readReduced(again, () => {})).equals(bytesOf(table))).toBe(true);
  });

  test("more rows in a month than a part holds", async () => {
    const rows = PART_ROWS + 5;
    const ascending = Int32Array.from({ length: rows }, (_, row) => row);
    const table = buildReduced([], { ...NO_INFO, sources: [sourceOf("many", "2024-01-01", "2024-01-01")] });
    const input = Array.from({ length: rows }, (_, row) => String(row).padStart(7, "0"));
    const [zeros, ones] = [new Int32Array(rows), new Float64Array(rows).fill(1)];
    const times = new Float64Array(rows).fill(seenUs("2024-01-01T12:00:00Z"));
    const many: ReducedTable = {
      ...table,
      dictionaries: { ...table.dictionaries, sensor: ["s"], input },
      kinds: { ...table.kinds, command: { kind: "command", rows, day: zeros.map(() => 19_723), sensor: zeros, keys: { input: ascending }, count: ones, success: new Float64Array(rows), addresses: zeros.map(() => -1), firstSeenUs: times, lastSeenUs: times } },
    };
    const folder = newFolder();
    expect((await add(folder, many)).parts).toBe(2);
    expect(bytesOf(await readReduced(folder, () => {})).equals(bytesOf(many))).toBe(true);
    expect(new PartRows("command", monthOf(19_723)).month).toBe("2024-01");
  });

  function rowsOf(stored: StoredTable, kind: Kind, days: { first?: number; last?: number }) {
    const rows: unknown[] = [];
    for (const part of stored.parts(kind, days)) {
      const { day, sensor, count, success, firstSeenUs, lastSeenUs, addresses, keys, sets } = part;
      const columns = [day, sensor, ...Object.values(keys), count, success, firstSeenUs, lastSeenUs];
      for (let row = 0; row < part.rows; row++) {
        if (day[row]! < (days.first ?? -Infinity)) continue;
        const code = addresses?.[row] ?? -2;
        rows.push([...columns.map(column => column![row]), code < 0 ? code : [...sets.hashes.subarray(sets.offsets[code]!, sets.offsets[code + 1]!)]]);
      }
    }
    return rows;
  }
});

describe("any order, any steps", () => {
  const tables = async () => {
    const fleet = join(FIXTURES_FOLDER, "fleet");
    const days = (sinceDay: number | undefined, untilDay: number | undefined) =>
      analyze([join(fleet, "hp-nyc-01")], { parameters: { robotMaxSeconds: 10, ...(sinceDay !== undefined && { sinceDay }), ...(untilDay !== undefined && { untilDay }) } });
    const analyses = [await analyze([join(fleet, "hp-ams-01")]), await days(undefined, 20_660), await days(20_661, 20_668), await days(20_669, undefined)];
    return analyses.map(({ table }) => table);
  };

  test("sensors, and days of one sensor's logs: the same files as at once", async () => {
    const all = await tables();
    const whole = newFolder();
    await add(whole, ...all);
    const random = seededRandom("order");
    for (let i = 0; i < 3; i++) {
      const folder = newFolder();
      for (const table of random.shuffle(all)) await add(folder, table);
      // Once more: it is in there.
      await add(folder, all[i]!);
      expect(digestsOf(folder)).toEqual(digestsOf(whole));
    }
    const days = (await readReduced(whole, () => {})).info.sources;
    expect(days.every(({ days }) => days === undefined)).toBe(true);
  });

  test("days that are counted already are counted once", async () => {
    const [, early, middle, late] = await tables();
    const { table } = await analyze([join(FIXTURES_FOLDER, "fleet", "hp-nyc-01")], { parameters: { robotMaxSeconds: 10, sinceDay: 20_657, untilDay: 20_665 } });
    const [folder, whole] = [newFolder(), newFolder()];
    await add(folder, early!, middle!);
    await add(folder, table);
    await add(folder, late!);
    await add(whole, (await analyze([join(FIXTURES_FOLDER, "fleet", "hp-nyc-01")])).table);
    expect(digestsOf(folder)).toEqual(digestsOf(whole));
  });
});

describe("what did not change is not touched", () => {
  const january = () => buildReduced(drawRows("j", ["2024-01-05", "2024-01-31"]), { ...NO_INFO, sources: [sourceOf("j", "2024-01-05", "2024-01-31")] });
  const march = () => buildReduced(drawRows("m", ["2024-03-05"]), { ...NO_INFO, sources: [sourceOf("m", "2024-03-05", "2024-03-05")] });

  test("the same tables again write nothing, not even the manifest", async () => {
    const folder = newFolder();
    await add(folder, january(), march());
    const before = statesOf(folder);
    expect(await add(folder, march())).toMatchObject({ writtenParts: 0, removedParts: 0 });
    expect(statesOf(folder)).toEqual(before);
  });

  test("another month is written, this one neither written nor read", async () => {
    const folder = newFolder();
    await add(folder, january());
    const before = statesOf(folder).filter(([name]) => name !== `/${MANIFEST_NAME}`);
    // Damaged of the same length: whoever read it would say so.
    const [login] = [...filesOf(folder).keys()].filter(name => name.startsWith("/kind=login/"));
    const sound = readFileSync(join(folder, login!));
    const times = statSync(join(folder, login!));
    writeFileSync(join(folder, login!), Buffer.alloc(sound.length, 7));
    const { writtenParts, removedParts } = await add(folder, march());
    expect([writtenParts, removedParts]).toEqual([KIND_NAMES.length, 0]);
    expect(readFileSync(join(folder, login!)).equals(Buffer.alloc(sound.length, 7))).toBe(true);
    writeFileSync(join(folder, login!), sound);
    const unchanged = (states: unknown[][]) => states.filter(([name]) => name !== login).filter(([name]) => before.some(([known]) => known === name));
    expect(unchanged(statesOf(folder))).toEqual(unchanged(before));
    expect(times.ino).toBe(statSync(join(folder, login!)).ino);
    const whole = newFolder();
    await add(whole, january(), march());
    expect(digestsOf(folder)).toEqual(digestsOf(whole));
  });

  test("made anew in its place, it keeps the parts that lie there byte for byte", async () => {
    const folder = newFolder();
    await add(folder, january());
    const before = filesOf(folder);
    const [name] = [...before.keys()].filter(name => name.startsWith("/kind=command/"));
    writeFileSync(join(folder, name!), Buffer.alloc(before.get(name!)!.length));
    rmSync(join(folder, MANIFEST_NAME));
    expect((await add(folder, january())).writtenParts).toBe(1);
    expect(filesOf(folder)).toEqual(before);
  });

  test("a line that was cut may be of a month that nobody else has touched", async () => {
    const folder = join(temp.path, "cut");
    mkdirSync(folder);
    const event = (date: string, input: string) => `{"eventid":"cowrie.command.input","timestamp":"${date}T10:00:00.000000Z","session":"${input}","sensor":"s","src_ip":"192.0.2.9","input":"${input}"}\n`;
    const line = event("2024-01-30", "cut");
    writeFileSync(join(folder, "cowrie.json.1"), event("2024-01-02", "first") + line.slice(0, 70));
    writeFileSync(join(folder, "cowrie.json.2"), line.slice(70) + event("2024-03-02", "last"));
    const parts = [];
    for (const name of ["cowrie.json.1", "cowrie.json.2"]) parts.push((await analyze([join(folder, name)])).table);
    const steps = newFolder();
    await add(steps, parts[0]!);
    expect((await add(steps, parts[1]!)).joinedLines).toBe(1);
    const whole = newFolder();
    await add(whole, (await analyze([folder])).table);
    expect(filesOf(steps)).toEqual(filesOf(whole));
    expect((await readReduced(steps, () => {})).kinds.command.rows).toBe(3);
  });
});

describe("a run that dies", () => {
  test("leaves the dataset as it was, and what the next run removes", async () => {
    const folder = newFolder();
    const [first, second] = ["a", "b"].map(name => buildReduced(drawRows(name, ["2024-01-05"]), { ...NO_INFO, sources: [sourceOf(name, "2024-01-05", "2024-01-05")] }));
    await add(folder, first!);
    const before = filesOf(folder);
    const input = inputOf(second!);
    const dying = { ...input, open: () => ({ ...input.open(), batches: (kind: Kind) => { if (kind === "event") throw new Error("killed"); return input.open().batches(kind); } }) };
    expect(addToDataset(folder, [dying], () => {})).rejects.toThrow("killed");
    await addToDataset(folder, [dying], () => {}).catch(() => {});
    for (const [name, bytes] of before) expect(readFileSync(join(folder, name)).equals(bytes)).toBe(true);
    expect(filesOf(folder).size).toBeGreaterThan(before.size);
    expect(bytesOf(await readReduced(folder, () => {})).equals(bytesOf(await combined(first!)))).toBe(true);
    // A file that another process began, which is gone.
    writeFileSync(join(folder, "kind=login", "month=2024-01", ".part-1.999999-1-000000-00000000.partial"), "half");
    await add(folder, first!);
    expect([...filesOf(folder).keys()].filter(name => !name.includes(".partial"))).toEqual([...before.keys()]);
  });
});

describe("other readers", () => {
  const table = async () => (await analyze([join(FIXTURES_FOLDER, "fleet")])).table;
  /** Some take a byte order mark off the head of a text. */
  const plain = (value: unknown) => (typeof value === "bigint" ? Number(value) : typeof value === "string" ? value.replace(/^\ufeff/, "") : (value ?? null));

  test("apache-arrow and flechette read the rows that we read", async () => {
    const folder = newFolder();
    const reduced = await table();
    await add(folder, reduced);
    const parts = Dataset.open(folder).parts.filter(({ kind }) => kind === "login");
    const files = parts.map(({ kind, month, name }) => ({ month, bytes: readFileSync(join(folder, `kind=${kind}`, `month=${month}`, name)) }));
    const { rows, day, sensor, keys, count, success, firstSeenUs } = reduced.kinds.login;
    const names = ["day", "sensor", "username", "password", "count", "success"];
    const wanted: unknown[] = Array.from({ length: rows }, (_, row) => [
      new Date(day[row]! * 86_400_000).toISOString().slice(0, 7), new Date(day[row]! * 86_400_000).getUTCDate(), reduced.dictionaries.sensor[sensor[row]!],
      plain(reduced.dictionaries.username[keys.username![row]!]), plain(reduced.dictionaries.password[keys.password![row]!]), count[row], success[row], Math.floor(firstSeenUs[row]! / 1000),
    ]);
    const found = (get: (bytes: Buffer) => { rows: number; value(name: string, row: number): unknown }): unknown[] =>
      files.flatMap(({ month, bytes }) => {
        const { rows, value } = get(bytes);
        return Array.from({ length: rows }, (_, row) => [month, ...names.map(name => plain(value(name, row))), Math.floor(Number(value("first_seen", row)))]);
      });
    expect(found(bytes => { const arrow = tableFromIPC(bytes); return { rows: arrow.numRows, value: (name, row) => arrow.getChild(name)!.get(row) }; })).toEqual(wanted);
    expect(found(bytes => { const read = readByFlechette(bytes); return { rows: read.numRows, value: (name, row) => read.getChild(name).at(row) }; })).toEqual(wanted);
  });

  const clickHouse = findEngine("ClickHouse");
  test.skipIf(clickHouse.reason !== undefined)(`ClickHouse counts what we count, by month${clickHouse.why}`, async () => {
    const folder = join(temp.path, "clickhouse");
    const reduced = await table();
    await add(folder, reduced);
    const { ask } = await clickHouse.open();
    const found = await ask(`select month, sensor, sum(count), max(day), uniqExact(username) from file('${folder}/kind=login/*/*.arrow', Arrow) group by month, sensor order by month, sensor`);
    const { rows, day, sensor, keys, count } = reduced.kinds.login;
    const wanted = new Map<string, { count: number; day: number; names: Set<number> }>();
    for (let row = 0; row < rows; row++) {
      const date = new Date(day[row]! * 86_400_000);
      const group = JSON.stringify([date.toISOString().slice(0, 7), reduced.dictionaries.sensor[sensor[row]!]]);
      const sums = wanted.get(group) ?? { count: 0, day: 0, names: new Set() };
      wanted.set(group, { count: sums.count + count[row]!, day: Math.max(sums.day, date.getUTCDate()), names: sums.names.add(keys.username![row]!) });
    }
    expect(found).toEqual([...wanted].sort(([a], [b]) => (a < b ? -1 : 1)).map(([group, { count, day, names }]) => [...(JSON.parse(group) as string[]), count, day, names.size]));
  });
});

describe("hostile or damaged", () => {
  const good = newFolder();
  const folderOf = (name: string) => {
    const folder = newFolder();
    cpSync(good, folder, { recursive: true });
    return { folder, login: join(folder, "kind=login", "month=2024-01"), name };
  };
  type Parts = Record<string, unknown>[];
  const manifestOf = (folder: string) => JSON.parse(readFileSync(join(folder, MANIFEST_NAME), "utf8")) as { version: unknown; info: Record<string, unknown>; parts: Parts };
  const MANIFESTS: Record<string, [change: (manifest: ReturnType<typeof manifestOf>) => unknown, says: RegExp]> = {
    "no object": [() => [1], /expected an object/],
    "another version": [manifest => ({ ...manifest, version: 2 }), /a dataset of version 2: expected 1/],
    "rows of another version": [manifest => ({ ...manifest, info: { ...manifest.info, version: 9 } }), /rows of version 9: expected 3/],
    "no sources": [manifest => ({ ...manifest, info: { ...manifest.info, sources: [{}] } }), /sources or parameters/],
    "counts that were cut": [manifest => ({ ...manifest, info: { ...manifest.info, sources: (manifest.info.sources as object[]).map(source => ({ ...source, cut: true })) } }), /counts that were cut/],
    "no parts": [manifest => ({ ...manifest, parts: {} }), /no list of parts/],
    "a part twice": [manifest => ({ ...manifest, parts: [manifest.parts[0], ...manifest.parts] }), /twice/],
    "parts out of order": [manifest => ({ ...manifest, parts: [...manifest.parts].reverse() }), /before its turn/],
    ...Object.fromEntries(
      Object.entries({
        "a path for a name": { name: "../../../etc/part-0123456789abcdef.arrow" },
        "a path for a month": { month: "2024-01/../../.." },
        "a month that is none": { month: "2024-13" },
        "a kind that is none": { kind: "../login" },
        "no rows": { rows: 0 },
        "a number that cannot be": { rows: 1e300 },
        "half a byte": { bytes: 0.5 },
      }).map(([name, change]) => [name, [(manifest: ReturnType<typeof manifestOf>) => ({ ...manifest, parts: [{ ...manifest.parts[0], ...change }, ...manifest.parts.slice(1)] }), /no part can be number 1/]]),
    ),
    "other rows than there are": [manifest => ({ ...manifest, parts: manifest.parts.map((part, i) => (i === 0 ? { ...part, rows: 7 } : part)) }), /rows, expected 7 as the manifest says/],
    "other bytes than there are": [manifest => ({ ...manifest, parts: manifest.parts.map((part, i) => (i === 0 ? { ...part, bytes: 7 } : part)) }), /bytes, expected 7 as the manifest says/],
  };
  const rows = () => buildReduced(drawRows("g", ["2024-01-05"]), { ...NO_INFO, sources: [sourceOf("g", "2024-01-05", "2024-01-05")] });

  test.each(Object.entries(MANIFESTS))("a manifest with %s: one line, and nothing is changed", async (name, [change, says]) => {
    if (!isDataset(good)) await add(good, rows());
    const { folder } = folderOf(name);
    writeFileSync(join(folder, MANIFEST_NAME), JSON.stringify(change(manifestOf(folder))));
    const before = filesOf(folder);
    const reading = readReduced(folder, () => {});
    expect(reading).rejects.toThrow(says);
    const { message } = (await reading.catch((error: unknown) => error)) as Error;
    expect(message.split("\n")).toHaveLength(1);
    const other = buildReduced(drawRows("h", ["2024-01-06"]), { ...NO_INFO, sources: [sourceOf("h", "2024-01-06", "2024-01-06")] });
    expect(add(folder, other)).rejects.toThrow(says);
    await add(folder, other).catch(() => {});
    expect(filesOf(folder)).toEqual(before);
  });

  const PARTS: Record<string, [change: (at: ReturnType<typeof folderOf>) => void, says: RegExp]> = {
    "is gone": [({ login }) => rmSync(login, { recursive: true }), /it is gone/],
    "is cut short": [({ login }) => truncateSync(join(login, readdirSync(login)[0]!), 100), /has 100 bytes/],
    "is of another kind": [({ folder, login }) => replace(login, "", join(folder, "kind=command", "month=2024-01")), /does not say that it is of login in 2024-01/],
    "is no Arrow file": [({ login }) => writeFileSync(join(login, readdirSync(login)[0]!), Buffer.alloc(statSync(join(login, readdirSync(login)[0]!)).size)), /no Arrow file/],
    "is a link": [({ folder, login }) => { const name = join(login, readdirSync(login)[0]!); renameSync(name, join(folder, "there")); symlinkSync(join(folder, "there"), name); }, /a file that is no link/],
    "lies behind a link": [({ folder, login }) => { renameSync(login, join(folder, "there")); symlinkSync(join(folder, "there"), login); }, /a folder that is no link/],
    "has a day that the month has not": [({ login }) => replace(login, "day"), /2024-01 has no day 77/],
  };

  /** Put other bytes in the place of the part of a folder, with the manifest's word for them. */
  function replace(login: string, what: string, from = login): void {
    const folder = join(login, "..", "..");
    const [name] = readdirSync(login);
    const bytes = readFileSync(join(from, readdirSync(from)[0]!));
    if (what === "day") {
      // All rows are of the fifth.
      const at = bytes.indexOf(Buffer.alloc(4, 5));
      bytes.fill(77, at, at + 4);
    }
    writeFileSync(join(login, name!), bytes);
    const manifest = manifestOf(folder);
    for (const part of manifest.parts) if (part.kind === "login") part.bytes = bytes.length;
    writeFileSync(join(folder, MANIFEST_NAME), JSON.stringify(manifest));
  }

  test.each(Object.entries(PARTS))("a part that %s: one line", async (name, [change, says]) => {
    if (!isDataset(good)) await add(good, rows());
    const at = folderOf(name);
    change(at);
    const reading = readReduced(at.folder, () => {});
    expect(reading).rejects.toThrow(says);
    expect(((await reading.catch((error: unknown) => error)) as Error).message.split("\n")).toHaveLength(1);
  });

  test("a manifest behind a link is not read", async () => {
    if (!isDataset(good)) await add(good, rows());
    const { folder } = folderOf("link");
    renameSync(join(folder, MANIFEST_NAME), join(folder, "there"));
    symlinkSync(join(folder, "there"), join(folder, MANIFEST_NAME));
    expect(readReduced(folder, () => {})).rejects.toThrow(/symbolic link/);
  });

  test("nothing is written or removed behind a link, nor in a folder of something else", async () => {
    const outside = newFolder();
    mkdirSync(join(outside, "month=2024-01"), { recursive: true });
    writeFileSync(join(outside, "month=2024-01", "part-0123456789abcdef.arrow"), "mine");
    const folder = newFolder();
    mkdirSync(folder);
    symlinkSync(outside, join(folder, "kind=scan"));
    expect(add(folder, rows())).rejects.toThrow(/a folder that is no link/);
    await add(folder, rows()).catch(() => {});
    expect(readdirSync(join(outside, "month=2024-01"))).toEqual(["part-0123456789abcdef.arrow"]);

    const strange = newFolder();
    mkdirSync(strange);
    writeFileSync(join(strange, "letters.txt"), "mine");
    expect(add(strange, rows())).rejects.toThrow(/it has "letters.txt" in it, expected a dataset or an empty folder/);
    expect(readdirSync(strange)).toEqual(["letters.txt"]);
    expect(existsSync(join(strange, MANIFEST_NAME))).toBe(false);
  });

  test("counts that were cut are none of a dataset", async () => {
    const table = rows();
    const cut = { ...table, info: { ...table.info, sources: table.info.sources.map(source => ({ ...source, cut: true })) } };
    expect(add(newFolder(), cut)).rejects.toThrow(/its counts were cut, expected full counts/);
  });
});
