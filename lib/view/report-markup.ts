/**
 * Tables of the report that the server and the page's script draw alike, as trees of elements.
 *
 * Tested in `test/lib/view/report-view.test.ts`.
 */
import { element, type Markup } from "./markup.ts";
import { type ChainRowView, type ChainsView, commandText } from "./report-chains.ts";
import type { TrailCommand, TrailView } from "./report-trails.ts";
import type { PartView } from "./report-view.ts";
import type { CellView, TableView } from "./stats-tables.ts";
import { drawStepGraph } from "./step-graph-picture.ts";

/** Chains in the table before it is unfolded, and characters of a command that a bar's title says. */
export const CHAINS_SHOWN = 8;
const TITLE_MOST = 100;

/** A text of an attacker: whole, or folded where it is long. */
export function partMarkup(part: PartView): Markup {
  if (part.isNone) return element("span", { class: "none" }, part.text);
  if (!part.isLong) return element("code", {}, part.text);
  return element(
    "details",
    { class: "long" },
    element("summary", {}, element("code", {}, part.head)),
    element("code", {}, part.text),
  );
}

/** What tells a part from its neighbours, where no heading does. */
function roleMarkup({ role }: PartView): (Markup | string)[] {
  return role === undefined ? [] : [element("span", { class: "what" }, role), " "];
}

export function chainsPicture({ data, graph, thinned }: ChainsView, width: number): Markup {
  return drawStepGraph(graph, thinned, {
    width,
    textOf: code => commandText(data, code),
    purposes: data.purposes,
    refs: new Map(),
    titleMost: TITLE_MOST,
    beside: "the table below has the most frequent chains",
  });
}

export const CHAINS_COLUMNS = ["Rank", "Sessions", "Share", "Commands"] as const;

export function chainsTable(rows: readonly ChainRowView[]): Markup {
  const [rank, ...others] = CHAINS_COLUMNS;
  const cells = others.map(name => element("th", { scope: "col", ...(name !== "Commands" && { class: "number" }) }, name));
  const hidden = element("th", { scope: "col", class: "rank" }, element("span", { class: "hidden" }, rank));
  const head = element("tr", {}, hidden, ...cells);
  return element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows.map(chainRow)));
}

function chainRow({ rank, sessions, share, links, isCut }: ChainRowView): Markup {
  const way = links.map(link => element("li", { class: link.purpose }, partMarkup(link)));
  const goesOn = element("li", { class: "p-rest" }, element("span", { class: "none" }, "goes on"));
  return element(
    "tr",
    {},
    element("td", { class: "rank" }, rank),
    element("td", { class: "number" }, sessions),
    element("td", { class: "number" }, share),
    element("td", {}, element("ol", { class: "way" }, ...way, ...(isCut ? [goesOn] : []))),
  );
}

/**
 * What stands in a sheet of sessions, under the name of its value.
 *
 * @param hasScript With buttons that copy, which the page's script answers.
 */
export function trailSheet(view: TrailView, headingId: string, hasScript: boolean): Markup[] {
  const heading = element(
    "h3",
    { id: headingId },
    "Sessions: ",
    ...view.parts.flatMap(part => [element("span", { class: "trail-key" }, ...roleMarkup(part), partMarkup(part)), " "]),
  );
  return [
    heading,
    element("p", { class: "lead" }, view.shown),
    trailTable(view, hasScript),
    ...view.commands.map(command => copyLine(command, view.folders, hasScript)),
  ];
}

function trailTable({ rows, hasSensors, hasAddresses }: TrailView, hasScript: boolean): Markup {
  const names = ["Seen (UTC)", "Session", ...(hasSensors ? ["Sensor"] : []), ...(hasAddresses ? ["From"] : [])];
  const head = names.map(name => element("th", { scope: "col" }, name));
  const body = rows.map(row =>
    element(
      "tr",
      {},
      element("td", { class: "time" }, row.time),
      element(
        "td",
        {},
        element("code", {}, row.session),
        ...(hasScript ? [" ", copyButton(row.command, "Copy trace", `the command that traces ${row.session}`)] : []),
      ),
      ...(hasSensors ? [element("td", {}, element("code", {}, row.sensor))] : []),
      ...(hasAddresses ? [element("td", {}, element("code", {}, row.address))] : []),
    ),
  );
  return element(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": "Sessions, table" },
    element("table", {}, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...body)),
  );
}

/** A command with its long folders shortened for the eye: they are there, and go along when it is copied. */
function shortCommand(text: string, folders: readonly string[]): (Markup | string)[] {
  const folder = folders.find(candidate => text.includes(candidate));
  if (folder === undefined) return [text];
  const at = text.indexOf(folder);
  return [
    ...shortCommand(text.slice(0, at), folders),
    element("span", { class: "far" }, folder),
    ...shortCommand(text.slice(at + folder.length), folders),
  ];
}

export function copyLine({ what, text }: TrailCommand, folders: readonly string[], hasScript: boolean): Markup {
  return element(
    "p",
    { class: "command-line" },
    element("span", { class: "what" }, `${what}: `),
    element("code", {}, ...shortCommand(text, folders)),
    ...(hasScript ? [" ", copyButton(text, "Copy", "the command")] : []),
  );
}

function copyButton(text: string, label: string, what: string): Markup {
  return element("button", { type: "button", class: "copy", "data-copy": text, "aria-label": `Copy ${what}` }, label);
}

/** As the template of data tables draws it. */
export function dataTable({ id, name, shown, columns, rows }: TableView): Markup {
  const head = columns.map(column => element("th", { scope: "col", class: column.className }, column.name));
  const body = rows.map(({ cells }) => element("tr", {}, ...cells.map(dataCell)));
  return element(
    "div",
    { class: "data-table", "data-table-name": id },
    element(
      "div",
      { class: "table-tools" },
      element("span", { class: "shown" }, shown),
      element("span", { class: "spring" }),
      element("span", { class: "found", "aria-live": "polite" }),
      element(
        "label",
        { class: "script" },
        "Find ",
        element("input", { type: "search", class: "find", spellcheck: "false", autocomplete: "off" }),
      ),
      element("button", { type: "button", class: "script", "data-table": "csv" }, "CSV"),
    ),
    element(
      "div",
      { class: "scroll", tabindex: 0, role: "region", "aria-label": `${name}, table` },
      element("table", {}, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...body)),
    ),
    element(
      "p",
      { class: "show-more script" },
      element("button", { type: "button", "data-table": "more", hidden: true }, "Show all"),
    ),
  );
}

function dataCell({ className, sort, parts, hasText, text, mark }: CellView): Markup {
  return element(
    "td",
    { class: className, "data-sort": sort },
    ...parts.flatMap(part => [element("span", { class: part.className }, ...roleMarkup(part), partMarkup(part)), " "]),
    ...(hasText ? [text] : []),
    ...(mark === undefined ? [] : [mark]),
  );
}
