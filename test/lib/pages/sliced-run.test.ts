/** Tables that are dealt out, task by task as scripts ask for it: files that belong together make the pages, others none. */
import { afterAll, describe, expect, test } from "bun:test";
import { cpSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { decodePart, encodePart, partPath } from "../../../lib/pages/part-files.ts";
import { joinAside, type TaskAsk } from "../../../lib/pages/sliced-aside.ts";
import { runPart } from "../../../lib/pages/sliced-run.ts";
import { reducedToIpc } from "../../../lib/reduced/reduced-arrow.ts";
import { shardTable } from "../../../lib/reduced/shards.ts";
import { toIsoDay } from "../../../lib/text/format.ts";
import { FIXTURES_FOLDER } from "../../support/example-fleet.ts";
import { drawTable } from "../../support/large-table.ts";
import { makeTempDir, runScript } from "../../support/run.ts";
import { analyze } from "../../support/tables.ts";

const temp = await makeTempDir();
afterAll(() => temp[Symbol.asyncDispose]());
const at = (...names: string[]) => join(temp.path, ...names);

const table = drawTable();
const write = (name: string, of: typeof table) => writeFileSync(at(name), Buffer.concat([...reducedToIpc(of)]));
write("whole.arrow", table);
const shards = [1, 2].map(number => {
  write(`shard-${number}.arrow`, shardTable(table, { number, of: 2 }));
  return at(`shard-${number}.arrow`);
});
const options = { thresholdPercent: 20, lastDays: 7 };

interface Asked {
  readonly chosen?: TaskAsk["options"];
  readonly selection?: TaskAsk["selection"];
  readonly paths?: readonly string[];
}

async function doRound(round: "measure" | "compare", folder: string, { chosen = options, selection = {}, paths = shards }: Asked = {}) {
  for (const number of [1, 2]) {
    const part = { number, of: 2 };
    for (const left of await runPart({ round, part, paths, folder, selection, options: chosen })) await Bun.write(partPath(folder, left.round, part), left.bytes);
  }
}

await doRound("measure", at("work"));
const measuredOnly = at("measured");
cpSync(at("work"), measuredOnly, { recursive: true });
await doRound("compare", at("work"));

describe("what all parts left", () => {
  test("makes the pages, the JSON, the CSV and the exit code of the table, byte for byte", async () => {
    for (const args of [["--json"], ["--csv", "--exit-code"]]) {
      const of = (...more: string[]) => runScript("statistics", [...more, ...args, "-q"]);
      const [own, joined] = [await of(at("whole.arrow")), await of("--shares", at("work"))];
      expect({ stdout: joined.stdout, exitCode: joined.exitCode, stderr: joined.stderr }).toEqual({ stdout: own.stdout, exitCode: own.exitCode, stderr: own.stderr });
    }
    expect(await runScript("visualize", [at("whole.arrow"), "-o", at("own", "page.html"), "-q"])).toMatchObject({ exitCode: 0 });
    expect(await runScript("visualize", ["--shares", at("work"), "-o", at("joined", "page.html"), "-q"])).toMatchObject({ exitCode: 0, stderr: "" });
    for (const page of ["page.html", "page-stats.html"]) expect(readFileSync(at("joined", page)).equals(readFileSync(at("own", page)))).toBe(true);
  });

  test("and nothing else: what is missing, of other work, spoiled or no part is told, and where", async () => {
    const spoiled = at("spoiled");
    const attempt = async (spoil: () => void) => {
      rmSync(spoiled, { recursive: true, force: true });
      cpSync(at("work"), spoiled, { recursive: true });
      spoil();
      return await joinAside(spoiled, {}).then(() => "", (error: Error) => error.message.replaceAll(spoiled, "work"));
    };
    const [first, second] = [1, 2].map(number => partPath(spoiled, "compared", { number, of: 2 }));
    const { found } = decodePart<object>(at("work"), "compared", { number: 2, of: 2 });
    expect(await attempt(() => rmSync(second!))).toBe("Cannot go on: 1 part of 2 is not compared yet, first 2");
    expect(await attempt(() => writeFileSync(second!, encodePart("compared", { number: 2, of: 2 }, "other", found)))).toContain("it is of other tables, other options or another version than the rest");
    expect(await attempt(() => renameSync(first!, second!))).toContain("not compared yet, first 1");
    expect(await attempt(() => cpSync(first!, second!))).toContain('Cannot read "work/compared-2-of-2.part": not what statistics.ts leaves of a part');
    expect(await attempt(() => writeFileSync(second!, readFileSync(second!).subarray(0, 100)))).toContain('Cannot read "work/compared-2-of-2.part"');
    expect(await attempt(() => readdirSync(spoiled).forEach(name => rmSync(join(spoiled, name))))).toContain("no part in it");
  });
});

test("sensors, kinds and days that are asked for are those of a selection of the table; the same must be asked of both rounds", async () => {
  const { table: logged } = await analyze([join(FIXTURES_FOLDER, "fleet")]);
  write("logged.arrow", logged);
  const paths = [1, 2].map(number => {
    write(`logged-${number}.arrow`, shardTable(logged, { number, of: 2 }));
    return at(`logged-${number}.arrow`);
  });
  const [sensors, kinds, sinceDay] = [logged.dictionaries.sensor.slice(0, 2), ["login", "command"] as const, logged.kinds.event.day[0]! + 3];
  const selection = { sensors, kinds, days: [sinceDay, Infinity] as const };
  const chosen = { ...options, kinds };
  await doRound("measure", at("some"), { chosen, selection, paths });
  await expect(doRound("compare", at("some"), { chosen, selection: { ...selection, sensors: sensors.slice(1) }, paths })).rejects.toThrow("other options");
  await doRound("compare", at("some"), { chosen, selection, paths });
  const asked = [...sensors.flatMap(name => ["--sensor", name]), "--kind", "login", "--kind", "command", "--since", toIsoDay(sinceDay)];
  const [own, joined] = [await runScript("statistics", [at("logged.arrow"), ...asked, "--json", "-q"]), await runScript("statistics", ["--shares", at("some"), "--json", "-q"])];
  expect({ stdout: joined.stdout, stderr: joined.stderr }).toEqual({ stdout: own.stdout, stderr: own.stderr });
  await expect(doRound("measure", at("none"), { selection: { sensors: ["nobody"] } })).rejects.toThrow('Cannot find sensor "nobody"');
});

test("a part is told what it lacks", async () => {
  const ask = { round: "compare", part: { number: 1, of: 2 }, paths: shards, folder: measuredOnly, selection: {}, options } as const;
  await expect(runPart({ ...ask, folder: at("nowhere") })).rejects.toThrow("Cannot go on: 2 parts of 2 are not measured yet, first 1");
  await expect(runPart({ ...ask, options: { ...options, lastDays: 8 } })).rejects.toThrow("other options");
  await expect(runPart({ ...ask, paths: [shards[0]!] })).rejects.toThrow("Cannot work on shard 1 of 2 alone");
  expect((await runPart(ask)).length).toBe(1);
  const cases: [string[], string][] = [
    [[...shards, "--measure", "1/2"], "Missing --shares"],
    [[...shards, "--measure", "3/2", "--shares", at("x")], "Cannot use --measure"],
    [[...shards, "--measure", "1/2", "--compare", "1/2", "--shares", at("x")], "expected --measure or --compare"],
    [[...shards, "--measure", "1/2", "--shares", at("x"), "--kind", "login", "--mmdb", "x.mmdb"], "Cannot use --mmdb with a part"],
    [["--shares", at("work"), "--kind", "login", "--json"], "expected them with --measure and --compare"],
    [[...shards, "--shares", at("work")], "Cannot read tables and parts at once"],
    [["--shares", at("work"), "-l", "3", "--json"], "Cannot compare otherwise than the parts were"],
  ];
  for (const [args, said] of cases) expect(await runScript("statistics", args)).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(said) });
});
