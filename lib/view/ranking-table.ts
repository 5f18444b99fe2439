/** The table of a section: its leading keys, as the server delivers it and as the page's script sorts, searches and saves it. */
import { clipEnd } from "../text/cut.ts";
import { sparkline } from "./chart.ts";
import { element, type Markup } from "./markup.ts";
import { type Head, partMarkup, tableMarkup } from "./parts-markup.ts";
import type { SectionData } from "./section-keys.ts";
import { columnNames, hasCourse, keyName, type MomentView, type Ranking, type RowView, type Scope } from "./report-view.ts";

/** Steps of the line in a row at most. */
export const SPARK_STEPS = 120;
/** Characters of a key that a button names. */
const NAME_MOST = 60;

export interface RankingColumn extends Head {
  readonly cell: (row: RowView) => Markup;
  /** In the saved table; undefined leaves the column out. */
  readonly text?: (row: RowView) => string;
  /** In place of the text, unrounded. */
  readonly raw?: (row: RowView) => string | number;
  /** To sort by. */
  readonly value?: (row: RowView) => string | number;
}

/** Which rows have sessions to lead to, and the button's attributes. */
export type LeadOf = (key: number) => { readonly needsScript?: boolean; readonly target?: string } | undefined;

export function listColumns(scope: Scope, section: SectionData, ranking: Ranking, leadOf: LeadOf): RankingColumn[] {
  return [
    {
      name: "Rank",
      className: "rank",
      isHidden: true,
      cell: row => element("td", { class: "rank" }, leadButton(ranking, row.key, leadOf), `${row.isUncertain ? "≈ " : ""}${row.rank}`),
    },
    ...columnNames(ranking.section).map(keyColumn),
    counted("Count", row => row.countText, row => row.count, row => row.count),
    counted("Share", row => row.shareText, row => row.count),
    ...(hasCourse(scope) ? [{ name: "Trend", cell: (row: RowView) => element("td", {}, sparkline(row.values)) }] : []),
    ...(section.success === undefined ? [] : [counted("Accepted", row => row.successText, row => row.success, row => row.success)]),
    ...(section.verdicts === undefined ? [] : [told("Verdict", row => row.verdict, row => `verdict ${row.verdictTone}`)]),
    ...(section.origins === undefined ? [] : [told("Origin", row => row.origin, () => "origin")]),
    ...(scope.comparison === undefined ? [] : [changeColumn(scope.comparison.name)]),
    momentColumn("First seen", row => row.firstSeen, row => row.first),
    momentColumn("Last seen", row => row.lastSeen, row => row.last),
    ...(section.cells.length > 0 && scope.data.grid.sensors > 1
      ? [counted("Sensors", row => row.sensorsText, row => row.sensors, row => row.sensors)]
      : []),
  ];
}

export function rankingTable(columns: readonly RankingColumn[], rows: readonly RowView[]): Markup {
  const heads = columns.map(column => (column.name === "Count" ? { ...column, sort: "descending" } : column));
  return tableMarkup(heads, rows.map(row => rankingRow(columns, row)), "ranking");
}

export function rankingRow(columns: readonly RankingColumn[], row: RowView): Markup {
  return element("tr", {}, ...columns.map(column => column.cell(row)));
}

/** The button that leads to a row's sessions; nothing where the page carries none. */
function leadButton(ranking: Ranking, key: number, leadOf: LeadOf): Markup | undefined {
  const lead = leadOf(key);
  if (lead === undefined) return undefined;
  const name = clipEnd(keyName(ranking.section, ranking.data.keys[key]!), NAME_MOST);
  return element(
    "button",
    {
      type: "button",
      class: `trail${lead.needsScript ? " script" : ""}`,
      "data-trail": key,
      popovertarget: lead.target,
      "aria-label": `Sessions of ${name}`,
    },
    "≡",
  );
}

function keyColumn(name: string, i: number): RankingColumn {
  return {
    name,
    text: row => (row.parts[i]!.isNone ? "" : row.parts[i]!.text),
    value: row => row.parts[i]!.text,
    cell: row => {
      const part = row.parts[i]!;
      return i === 0
        ? element("th", { scope: "row", class: part.className }, partMarkup(part))
        : element("td", { class: part.className }, partMarkup(part));
    },
  };
}

function counted(
  name: string,
  text: (row: RowView) => string,
  value: (row: RowView) => number,
  raw?: (row: RowView) => number,
): RankingColumn {
  return { name, className: "number", text, value, cell: row => element("td", { class: "number" }, text(row)), ...(raw !== undefined && { raw }) };
}

function told(name: string, text: (row: RowView) => string, classOf: (row: RowView) => string): RankingColumn {
  return { name, text, value: text, cell: row => element("td", { class: classOf(row) }, text(row)) };
}

function changeColumn(comparison: string): RankingColumn {
  return {
    ...counted(`Change, ${comparison}`, row => row.change.text, row => row.change.ratio),
    title: "Per sensor-day with logs, against as many days before; not tested",
    cell: row => element("td", { class: `number change ${row.change.tone}` }, row.change.text),
  };
}

function momentColumn(name: string, pick: (row: RowView) => MomentView, value: (row: RowView) => number): RankingColumn {
  return {
    name,
    text: row => `${pick(row).day} ${pick(row).clock}`.trim(),
    value,
    cell: row => element("td", { class: "time" }, `${pick(row).day} `, element("span", { class: "clock" }, pick(row).clock)),
  };
}
