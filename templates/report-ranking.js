/** The table of a section: its leading keys, sorted, searched, unfolded and saved. */
import { toCsv } from "../lib/text/csv.ts";
import { headCell } from "../lib/view/parts-markup.ts";
import { listColumns, rankingRow, SPARK_STEPS } from "../lib/view/ranking-table.ts";
import { sessionsOf } from "../lib/view/report-trails.ts";
import { buildRow, chooseSteps, describeShown, describeUncertainty } from "../lib/view/report-view.ts";
import { startMoreRows } from "./more-rows.js";
import { compareValues, find, findAll, h, toNode } from "./page.js";

/**
 * @typedef {import("../lib/view/section-keys.ts").SectionData} SectionData
 * @typedef {import("../lib/view/report-view.ts").Ranking} Ranking
 * @typedef {import("../lib/view/report-view.ts").RowView} RowView
 * @typedef {import("../lib/view/ranking-table.ts").RankingColumn} Column
 * @typedef {import("./report.js").Report} Report
 * @typedef {{ key: number, rank: number }} Place
 */

/**
 * How a table is sorted: by which column, as it stands when undefined.
 *
 * @typedef {{ column: string | undefined, isRising: boolean }} Sorting
 */

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

  /** @param {Ranking} ranking */
  function columnsOf(ranking) {
    const { trails } = report.page;
    return listColumns(report.scope, section, ranking, key => (sessionsOf(trails, ranking.section.id, key).length > 0 ? {} : undefined));
  }

  /** Columns, places in order, and how a place becomes a row. */
  function list() {
    const ranking = rankingOf();
    const columns = columnsOf(ranking);
    const steps = chooseSteps(report.scope, SPARK_STEPS);
    /** @type {(place: Place | RowView) => RowView} */
    const build = place => ("parts" in place ? place : buildRow(report.scope, ranking, place.key, place.rank, steps));
    return { ranking, columns, build, rows: listRows(ranking, columns, build, seen.wanted, sorting) };
  }

  /** @param {Column[]} columns */
  function drawHead(columns) {
    table.tHead.rows[0].replaceChildren(
      ...columns.map(column =>
        sortingCell(column, sorting, chosen => {
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
    table.tBodies[0].replaceChildren(...shown.map(row => toNode(rankingRow(columns, row))));
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
      drawHead(columnsOf(ranking));
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
function sortingCell(head, { column, isRising }, choose) {
  const { name, className, value } = head;
  if (value === undefined) return toNode(headCell(head));
  const sorted = column === undefined ? name === "Count" : column === name;
  const cell = toNode(headCell({ ...head, sort: sorted ? (isRising ? "ascending" : "descending") : undefined }, ""));
  const button = h("button", { type: "button" }, name);
  button.addEventListener("click", () => choose({ column: name, isRising: sorted ? !isRising : className !== "number" }));
  cell.replaceChildren(button);
  return cell;
}
