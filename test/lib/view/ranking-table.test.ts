import { expect, test } from "bun:test";
import { everything } from "../../../lib/view/cells.ts";
import { toMarkupText } from "../../../lib/view/markup.ts";
import { type LeadOf, listColumns, rankingTable, SPARK_STEPS } from "../../../lib/view/ranking-table.ts";
import { buildRow, buildScope, chooseSteps, rankSection } from "../../../lib/view/report-view.ts";
import { buildReduced, type LiteralRow } from "../../support/build.ts";
import { buildReportData } from "../../support/report.ts";

const OPTIONS = { lastDays: 1, thresholdPercent: 20 };
const event = (date: string, sensor: string): LiteralRow => ({ kind: "event", date, sensor, key: { eventid: "e", hour: 1 }, count: 1 });
const login = (date: string, sensor: string, password: string | null, count: number, success: number): LiteralRow => ({
  kind: "login",
  date,
  sensor,
  key: { username: "<root>", password },
  count,
  success,
});
const [FIRST, SECOND] = ["2024-03-01", "2024-03-02"];

function credentials(sensors: readonly string[], leadOf: LeadOf = () => undefined, more: LiteralRow[] = []) {
  const rows = more.concat(...sensors.map((sensor, i) => [event(FIRST, sensor), event(SECOND, sensor), login(FIRST, sensor, "x", 3 + i, 1), login(SECOND, sensor, null, 1, 0)]));
  const data = buildReportData(buildReduced(rows), { show: 5 });
  const scope = buildScope(data, everything(data.grid), OPTIONS);
  const section = data.sections.find(({ id }) => id === "credentials")!;
  const ranking = rankSection(scope, section);
  const columns = listColumns(scope, section, ranking, leadOf);
  const built = ranking.order.map((key, i) => buildRow(scope, ranking, key, i + 1, chooseSteps(scope, SPARK_STEPS)));
  return { columns, built, text: toMarkupText(rankingTable(columns, built)) };
}

const COMMON = ["Rank", "User name", "Password", "Count", "Share", "Accepted", "Change, last 1 day", "First seen", "Last seen"];

test("its columns are those of the section; sensors are counted where there are several, and many days have a course", () => {
  expect(credentials(["a"]).columns.map(({ name }) => name)).toEqual(COMMON);
  expect(credentials(["a", "b"]).columns.map(({ name }) => name)).toEqual([...COMMON, "Sensors"]);
  const later = Array.from({ length: 9 }, (_, i) => event(`2024-03-${i + 10}`, "a"));
  expect(credentials(["a"], undefined, later).columns[5]!.name).toBe("Trend");
});

test("a row says what it says in the table, in the saved one, and what it is sorted by", () => {
  const { columns, built, text } = credentials(["a", "b"]);
  const said = (what: "text" | "raw" | "value", row: number) => columns.map(column => column[what]?.(built[row]!));
  expect(said("text", 0)).toEqual([
    undefined, "<root>", "x", "7", "77.8 %", "28.6 %", built[0]!.change.text, "2024-03-01 12:00:00", "2024-03-01 12:00:00", "2/2",
  ]);
  expect(said("text", 1)[2]).toBe("");
  expect([said("raw", 0)[3], said("raw", 0)[5], said("raw", 0)[9]]).toEqual([7, 2, 2]);
  expect([said("value", 0)[3], said("value", 0)[5], said("value", 0)[2]]).toEqual([7, 2, "x"]);
  expect(text).toContain('<th scope="row" class="key key-username short"><code>&lt;root&gt;</code></th>');
  expect(text).toContain('<th scope="col" class="number" aria-sort="descending">Count</th>');
  expect(text).toContain('<td class="rank">1</td>');
  expect(text).not.toContain("<button");
});

test("a row that leads to sessions has a button, which waits for the script or opens by itself", () => {
  const { built } = credentials(["a"]);
  const withButtons = (lead: ReturnType<LeadOf>) => credentials(["a"], key => (key === built[0]!.key ? lead : undefined)).text;
  const rest = `data-trail="${built[0]!.key}"`;
  expect(withButtons({ needsScript: true })).toContain(`<button type="button" class="trail script" ${rest} aria-label="Sessions of &lt;root&gt; : x">≡</button>1</td>`);
  expect(withButtons({ target: "sheet" })).toContain(`<button type="button" class="trail" ${rest} popovertarget="sheet" aria-label=`);
  expect(withButtons({}).match(/<button/g)).toHaveLength(1);
});
