/** The table of a section: its leading keys, sorted, searched, unfolded and saved. */
import { sparkline } from "../lib/view/chart.ts";
import { toCsv } from "../lib/text/csv.ts";
import { element } from "../lib/view/markup.ts";
import { partMarkup } from "../lib/view/report-markup.ts";
import { buildRow, chooseSteps, columnNames, describeShown, describeUncertainty } from "../lib/view/report-view.ts";
import { startMoreRows } from "./more-rows.js";
import { compareValues, find, findAll, h } from "./page.js";
import { trailButton } from "./report-trails.js";

/**
 * @typedef {import("../lib/view/report-data.ts").SectionData} SectionData
 * @typedef {import("../lib/view/report-view.ts").MomentView} MomentView
 * @typedef {import("../lib/view/report-view.ts").Ranking} Ranking
 * @typedef {import("../lib/view/report-view.ts").RowView} RowView
 * @typedef {import("./page.js").Markup} Markup
 * @typedef {import("./report.js").Report} Report
 * @typedef {{ key: number, rank: number }} Place
 */

/**
 * A column of a ranking.
 *
 * @typedef {object} Column
 * @property {string} name
 * @property {(row: RowView) => Markup} cell
 * @property {string | undefined} [className]
 * @property {string} [title]
 * @property {(row: RowView) => string} [text] In the saved table; undefined leaves the column out.
 * @property {(row: RowView) => string | number} [raw] In place of the text, unrounded.
 * @property {((row: RowView) => string | number | undefined) | undefined} [value] To sort by.
 */

/**
 * How a table is sorted: by which column, as it stands when undefined.
 *
 * @typedef {{ column: string | undefined, isRising: boolean }} Sorting
 */

/** Steps of the line in a row at most. */
const SPARK_STEPS = 120;

/**
 * @param {Report} report
 * @param {SectionData} section
 * @param {HTMLElement} node Of the section.
 * @param {() => Ranking} rankingOf The one that is shown.
 */
export function startRanking(report, section, node, rankingOf) {
  /** @type {HTMLTableElement & { tHead: HTMLTableSectionElement }} */
  const table = find("table.ranking", node);
  const seen = startMoreRows(node, report.page.show, draw);
  /** @type {Sorting} */
  let sorting = { column: undefined, isRising: false };

  /** Columns, places in order, and how a place becomes a row. */
  function list() {
    const ranking = rankingOf();
    const columns = listColumns(report, section, ranking);
    const steps = chooseSteps(report.scope, SPARK_STEPS);
    /** @type {(place: Place | RowView) => RowView} */
    const build = place => ("parts" in place ? place : buildRow(report.scope, ranking, place.key, place.rank, steps));
    return { ranking, columns, build, rows: listRows(ranking, columns, build, seen.wanted, sorting) };
  }

  /** @param {Column[]} columns */
  function drawHead(columns) {
    table.tHead.rows[0].replaceChildren(
      ...columns.map(column =>
        headCell(column, sorting, chosen => {
          sorting = chosen;
          draw();
          findAll("thead button", table)
            .find(other => other.textContent === column.name)
            ?.focus();
        }),
      ),
    );
  }

  function draw() {
    const { ranking, columns, build, rows } = list();
    const shown = rows.slice(0, seen.rows).map(build);
    drawHead(columns);
    table.tBodies[0].replaceChildren(...shown.map(row => h("tr", {}, ...columns.map(column => column.cell(row)))));
    seen.tell(rows.length, ranking.order.length);
    const keys = shown.map(row => row.key);
    const found = seen.wanted === "" ? undefined : rows.length;
    find(".shown", node).textContent = describeShown(ranking, keys, report.scope.whole, found);
    const caution = find(".caution", node);
    const words = describeUncertainty(ranking, keys);
    caution.hidden = words === undefined;
    caution.textContent = words ?? "";
  }

  return {
    draw,
    /** The headings become buttons once there is a script to answer them. */
    prepare() {
      const ranking = rankingOf();
      drawHead(listColumns(report, section, ranking));
      seen.tell(ranking.order.length, ranking.order.length);
    },
    /** All rows the page carries, as the table is sorted and searched. */
    toCsv() {
      const { columns, build, rows } = list();
      const saved = columns.filter(column => column.text !== undefined);
      return toCsv(
        saved.map(column => column.name),
        rows.map(build).map(row => saved.map(column => (column.raw ?? column.text)?.(row) ?? "")),
      );
    },
  };
}

/**
 * The rows that a search leaves, as the table is sorted; built only as far as that needs.
 *
 * @type {(ranking: Ranking, columns: Column[], build: (place: Place) => RowView, wanted: string, sorting: Sorting) =>
 *   (Place | RowView)[]}
 */
function listRows(ranking, columns, build, wanted, { column, isRising }) {
  const rows = ranking.order.map((key, i) => ({ key, rank: i + 1 }));
  if (wanted === "" && column === undefined) return rows;
  const built = rows.map(build).filter(row => row.parts.some(part => part.text.toLowerCase().includes(wanted)));
  const value = columns.find(candidate => candidate.name === column)?.value;
  if (value !== undefined) built.sort((a, b) => (isRising ? 1 : -1) * compareValues(value(a), value(b)));
  return built;
}

/** @type {(column: Column, sorting: Sorting, choose: (sorting: Sorting) => void) => HTMLElement} */
function headCell({ name, className, title, value }, { column, isRising }, choose) {
  const sorted = column === undefined ? name === "Count" : column === name;
  const sort = sorted && value ? (isRising ? "ascending" : "descending") : undefined;
  const cell = h("th", { scope: "col", class: className, title, "aria-sort": sort });
  if (value === undefined) {
    cell.append(name === "Rank" ? h("span", { class: "hidden" }, name) : name);
    return cell;
  }
  const button = h("button", { type: "button" }, name);
  button.addEventListener("click", () => choose({ column: name, isRising: sorted ? !isRising : className !== "number" }));
  cell.append(button);
  return cell;
}

/** @type {(report: Report, section: SectionData, ranking: Ranking) => Column[]} */
function listColumns({ scope, page: { trails }, data }, section, ranking) {
  /** @type {Column[]} */
  const columns = [
    {
      name: "Rank",
      className: "rank",
      cell: row =>
        element("td", { class: "rank" }, ...trailButton(trails, ranking, row.key), `${row.isUncertain ? "≈ " : ""}${row.rank}`),
    },
    ...columnNames(ranking.section).map(keyColumn),
    counted("Count", row => row.countText, row => row.count, row => row.count),
    counted("Share", row => row.shareText, row => row.count),
    { name: "Trend", cell: row => element("td", {}, sparkline(row.values)) },
  ];
  if (section.success !== undefined)
    columns.push(counted("Accepted", row => row.successText, row => row.success, row => row.success));
  if (section.verdicts !== undefined) {
    columns.push({
      name: "Verdict",
      text: row => row.verdict,
      value: row => row.verdict,
      cell: row => element("td", { class: `verdict ${row.verdictTone}` }, row.verdict),
    });
  }
  if (section.origins !== undefined) {
    columns.push({
      name: "Origin",
      text: row => row.origin,
      value: row => row.origin,
      cell: row => element("td", { class: "origin" }, row.origin),
    });
  }
  if (scope.comparison !== undefined) {
    columns.push({
      ...counted(`Change, ${scope.comparison.name}`, row => row.change.text, row => row.change.ratio),
      title: "Per sensor-day with logs, against as many days before; not tested",
      cell: row => element("td", { class: `number change ${row.change.tone}` }, row.change.text),
    });
  }
  columns.push(momentColumn("First seen", row => row.firstSeen, row => row.first));
  columns.push(momentColumn("Last seen", row => row.lastSeen, row => row.last));
  if (data.grid.sensors > 1) columns.push(counted("Sensors", row => row.sensorsText, row => row.sensors, row => row.sensors));
  return columns;
}

/** @type {(name: string, i: number) => Column} */
function keyColumn(name, i) {
  return {
    name,
    text: row => (row.parts[i].isNone ? "" : row.parts[i].text),
    value: row => row.parts[i].text,
    cell: row => {
      const { className } = row.parts[i];
      const markup = partMarkup(row.parts[i]);
      return i === 0
        ? element("th", { scope: "row", class: className }, markup)
        : element("td", { class: className }, markup);
    },
  };
}

/** @type {(name: string, text: (row: RowView) => string, value: Column["value"], raw?: Column["raw"]) => Column} */
function counted(name, text, value, raw) {
  const cell = (/** @type {RowView} */ row) => element("td", { class: "number" }, text(row));
  return { name, className: "number", text, value, cell, ...(raw !== undefined && { raw }) };
}

/** @type {(name: string, pick: (row: RowView) => MomentView, value: Column["value"]) => Column} */
function momentColumn(name, pick, value) {
  return {
    name,
    text: row => `${pick(row).day} ${pick(row).clock}`.trim(),
    value,
    cell: row =>
      element("td", { class: "time" }, `${pick(row).day} `, element("span", { class: "clock" }, pick(row).clock)),
  };
}
