/** Logs grow, are rotated and removed: a dataset that is given what there is, night after night, counts what was ever there. */
import { afterAll, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readReduced } from "../../../lib/reduced/reduced-input.ts";
import { toSorted } from "../../../lib/reduced/sorted-table.ts";
import type { ReducedTable } from "../../../lib/reduced/reduced-table.ts";
import { dropDays, settleDays } from "../../../lib/reduced/settle-days.ts";
import { addToDataset } from "../../../lib/reduced/write-dataset.ts";
import type { SourceInfo } from "../../../lib/events/source.ts";
import { buildReduced, NO_INFO } from "../../support/build.ts";
import { seededRandom } from "../../support/random.ts";
import { makeTempDir } from "../../support/run.ts";
import { analyze } from "../../support/tables.ts";

const temp = await makeTempDir();
afterAll(() => temp[Symbol.asyncDispose]());
let made = 0;
const newFolder = () => {
  const folder = join(temp.path, `${made++}`);
  mkdirSync(folder);
  return folder;
};

const DAY_0 = 19_750;
const iso = (day: number, seconds: number) => new Date((DAY_0 * 86_400 + day * 86_400 + seconds) * 1000).toISOString();

/** What a sensor writes from one rotation at `hour` to the next, some of it of the UTC day after; sessions go on over midnight. */
function logOf(day: number, hour = 22): string {
  const random = seededRandom(`log ${day}`);
  const lines: { at: number; text: string }[] = [];
  for (let i = 0; i < 30; i++) {
    const session = `s${day}x${i}`;
    let at = hour * 3600 - 86_400 + random.int(80_000);
    const line = (eventid: string, more: object) => {
      at += 1 + random.int(600);
      lines.push({ at, text: `${JSON.stringify({ eventid, timestamp: iso(day, at), session, sensor: "s", src_ip: `192.0.2.${random.int(9)}`, ...more })}\n` });
    };
    line("cowrie.session.connect", { dst_port: 22 });
    line("cowrie.login.success", { username: "root", password: `p${random.int(5)}` });
    for (let command = random.int(4); command >= 0; command--) line("cowrie.command.input", { input: `command ${random.int(7)}` });
  }
  return lines.filter(({ at }) => at < hour * 3600).sort((a, b) => a.at - b.at).map(({ text }) => text).join("");
}

const inputOf = (table: ReducedTable, name: string) => ({ name, info: table.info, open: () => toSorted(table, name) });
async function add(dataset: string, logs: string, days: { sinceDay?: number; untilDay?: number } = {}): Promise<string[]> {
  const notices: string[] = [];
  const { table } = await analyze([logs], { parameters: { robotMaxSeconds: 10, ...days } });
  await addToDataset(dataset, [inputOf(table, logs)], line => void notices.push(line));
  return notices;
}
const filesOf = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile() && !entry.name.startsWith("."))
    .map(({ parentPath, name }) => join(parentPath, name)).sort().map(path => [path.slice(folder.length), path.endsWith(".json") ? readFileSync(path, "utf8") : String(Bun.hash(readFileSync(path)))]);

/** But for the last commands of sessions: they name the log in the state in which it was read. */
const rowsOf = (files: string[][]) => files.filter(([name]) => !/_manifest\.json$|last_command/.test(name!));
const logsOf = async (folder: string) => (await readReduced(folder, () => {})).info.sources.map(({ path: _, ...source }) => source);

test("every night what lies there, of which the oldest goes and the newest grows: what all logs hold", async () => {
  const [dataset, logs, all] = [newFolder(), newFolder(), newFolder()];
  const texts = Array.from({ length: 9 }, (_, day) => logOf(day));
  for (let night = 0; night < texts.length; night++) {
    // Half of today's is written; three days are kept. The name is a log's own, so that the same is seen at once.
    for (let day = Math.max(0, night - 3); day <= night; day++) {
      const isToday = day === night && night < texts.length - 1;
      const text = texts[day]!;
      writeFileSync(join(logs, `cowrie.json.${day}`), isToday ? text.slice(0, text.indexOf("\n", text.length / 2) + 1) : text);
    }
    rmSync(join(logs, `cowrie.json.${night - 4}`), { force: true });
    expect(await add(dataset, logs)).toEqual([]);
  }
  texts.forEach((text, day) => writeFileSync(join(all, `cowrie.json.${day}`), text));
  const whole = newFolder();
  await add(whole, all);
  expect(rowsOf(filesOf(dataset))).toEqual(rowsOf(filesOf(whole)));
  expect(await logsOf(dataset)).toEqual(await logsOf(whole));
});

test("one day a night of a log that grows", async () => {
  const [dataset, logs, whole] = [newFolder(), newFolder(), newFolder()];
  const path = join(logs, "cowrie.json");
  let text = "";
  for (let day = 0; day < 4; day++) {
    // Read when the next day has begun.
    text += logOf(day, 24) + logOf(day + 1, 24).slice(0, logOf(day + 1, 24).indexOf("\n") + 1);
    writeFileSync(path, text);
    expect(await add(dataset, logs, { sinceDay: DAY_0 + day, untilDay: DAY_0 + day })).toEqual([]);
    text = text.slice(0, text.lastIndexOf("\n", text.length - 2) + 1);
  }
  await add(whole, logs, { sinceDay: DAY_0, untilDay: DAY_0 + 3 });
  expect(rowsOf(filesOf(dataset))).toEqual(rowsOf(filesOf(whole)));
  expect(rowsOf(filesOf(dataset)).some(([name]) => name!.includes("pre_disconnect_command"))).toBe(true);
  expect(await logsOf(dataset)).toEqual(await logsOf(whole));
});

test("where a day may not be whole, it is told, and reading it again mends it", async () => {
  const [dataset, logs, whole] = [newFolder(), newFolder(), newFolder()];
  const path = join(logs, "cowrie.json");
  const [first, second] = [logOf(0, 24), logOf(1, 24)];
  writeFileSync(path, first.slice(0, first.indexOf("\n", first.length / 2) + 1));
  await add(dataset, logs, { sinceDay: DAY_0, untilDay: DAY_0 });
  writeFileSync(path, first + second);
  const [notice, ...others] = await add(dataset, logs, { sinceDay: DAY_0 + 1, untilDay: DAY_0 + 1 });
  expect([notice, others]).toEqual([expect.stringMatching(/cowrie\.json" went on after its 2024-01-28 was counted: read that day again \(--since 2024-01-28\)/), []]);
  await add(dataset, logs, { sinceDay: DAY_0, untilDay: DAY_0 });
  await add(whole, logs, { sinceDay: DAY_0, untilDay: DAY_0 + 1 });
  expect(filesOf(dataset)).toEqual(filesOf(whole));
});

test("who says he has all of a day, and has not, is refused", async () => {
  const [dataset, logs] = [newFolder(), newFolder()];
  writeFileSync(join(logs, "cowrie.json.0"), logOf(0));
  writeFileSync(join(logs, "cowrie.json.1"), logOf(1));
  await add(dataset, logs);
  const before = filesOf(dataset);
  const { table } = await analyze([join(logs, "cowrie.json.1")]);
  const [source] = table.info.sources;
  const info = { ...table.info, sources: [{ ...source!, sizeBytes: source!.sizeBytes + 1, wholeHash: "more", firstSeenUs: 0 }, { ...source!, headHash: "other", wholeHash: "other" }] };
  const lying = buildReduced([], info);
  expect(addToDataset(dataset, [inputOf(lying, "lying")], () => {})).rejects.toThrow(/lacks some of their counts|both count/);
  await addToDataset(dataset, [inputOf(lying, "lying")], () => {}).catch(() => {});
  expect(filesOf(dataset)).toEqual(before);
});

const log = (head: string, from: number, to: number, more: Partial<SourceInfo> = {}): SourceInfo => {
  const counts = { lines: 1, events: 1, repaired: 0, rejected: 0, pending: 0 };
  return { path: head, sizeBytes: 10, headHash: head, wholeHash: head, counts, firstSeenUs: from * 86_400e6, lastSeenUs: to * 86_400e6, ...more };
};
const infoOf = (...sources: SourceInfo[]) => ({ ...NO_INFO, sources });
const later = { wholeHash: "later", sizeBytes: 20 };

test.each([
  ["no log in common", infoOf(log("a", 1, 2)), infoOf(log("b", 1, 2)), undefined],
  ["the same log: it is there", infoOf(log("a", 1, 2)), infoOf(log("a", 1, 2)), { kept: [[1, 2]], replaced: [], old: ["a"], added: [] }],
  ["a log that has grown takes the place", infoOf(log("a", 1, 2)), infoOf(log("a", 1, 3, later)), { kept: [], replaced: [[1, 2]], old: [], added: ["a"] }],
  ["an earlier state says nothing new", infoOf(log("a", 1, 3, later)), infoOf(log("a", 1, 2)), { kept: [[1, 2]], replaced: [], old: ["a"], added: [] }],
  ["each has a log on a day that the other has not", infoOf(log("a", 1, 2), log("b", 2, 3)), infoOf(log("b", 2, 3), log("c", 2, 3)), undefined],
  ["old ones gone, a new one come", infoOf(log("a", 1, 2), log("b", 3, 4)), infoOf(log("b", 3, 4), log("c", 5, 6)), { kept: [[3, 4]], replaced: [], old: ["a", "b"], added: ["c"] }],
  ["other sensors asked for", { ...infoOf(log("a", 1, 2)), parameters: { robotMaxSeconds: 10, sensors: ["s"] } }, infoOf(log("a", 1, 2)), undefined],
  ["copies in one table", infoOf(log("a", 1, 2), log("a", 1, 2)), infoOf(log("a", 1, 2)), undefined],
  ["centuries between", infoOf(log("a", 0, 80_000)), infoOf(log("a", 0, 80_000, later)), { kept: [], replaced: [[0, 80_000]], old: [], added: ["a"] }],
] as const)("%s", (_, old, added, wanted) => {
  const settled = settleDays(old, added);
  const names = (sources: readonly SourceInfo[]) => sources.map(({ path }) => path);
  const told = settled && { kept: settled.kept, replaced: settled.replaced, old: names(settled.old), added: names(settled.added) };
  expect(told as unknown).toEqual(wanted as unknown);
});

test("rows of some days are dropped, verdicts stay", () => {
  const row = (kind: "command" | "scan", date: string) =>
    ({ kind, date, sensor: "s", key: kind === "scan" ? { shasum: "h", positives: 1, total: 2 } : { input: "i" }, count: 1 }) as const;
  const table = buildReduced([row("command", "1970-01-02"), row("command", "1970-01-03"), row("command", "1970-01-04"), row("scan", "1970-01-03")]);
  const dropped = dropDays(toSorted(table), NO_INFO, [[2, 2]]);
  expect([...dropped.batches("command")].flatMap(({ table }) => [...table.day])).toEqual([1, 3]);
  expect([...dropped.batches("scan")].flatMap(({ table }) => [...table.day])).toEqual([2]);
  expect([...dropDays(toSorted(table), NO_INFO, [[0, 9]]).batches("command")]).toEqual([]);
});
