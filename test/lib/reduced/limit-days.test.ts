/** Some days of a table: what the logs reduced for them give, whole again with the others, and no file of other months is opened. */
import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "../../../lib/process/command.ts";
import { openReducedTables } from "../../../lib/reduced/large-tables.ts";
import { combineTables } from "../../../lib/reduced/combine.ts";
import { tellDays, toDayBounds } from "../../../lib/reduced/limit-days.ts";
import { KIND_NAMES } from "../../../lib/reduced/kinds.ts";
import { openInputs, TableTelling } from "../../../lib/reduced/reduced-input.ts";
import { reducedToIpc } from "../../../lib/reduced/reduced-arrow.ts";
import type { ReducedTable } from "../../../lib/reduced/reduced-table.ts";
import { toSorted } from "../../../lib/reduced/sorted-table.ts";
import { addToDataset } from "../../../lib/reduced/write-dataset.ts";
import { FIXTURES_FOLDER } from "../../support/example-fleet.ts";
import { makeTempDir, runScript } from "../../support/run.ts";
import { analyze } from "../../support/tables.ts";

const temp = await makeTempDir();
afterAll(() => temp[Symbol.asyncDispose]());
const at = (name: string) => join(temp.path, name);

const dayOf = (date: string) => Date.parse(date) / 86_400_000;
const LOGS = ["2026-07-30.gz", "2026-07-31.gz", "2026-08-01.gz", "2026-08-02.gz"].map(name => join(FIXTURES_FOLDER, "fleet/hp-ams-01", `cowrie.json.${name}`));
const bytes = (table: ReducedTable) => Buffer.concat([...reducedToIpc(table)]);
const reduce = async (sinceDay?: number, untilDay?: number) =>
  (await analyze(LOGS, { parameters: { robotMaxSeconds: 10, ...(sinceDay !== undefined && { sinceDay }), ...(untilDay !== undefined && { untilDay }) } })).table;
/** As every step of combining writes it. */
const combined = async (...tables: ReducedTable[]) => (await combineTables(tables.map((table, i) => ({ name: `t${i}`, table })), () => {})).table;

const whole = await reduce();
await Bun.write(at("all.arrow"), bytes(whole));
const dataset = at("dataset");
await addToDataset(dataset, [{ name: "whole", info: whole.info, open: () => toSorted(whole, "whole") }], () => {});
const FIRST_OF_AUGUST = dayOf("2026-08-01");

/** Some days of a table in a file. */
async function limited(path: string, since?: string, until?: string): Promise<ReducedTable> {
  const inputs = await openInputs([path], new TableTelling(true), toDayBounds({ since: since && dayOf(since), until: until && dayOf(until) } as object));
  return await combined(...(await Promise.all(inputs.map(({ read }) => read()))));
}

describe("some days", () => {
  test("of a table or a dataset are the table that the logs give for them; with the others they are all", async () => {
    for (const path of [at("all.arrow"), dataset]) {
      const [july, august] = [await limited(path, undefined, "2026-07-31"), await limited(path, "2026-08-01")];
      expect(bytes(august).equals(bytes(await combined(await reduce(FIRST_OF_AUGUST))))).toBe(true);
      expect(bytes(july).equals(bytes(await combined(await reduce(undefined, FIRST_OF_AUGUST - 1))))).toBe(true);
      expect(bytes(await combined(august, july)).equals(bytes(whole))).toBe(true);
      const day = await limited(path, "2026-07-31", "2026-07-31");
      expect([...new Set(KIND_NAMES.filter(kind => kind !== "scan").flatMap(kind => [...day.kinds[kind].day]))]).toEqual([FIRST_OF_AUGUST - 1]);
      expect(day.kinds.login.rows).toBeGreaterThan(10);
    }
  });

  test("of a table of some days are those that both name", async () => {
    await Bun.write(at("july.arrow"), bytes(await limited(dataset, undefined, "2026-07-31")));
    const day = await limited(at("july.arrow"), "2026-07-31", "2026-08-02");
    expect(bytes(day).equals(bytes(await limited(dataset, "2026-07-31", "2026-07-31")))).toBe(true);
  });

  test("that no table counts are an error; of several tables those are left out that count none", async () => {
    const [days, notices] = [toDayBounds({ since: FIRST_OF_AUGUST + 1 }), [] as string[]];
    const telling = Object.assign(new TableTelling(true), { onNotice: (line: string) => void notices.push(line) });
    await expect(openInputs([at("july.arrow")], telling, days)).rejects.toThrow("Cannot find a day since 2026-08-02: no table counts one");
    expect((await openInputs([at("july.arrow"), dataset], telling, days)).map(({ name }) => name)).toEqual([dataset]);
    expect(notices.at(-1)).toBe(`Left out "${at("july.arrow")}": it counts no day since 2026-08-02`);
  });

  test("are told in words, and must be in order", () => {
    expect(toDayBounds({})).toBe(undefined);
    expect(() => toDayBounds({ since: 3, until: 2 })).toThrow(UsageError);
    const told = [{}, { since: 0 }, { until: 31 }, { since: 0, until: 31 }, { since: 31, until: 31 }].map(days => tellDays(toDayBounds(days)));
    expect(told).toEqual(["", " since 1970-01-01", " until 1970-02-01", " since 1970-01-01 until 1970-02-01", " on 1970-02-01"]);
  });
});

describe("months of a dataset that nobody asks for", () => {
  const removed = KIND_NAMES.map(kind => join(dataset, `kind=${kind}`, "month=2026-07")).filter(folder => existsSync(folder) && !folder.includes("kind=scan"));

  test("are not opened: pages and tables of the others are the same where they are gone", async () => {
    const august = bytes(await limited(dataset, "2026-08-01"));
    const shown = async () => (await runScript("statistics", ["dataset", "--since", "2026-08-01", "--json", "-q"], { cwd: temp.path })).stdout;
    const before = await shown();
    expect(removed.length).toBeGreaterThan(5);
    for (const folder of removed) rmSync(folder, { recursive: true });
    expect(bytes(await limited(dataset, "2026-08-01")).equals(august)).toBe(true);
    expect([await shown(), before.length > 1000]).toEqual([before, true]);
    await expect(limited(dataset, "2026-07-31")).rejects.toThrow("it is gone");
    // Large ones as well, which are put together in a file.
    const openPool = (): never => {
      throw new Error("all that was asked for is together");
    };
    const large = openReducedTables([dataset], new TableTelling(true), { openPool, largeRows: 1, days: toDayBounds({ since: FIRST_OF_AUGUST }) });
    await expect(large).rejects.toThrow("all that was asked for is together");
    expect(readdirSync(dataset).length).toBeGreaterThan(5);
  });
});
