/** Connections by country and network: added up exactly, shown on the page, tested for change like any other key. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Origins } from "../../../lib/origin/origins.ts";
import { addOrigins } from "../../../lib/reduced/add-origins.ts";
import { reducedToIpc } from "../../../lib/reduced/reduced-arrow.ts";
import { computeStatistics } from "../../../lib/statistics/statistics.ts";
import { buildReduced, type LiteralRow } from "../../support/build.ts";
import { buildMmdb } from "../../support/mmdb.ts";
import { makeTempDir } from "../../support/run.ts";
import { buildReportData, renderReport } from "../../support/report.ts";

let folder: Awaited<ReturnType<typeof makeTempDir>>;
let origins: Origins;
beforeAll(async () => {
  folder = await makeTempDir();
  const network = { autonomous_system_number: 64496, autonomous_system_organization: "</script><script>alert(1)</script>" };
  writeFileSync(join(folder.path, "a.mmdb"), buildMmdb({ networks: { "203.0.113.0/24": { country: { iso_code: "NL" }, ...network }, "198.51.100.0/24": { country: "DE" } } }));
  origins = new Origins([join(folder.path, "a.mmdb")]);
});
afterAll(() => folder[Symbol.asyncDispose]());

const connect = (date: string, sensor: string, src_ip: string, count: number, dst_port = 22): LiteralRow => ({ kind: "connect", date, sensor, key: { src_ip, dst_port }, count });
const ROWS = [
  connect("2026-08-01", "a", "203.0.113.1", 1),
  connect("2026-08-01", "a", "203.0.113.1", 2, 23),
  connect("2026-08-01", "a", "203.0.113.2", 4),
  connect("2026-08-01", "a", "192.0.2.1", 8),
  connect("2026-08-01", "b", "203.0.113.2", 16),
  connect("2026-08-02", "a", "198.51.100.7", 32),
];

test("rows of a country and of a network are the sums of their connections, in canonical order", () => {
  const { origins: added, ...rest } = addOrigins(buildReduced(ROWS), origins);
  const { kinds, names, by } = added!;
  const told = (kind: "country" | "network") =>
    Array.from({ length: kinds[kind].rows }, (_, row) => {
      const { day, sensor, count, keys } = kinds[kind];
      return [day[row]! - 20_666, sensor[row], names[kind][keys[kind]![row]!] ?? null, count[row]];
    });
  expect(told("country")).toEqual([[0, 0, null, 8], [0, 0, "NL", 7], [0, 1, "NL", 16], [1, 0, "DE", 32]]);
  expect(told("network").map(([, , name, count]) => [name, count])).toEqual([
    [null, 8], ["AS64496 </script><script>alert(1)</script>", 7], ["AS64496 </script><script>alert(1)</script>", 16], [null, 32],
  ]);
  expect(by).toBe("Test-Country of 2026-08-01");
  // What is kept knows nothing of them.
  const bytes = (table: Parameters<typeof reducedToIpc>[0]) => Buffer.concat([...reducedToIpc(table)]).toString("latin1");
  expect(bytes({ ...rest, origins: added! })).toBe(bytes(buildReduced(ROWS)));
});

test("the page has a section of each, says by which database, and lets nothing out of its place", () => {
  const options = { topN: 5, thresholdPercent: 20, lastDays: 7 };
  const table = addOrigins(buildReduced(ROWS), origins);
  const { sections } = buildReportData(table, { show: 5 });
  expect(sections.find(({ id }) => id === "countries")!.keys).toEqual([["DE Germany"], ["NL Netherlands"], [null]]);
  const told = sections.find(({ id }) => id === "connections")!;
  expect(told.keys.map(([address], i) => [address, told.origins![i]!.slice(0, 11)])).toContainEqual(["203.0.113.2", "NL, AS64496"]);
  const html = renderReport(table, options);
  expect(html).toContain('<td class="origin">NL, AS64496 &lt;/script&gt;');
  expect(html).toContain('id="networks"');
  expect(html).toContain("Told by Test-Country of 2026-08-01.");
  expect(html).not.toContain("<script>alert(1)");
  // A database of countries alone says nothing of networks.
  writeFileSync(join(folder.path, "b.mmdb"), buildMmdb({ networks: { "198.51.100.0/24": { country: "DE" } } }));
  const countries = renderReport(addOrigins(buildReduced(ROWS), new Origins([join(folder.path, "b.mmdb")])), options);
  expect([countries.includes('id="countries"'), countries.includes('id="networks"')]).toEqual([true, false]);
  expect(renderReport(buildReduced(ROWS), options)).not.toContain('id="countries"');
});

test("a network that brings ten times as much is a change", () => {
  const days = Array.from({ length: 40 }, (_, i) => new Date(Date.UTC(2026, 6, 1 + i)).toISOString().slice(0, 10));
  const rows = days.flatMap((date, i) => [
    connect(date, "a", "203.0.113.1", i < 33 ? 20 + (i % 3) : 200 + (i % 3)),
    connect(date, "a", "198.51.100.7", 50 + (i % 5)),
    ...Array.from({ length: 24 }, (_, hour): LiteralRow => ({ kind: "event", date, sensor: "a", key: { eventid: "cowrie.session.connect", hour }, count: 10 })),
  ]);
  const table = addOrigins(buildReduced(rows), origins);
  const { changes } = computeStatistics(table, { kinds: ["country", "network"] });
  const found = changes.filter(({ reported, view, sensor }) => reported && view === "period" && sensor === "a");
  expect(found.map(({ kind, key, category }) => [kind, key[0]?.toString().slice(0, 7), category])).toEqual([
    ["country", "NL", "up"],
    ["network", "AS64496", "up"],
  ]);
  expect(computeStatistics(buildReduced(rows), {}).tests.byKind.some(({ kind }) => kind === "country")).toBe(false);
});
