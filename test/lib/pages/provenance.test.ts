import { expect, test } from "bun:test";
import type { SourceInfo } from "../../../lib/events/source.ts";
import { buildProvenance } from "../../../lib/pages/provenance.ts";
import { NO_INFO } from "../../support/build.ts";

const COUNTS = { lines: 9, events: 4, repaired: 2, rejected: 1, pending: 1 };
const silent = (path: string): SourceInfo => ({ path, sizeBytes: 10, headHash: "", wholeHash: "", counts: COUNTS });
const SPAN = { firstSeenUs: Date.UTC(2024, 0, 31, 10) * 1000, lastSeenUs: Date.UTC(2024, 1, 1) * 1000 };
const source = (path: string): SourceInfo => ({ ...silent(path), ...SPAN });
const provenance = (sources: SourceInfo[]) => buildProvenance({ info: { ...NO_INFO, sources } }, [{ name: "Own", value: "1" }], ["More."]);
const fact = (of: ReturnType<typeof provenance>, wanted: string) => of.facts.find(({ name }) => name === wanted)?.value;

test("the counts of all logs are added up, and each log has a row of its own", () => {
  const both = provenance([source("a"), { ...silent("<b>"), damage: "torn" }]);
  const names = ["Logs", "Lines", "Events", "of them repaired", "Rejected", "Pending", "First event", "Own"];
  expect(names.map(name => fact(both, name))).toEqual(["2 (20 B)", "18", "12", "4", "2", "2", "2024-01-31 10:00:00 UTC", "1"]);
  expect(both.limits).toEqual(["More.", "1 log could not be read to the end; see the list."]);
  const rows = [...(both.sources || { markup: "" }).markup.matchAll(/<tr><th scope="row">(.*?)<\/tr>/g)].map(([, row]) => row!.replace(/<[^>]*>/g, "|").replace(/\|+/g, "|"));
  expect(rows).toEqual(["|a|10 B|6|2|1|1|2024-01-31 10:00:00|2024-02-01 00:00:00|", "|&lt;b&gt;|10 B|6|2|1|1|–|–|torn|"]);
});

test("of very many logs the first are listed; of none there is no list", () => {
  const many = provenance(Array.from({ length: 201 }, (_, i) => source(`log${i}`)));
  expect(many.sources).toMatchObject({ shown: "First 200 of 201 logs" });
  expect((many.sources || { markup: "" }).markup.match(/<code>log\d+<\/code>/g)).toHaveLength(200);
  expect([provenance([]).sources, fact(many, "Logs")]).toEqual([false, "201 (2.01 kB)"]);
});

test("cut counts know neither lines nor times of day", () => {
  const cut = provenance([{ ...source("a.json"), cut: true as const }]);
  expect(["Lines", "Events", "First event"].map(name => fact(cut, name))).toEqual(["not known", "not known", "2024-01-31 UTC"]);
  expect(cut.limits).toContain("1 input held counts that were cut to their top entries before.");
});
