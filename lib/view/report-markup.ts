/**
 * Tables of the report that the server and the page's script draw alike, as trees of elements.
 *
 * Tested in `test/lib/view/report-view.test.ts`.
 */
import { element, type Markup } from "./markup.ts";
import { foldedMarkup, noneMarkup, numberHead, rolePart, scrollBox, tableMarkup } from "./parts-markup.ts";
import { type ChainRowView, type ChainsView, commandText } from "./report-chains.ts";
import type { TrailCommand, TrailView } from "./report-trails.ts";
import { drawStepGraph } from "./step-graph-picture.ts";

/** Chains in the table before it is unfolded, and characters of a command that a bar's title says. */
export const CHAINS_SHOWN = 8;
const TITLE_MOST = 100;

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

const CHAINS_HEADS = [
  { name: "Rank", className: "rank", isHidden: true },
  numberHead("Sessions"),
  numberHead("Share"),
  { name: "Commands" },
];

export const CHAINS_COLUMNS = CHAINS_HEADS.map(({ name }) => name);

export function chainsTable(rows: readonly ChainRowView[]): Markup {
  return tableMarkup(CHAINS_HEADS, rows.map(chainRow));
}

function chainRow({ rank, sessions, share, links, isCut }: ChainRowView): Markup {
  const way = links.map(link =>
    element("li", { class: link.purpose }, link.ref === undefined ? undefined : element("span", { class: "ref" }, link.ref), foldedMarkup(link)),
  );
  const goesOn = element("li", { class: "p-rest" }, noneMarkup("goes on"));
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
    ...view.parts.flatMap(part => [element("span", { class: "trail-key" }, ...rolePart(part)), " "]),
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
  return scrollBox("Sessions, table", tableMarkup(names, body));
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
  return element("button", { type: "button", class: "copy", "data-copy": text, "aria-label": `${label}: ${what}` }, label);
}
