/** Series that lie on each other are one in what is drawn, and each of its own in tables and what is saved. */
import { expect, test } from "bun:test";
import { groupAlike, joinAlike } from "../../../lib/view/alike.ts";
import { everything } from "../../../lib/view/cells.ts";
import { describeAlike, lineChart, lineLabels, lineText, stackChart, toSteps } from "../../../lib/view/chart.ts";
import { toMarkupText } from "../../../lib/view/markup.ts";
import { buildLines, buildRest, buildScope, rankSection, sumAlike } from "../../../lib/view/report-view.ts";
import { buildReduced, type LiteralRow } from "../../support/build.ts";
import { buildReportData } from "../../support/report.ts";

const row = (day: number, sensor: string, input: string, count: number): LiteralRow => ({
  kind: "command",
  date: `2026-05-0${day}`,
  sensor,
  key: { input },
  count,
});
/** `sh` and `system` go with `enable`; `id` as often each day, but on the other sensor; `w` as often in all, on other days. */
const DATA = buildReportData(
  buildReduced([
    ...["enable", "sh", "system"].flatMap(input => [row(1, "a", input, 2), row(2, "b", input, 3)]),
    ...[row(1, "b", "id", 2), row(2, "a", "id", 3)],
    ...[row(1, "a", "w", 3), row(2, "b", "w", 2)],
    ...[row(1, "a", "uname", 9), row(2, "b", "wget", 1)],
  ]),
  { show: 10 },
);
const COMMANDS = DATA.sections.find(({ id }) => id === "commands")!;
const scopeOf = (sensors: number[]) => buildScope(DATA, { ...everything(DATA.grid), sensors: Uint8Array.from(sensors) }, { lastDays: 1, thresholdPercent: 20 });
const namesOf = (groups: readonly (readonly number[])[]) => groups.map(keys => keys.map(key => COMMANDS.keys[key]![0]));

test("keys of the same counts on the same days and sensors are one group, whatever is chosen", () => {
  const all = rankSection(scopeOf([1, 1]), COMMANDS);
  expect(namesOf(groupAlike(all, 8))).toEqual([["uname"], ["enable", "sh", "system"], ["id"], ["w"], ["wget"]]);
  // As many groups as are wanted, each whole.
  expect(namesOf(groupAlike(all, 2))).toEqual([["uname"], ["enable", "sh", "system"]]);
  expect(namesOf(groupAlike(rankSection(scopeOf([1, 0]), COMMANDS), 8))).toEqual([["uname"], ["id"], ["w"], ["enable", "sh", "system"]]);
});

test("a line stands for its group: it says for how many, lists them, and is stacked as all of them", () => {
  const scope = scopeOf([1, 1]);
  const ranking = rankSection(scope, COMMANDS);
  const steps = toSteps(scope.filter.range, 1);
  const lines = buildLines(scope, ranking, groupAlike(ranking, 2), steps);
  expect(lines).toEqual([
    { name: "uname", values: [9, 0] },
    { name: "enable", alike: ["sh", "system"], values: [2, 3] },
  ]);
  expect(lineLabels(lines, 7)).toEqual(["una…", "ena… +2"]);
  // Names that begin alike are told apart.
  expect(lineLabels([{ name: "/bin/busybox MIRAI" }, { name: "/bin/busybox OWARI" }], 12)).toEqual(["/bin/bus…RAI", "/bin/bus…ARI"]);
  expect(lineText(lines[1]!)).toBe("enable, and as often on the same days and sensors: sh; system");
  expect([describeAlike(lines), describeAlike(lines.slice(0, 1))]).toEqual(["; +1: another with the same counts, drawn as one", ""]);
  expect(sumAlike(lines).map(({ values }) => values)).toEqual([[9, 0], [6, 9]]);
  // What both leave of all that was typed: id, w, wget.
  expect(buildRest(scope, ranking, lines, steps)).toEqual([5, 6]);
  const pictures = [lineChart(lines, steps, 1000, "x"), stackChart(sumAlike(lines), steps, 1000, "x")];
  for (const { svg } of pictures) expect(toMarkupText(svg)).toContain('enable<tspan class="more"> +2</tspan><title>enable, and as often');
});

test("what attackers wrote is cut where it is listed, and no list is endless", () => {
  const alike = Array.from({ length: 300 }, (_, i) => `${i} ${"x".repeat(5000)}`);
  expect(lineText({ name: "a", alike }).length).toBeLessThan(1000);
  expect(lineText({ name: "a", alike })).toEndWith("; and 288 more");
});

test("rows of small multiples that say the same are one row; two without anything stay two", () => {
  const rows = [
    { name: "logins", values: [1, null, 2], style: 0 },
    { name: "accepted", values: [1, null, 2], style: 1 },
    { name: "commands", values: [0, null, 0], style: 2 },
    { name: "downloads", values: [0, null, 0], style: 3 },
  ];
  expect(joinAlike(rows).map(({ name, style }) => [name, style])).toEqual([["logins = accepted", 0], ["commands", 2], ["downloads", 3]]);
});
