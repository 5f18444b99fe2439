/**
 * The step graph as a picture: bars by position and command, bands between them. Drawn on the server and, under a
 * filter, in the page.
 *
 * Tested in `test/lib/pages/chains-page.test.ts`.
 */
import { type FlowNode, REST, type StepGraph, type Thinned } from "./step-graph.ts";
import { formatNumber, formatShare, plural } from "../text/format.ts";
import { element, type Markup } from "./markup.ts";
import { type Purpose, PURPOSES } from "../text/purpose-names.ts";
import { layoutSankey } from "./sankey.ts";
import { round1 } from "./scale.ts";
import { clipColumns } from "../text/cut.ts";

/** A column is as wide as a label takes that can still be told from others. */
const COLUMN_LEAST = 166;
/** Where that would leave most columns out of sight: room for a command's first word, the rest is a touch away. */
const COLUMN_NARROW = 58;
const NARROW = 620;
/** Left of the first bar, for the outline of its focus. */
const MARGIN = 4;
const COLUMN_MOST = 320;
const NODE_WIDTH = 9;
const NODE_LEAST = 3;
/** A node with the space below it is as high as a label, so that no two labels meet. */
const NODE_PADDING = 14;
const HEADER_HEIGHT = 36;
const HEIGHT_PER_NODE = 50;
const HEIGHT_LEAST = 220;
const HEIGHT_MOST = 860;
/** Advance of a monospace character at the size of labels. */
const CHARACTER_WIDTH = 6.7;
/** Height from which a node has a second line, with its count. */
const TWO_LINES = 30;
/** Height from which the label stands beside the node. */
const ONE_LINE = 16;
/** The same where no band leads on. */
const ONE_LINE_FREE = 10;
/** Characters from which a label has room for a count with its share. */
const COUNT_CHARACTERS = 16;
/** Width of the bar that marks what ends at a node. */
const END_WIDTH = 4;
/** Paths the page carries for highlighting; rarer ones are left out, and the page says what share that is. */
const PATHS_MOST = 4000;

/** How much a threshold hides, in words; "" for nothing. */
export function describeHidden({ hiddenLinks, hiddenSessions, hiddenNodes }: Thinned, threshold: number): string {
  if (hiddenLinks === 0 && hiddenNodes === 0) return "";
  const nodes = hiddenNodes === 0 ? "" : ` and ${plural(hiddenNodes, "command")}`;
  const passages = hiddenSessions === 0 ? "" : ` (${plural(hiddenSessions, "passage")})`;
  return `${plural(hiddenLinks, "link")}${passages}${nodes} with under ${plural(threshold, "session")} hidden`;
}

type NodePurpose = Purpose | "rest";

function purposeOfNode({ command }: FlowNode, purposes: readonly Purpose[]): NodePurpose {
  return command === REST ? "rest" : purposes[command]!;
}

/** What the colours and bars of a picture mean, as far as it has them. */
export function describeLegend(
  graph: StepGraph,
  thinned: Thinned,
  purposes: readonly Purpose[],
): { readonly className: string; readonly name: string }[] {
  const shown = new Set(thinned.nodes.map(i => purposeOfNode(graph.nodes[i]!, purposes)));
  return [
    ...PURPOSES.filter(({ id }) => shown.has(id)).map(({ id, name }) => ({ className: `p-${id}`, name })),
    ...(shown.has("rest") ? [{ className: "p-rest", name: "rest, grouped" }] : []),
    { className: "key-end", name: "ends here" },
    ...(thinned.nodes.some(i => graph.nodes[i]!.continued > 0) ? [{ className: "key-on", name: "goes on" }] : []),
  ];
}

export interface PictureOptions {
  /** Width the picture fills if its columns are not too narrow then, in pixels. */
  readonly width: number;
  /** A command as it is shown, whole. */
  readonly textOf: (code: number) => string;
  readonly purposes: readonly Purpose[];
  /** Names of commands that a table explains; none = no names. */
  readonly refs: ReadonlyMap<number, string>;
  /** Characters of a command that its title says. */
  readonly titleMost: number;
  /** What the page has beside the picture, for those who cannot see it. */
  readonly beside: string;
}

/** Draw what a threshold leaves of a step graph. */
export function drawStepGraph(graph: StepGraph, thinned: Thinned, options: PictureOptions): Markup {
  const plan = planPicture(graph, thinned, options.width);
  const { columns, columnWidth, width, height, xOf } = plan;
  const heads = Array.from({ length: columns }, (_, step) =>
    element("text", { class: "tick", x: xOf(step), y: 12 }, step > 0 ? ordinal(step + 1) : columnWidth < COLUMN_LEAST ? "1st" : "first command"),
  );
  return element(
    "svg",
    {
      class: "chart sankey",
      viewBox: `0 0 ${width} ${height + HEADER_HEIGHT + 8}`,
      width,
      height: height + HEADER_HEIGHT + 8,
      role: "img",
      "aria-label": `Step graph of the commands of ${plural(graph.sessions, "session")}; ${options.beside}`,
    },
    ...heads,
    element("g", { class: "bands", "aria-hidden": "true" }, ...drawBands(plan, options.purposes)),
    ...drawNodes(plan, graph.sessions, options),
  );
}

type Plan = ReturnType<typeof planPicture>;

/** Where all nodes and links stand. */
function planPicture(graph: StepGraph, thinned: Thinned, wanted: number) {
  const place = new Map(thinned.nodes.map((node, i) => [node, i]));
  const nodes = thinned.nodes.map(i => graph.nodes[i]!);
  const links = thinned.links.map(i => {
    const { source, target, sessions } = graph.links[i]!;
    return { source: place.get(source)!, target: place.get(target)!, value: sessions };
  });
  const columns = nodes.reduce((most, { step }) => Math.max(most, step + 1), 1);
  const perColumn = new Map<number, number>();
  for (const { step } of nodes) perColumn.set(step, (perColumn.get(step) ?? 0) + 1);
  const most = Math.max(1, ...perColumn.values());
  const height = Math.min(HEIGHT_MOST, Math.max(HEIGHT_LEAST, most * HEIGHT_PER_NODE));
  const least = wanted < NARROW ? COLUMN_NARROW : COLUMN_LEAST;
  const columnWidth = Math.max(least, Math.min(COLUMN_MOST, Math.floor((wanted - MARGIN) / columns)));
  const layout = layoutSankey(
    nodes.map(({ step, sessions }) => ({ column: step, value: sessions })),
    links,
    { height, padding: NODE_PADDING, nodeLeast: NODE_LEAST },
  );
  const xOf = (step: number) => step * columnWidth + MARGIN;
  return { nodes, links, layout, columns, columnWidth, width: columns * columnWidth + MARGIN, height, xOf };
}

function drawBands({ nodes, links, layout, xOf }: Plan, purposes: readonly Purpose[]): Markup[] {
  return links.map(({ source, target, value }, i) => {
    const { sourceY, targetY, width } = layout.links[i]!;
    const [from, to] = [xOf(nodes[source]!.step) + NODE_WIDTH, xOf(nodes[target]!.step)];
    const middle = (from + to) / 2;
    const [y0, y1] = [round1(sourceY + HEADER_HEIGHT), round1(targetY + HEADER_HEIGHT)];
    return element("path", {
      class: `band p-${purposeOfNode(nodes[source]!, purposes)}`,
      d: `M${from} ${y0}c${middle - from} 0 ${middle - from} ${round1(y1 - y0)} ${to - from} ${round1(y1 - y0)}`,
      "stroke-width": Math.max(0.8, round1(width)),
      "data-sessions": value,
    });
  });
}

function drawNodes({ nodes, links, layout, columnWidth, xOf }: Plan, total: number, { textOf, purposes, refs, titleMost }: PictureOptions): Markup[] {
  const characters = Math.floor((columnWidth - NODE_WIDTH - 16) / CHARACTER_WIDTH);
  const leaving = new Set(links.map(({ source }) => source));
  return nodes.map((node, i) => {
    const { y, height } = layout.nodes[i]!;
    return drawNode(node, {
      index: i,
      x: xOf(node.step),
      y: y + HEADER_HEIGHT,
      height,
      purpose: purposeOfNode(node, purposes),
      name: node.command === REST ? `${plural(node.commands, "other command")}` : textOf(node.command),
      ref: refs.get(node.command),
      share: formatShare(node.sessions / total),
      characters,
      isLeft: leaving.has(i),
      titleMost,
    });
  });
}

function ordinal(n: number): string {
  const suffix = n % 100 > 10 && n % 100 < 14 ? "th" : (["th", "st", "nd", "rd"][n % 10] ?? "th");
  return `${n}${suffix}`;
}

interface NodePlace {
  readonly index: number;
  readonly x: number;
  readonly y: number;
  readonly height: number;
  readonly purpose: NodePurpose;
  readonly name: string;
  readonly ref: string | undefined;
  readonly share: string;
  readonly characters: number;
  /** A band leads on from it. */
  readonly isLeft: boolean;
  readonly titleMost: number;
}

function drawNode(node: FlowNode, place: NodePlace): Markup {
  const { index, x, y, height, purpose, name, ref, share, characters, isLeft, titleMost } = place;
  const middle = round1(y + height / 2);
  const textX = x + NODE_WIDTH + END_WIDTH + 4;
  const isTwo = height >= TWO_LINES;
  // A band as thin as that would strike the text through: it stands above.
  const labelY = isTwo ? middle - 7 : height < (isLeft ? ONE_LINE : ONE_LINE_FREE) ? round1(y - 5) : middle;
  const label = clipColumns(name, Math.max(4, characters));
  const numbersText = characters < COUNT_CHARACTERS ? formatNumber(node.sessions) : `${formatNumber(node.sessions)} · ${share}`;
  const count = `${ref === undefined ? "" : `${ref} · `}${numbersText}`;
  const ends = (sessions: number) => (height * sessions) / node.sessions;
  const ended = ends(node.ended);
  const on = ends(node.continued);
  const bar = (className: string, top: number, own: number) =>
    own <= 0
      ? []
      : [
          element("rect", {
            class: className,
            x: x + NODE_WIDTH,
            y: round1(top),
            width: END_WIDTH,
            height: Math.max(0.8, round1(own)),
          }),
        ];
  const fates = [
    ...(node.ended > 0 ? [`${formatNumber(node.ended)} end here`] : []),
    ...(node.continued > 0 ? [`${formatNumber(node.continued)} go on`] : []),
  ];
  const said = `${ref === undefined ? "" : `${ref}: `}${clipColumns(name, titleMost)}`;
  const numbers = `${ordinal(node.step + 1)} command, ${plural(node.sessions, "session")}, ${share}${fates.length > 0 ? `; ${fates.join(", ")}` : ""}`;
  return element(
    "g",
    { class: `step p-${purpose}`, "data-node": index, "data-step": node.step },
    element("title", {}, `${said} \n${numbers}`),
    element("rect", {
      class: "reach",
      x: x - 2,
      y: round1(y - 10),
      width:
        NODE_WIDTH +
        END_WIDTH +
        4 +
        Math.min(Math.max(label.length, isTwo ? count.length : 0), characters) * CHARACTER_WIDTH,
      height: round1(height + 12),
    }),
    element("rect", { class: "node", x, y: round1(y), width: NODE_WIDTH, height: round1(height) }),
    ...bar("goes-on", y + height - ended - on, on),
    ...bar("ends", y + height - ended, ended),
    element("text", { class: "name", x: textX, y: labelY, dy: ".35em" }, label),
    ...(isTwo ? [element("text", { class: "count", x: textX, y: middle + 8, dy: ".35em" }, count)] : []),
  );
}

export type PagePaths = ReturnType<typeof toPagePaths>;

/** Ways through the shown nodes, for the script: `[sessions, node, node, ...]`, -1 where a node is hidden. */
export function toPagePaths(graph: StepGraph, thinned: Thinned) {
  const place = new Map(thinned.nodes.map((node, i) => [node, i]));
  const merged = new Map<string, number>();
  for (const { nodes, sessions } of graph.paths) {
    const way = nodes.map(node => place.get(node) ?? -1).join(" ");
    merged.set(way, (merged.get(way) ?? 0) + sessions);
  }
  const all = [...merged].sort(([, a], [, b]) => b - a);
  const kept = all.slice(0, PATHS_MOST);
  return {
    /** Shown nodes that the shown links join, as they are numbered in the picture. */
    links: thinned.links.map(i => [place.get(graph.links[i]!.source)!, place.get(graph.links[i]!.target)!] as const),
    paths: kept.map(([way, sessions]) => [sessions, ...way.split(" ").map(Number)]),
    /** Sessions of paths that were left out. */
    uncovered: all.slice(PATHS_MOST).reduce((sum, [, sessions]) => sum + sessions, 0),
  };
}
