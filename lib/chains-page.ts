/** `command-chains.html`: what intruders type after login, as a step graph and tables, one page that needs nothing else. */
import baseStyle from "../templates/report.css" with { type: "text" };
import chainsStyle from "../templates/chains.css" with { type: "text" };
import head from "../templates/head.mustache" with { type: "text" };
import page from "../templates/chains.mustache" with { type: "text" };
import provenance from "../templates/provenance.mustache" with { type: "text" };
import purposeStyle from "../templates/purpose.css" with { type: "text" };
import { readFileSync } from "node:fs";
import { type Chain, type FlowNode, REST, type StepGraph, type Thinned } from "./flows.ts";
import { formatBytes, formatInstant, formatNumber, formatShare, plural } from "./format.ts";
import { renderPage, toScriptJson } from "./html.ts";
import type { LogTally } from "./log-options.ts";
import { toLongText } from "./long-text.ts";
import { element, type Markup, toMarkupText } from "./markup.ts";
import { MASKS } from "./masks.ts";
import { type Purpose, PURPOSES, purposeOf } from "./purpose.ts";
import { layoutSankey } from "./sankey.ts";
import { round1 } from "./scale.ts";
import type { SessionCommands } from "./session-commands.ts";
import { ellipsize } from "./text.ts";
import { sensorText } from "./trace-text.ts";

const SCRIPT = readFileSync(new URL("../templates/chains.js", import.meta.url), "utf8");

/** Width the picture fills if its columns are not too narrow then, in pixels. */
const WIDTH = 1340;
/** A column is as wide as a label takes that can still be told from others. */
const COLUMN_LEAST = 166;
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
/** Width of the bar that marks what ends at a node. */
const END_WIDTH = 4;
/** Chains in the table. */
export const CHAINS_SHOWN = 25;
/** Paths the page carries for highlighting; rarer ones are left out, and the page says what share that is. */
const PATHS_MOST = 4000;

export interface ChainsOptions {
  /** Links of fewer sessions are hidden. */
  readonly threshold: number;
  readonly steps: number;
  readonly top: number;
  /** Commands as they were typed, without masks. */
  readonly isRaw: boolean;
}

/** Render the page; the same graph and options give the same bytes. */
export function renderChains(
  commands: SessionCommands,
  graph: StepGraph,
  thinned: Thinned,
  logs: LogTally,
  options: ChainsOptions,
): string {
  const purposes = commands.commands.map(purposeOf);
  const refs = toRefs(graph, thinned);
  const picture = drawSankey(commands, graph, thinned, purposes, refs);
  const paths = toPagePaths(graph, thinned);
  const shownPurposes = new Set(thinned.nodes.map(i => purposeOfNode(graph.nodes[i]!, purposes)));
  const hidden = describeHidden(thinned, options.threshold);
  const hasNodes = thinned.nodes.length > 0;
  const chains = graph.chains.slice(0, CHAINS_SHOWN);
  const view = {
    title: "Cowrie command chains",
    lede: `${plural(graph.sessions, "session")} with commands on ${plural(commands.sensors.length, "sensor")}, ${dayText(commands.firstUs)} to ${dayText(commands.lastUs)} UTC`,
    hasNodes,
    hidden,
    isHidden: hidden !== "",
    positions: graph.steps === 1 ? "One position" : `The first ${graph.steps} positions`,
    threshold: formatNumber(options.threshold),
    legend: [
      ...PURPOSES.filter(({ id }) => shownPurposes.has(id)).map(({ id, name }) => ({ className: `p-${id}`, name })),
      ...(shownPurposes.has("rest") ? [{ className: "p-rest", name: "rest, grouped" }] : []),
      { className: "key-end", name: "ends here" },
      ...(thinned.nodes.some(i => graph.nodes[i]!.continued > 0) ? [{ className: "key-on", name: "goes on" }] : []),
    ],
    svg: picture,
    uncovered:
      paths.uncovered > 0
        ? `Highlighting knows ${formatShare(1 - paths.uncovered / Math.max(1, graph.sessions))} of the sessions.`
        : "",
    chainsShown:
      graph.chains.length > chains.length
        ? `First ${chains.length} of ${plural(graph.chains.length, "different chain")}`
        : plural(graph.chains.length, "different chain"),
    chains: chains.map((chain, i) => toChainView(chain, i, graph.sessions, commands, purposes, refs)),
    commandsShown:
      commands.commands.length > refs.size
        ? `${plural(refs.size, "command")} of the picture and the chains, of ${formatNumber(commands.commands.length)}`
        : plural(refs.size, "command"),
    commands: [...refs].map(([code, ref]) => toCommandView(code, ref, commands, purposes)),
    isMasked: !options.isRaw,
    masks: MASKS.map(({ what }) => what),
    provenance: { facts: toFacts(commands, graph, logs, options), hasLimits: false, limits: [], hasSources: false },
    dataJson: toScriptJson({ links: paths.links, paths: paths.paths }),
  };
  const style = baseStyle + purposeStyle + chainsStyle;
  return renderPage(page, view, { head, provenance }, { style, script: SCRIPT });
}

/** The page for programs: the whole graph, nothing hidden but marked. */
export function chainsToJson(
  commands: SessionCommands,
  graph: StepGraph,
  thinned: Thinned,
  options: ChainsOptions,
): Record<string, unknown> {
  const shownNodes = new Set(thinned.nodes);
  const shownLinks = new Set(thinned.links);
  return {
    sessions: graph.sessions,
    steps: graph.steps,
    top: options.top,
    threshold: options.threshold,
    masked: !options.isRaw,
    sensors: commands.sensors,
    hidden: { nodes: thinned.hiddenNodes, links: thinned.hiddenLinks, sessions: thinned.hiddenSessions },
    commands: commands.commands.map((command, code) => ({
      command,
      purpose: purposeOf(command),
      spellings: commands.spellings[code]!.spellings,
      example: commands.spellings[code]!.example,
    })),
    nodes: graph.nodes.map((node, i) => ({
      step: node.step + 1,
      command: node.command === REST ? null : node.command,
      commands: node.commands,
      sessions: node.sessions,
      ended: node.ended,
      continued: node.continued,
      shown: shownNodes.has(i),
    })),
    links: graph.links.map((link, i) => ({ ...link, shown: shownLinks.has(i) })),
    chains: graph.chains.map(({ commands: codes, isCut, sessions }) => ({
      commands: codes,
      continues: isCut,
      sessions,
    })),
  };
}

/** How much a threshold hides, in words; "" for nothing. */
export function describeHidden({ hiddenLinks, hiddenSessions, hiddenNodes }: Thinned, threshold: number): string {
  if (hiddenLinks === 0 && hiddenNodes === 0) return "";
  const nodes = hiddenNodes === 0 ? "" : ` and ${plural(hiddenNodes, "command")}`;
  const passages = hiddenSessions === 0 ? "" : ` (${plural(hiddenSessions, "passage")})`;
  return `${plural(hiddenLinks, "link")}${passages}${nodes} with under ${plural(threshold, "session")} hidden`;
}

function dayText(us: number): string {
  return formatInstant(us).slice(0, 10);
}

type NodePurpose = Purpose | "rest";

function purposeOfNode({ command }: FlowNode, purposes: readonly Purpose[]): NodePurpose {
  return command === REST ? "rest" : purposes[command]!;
}

function listSensors(sensors: readonly string[]): string {
  const shown = sensors.slice(0, 8).map(sensorText).join(", ");
  return sensors.length > 8 ? `${shown}, and ${formatNumber(sensors.length - 8)} more` : shown;
}

/** Names of commands: `C01` is the one most sessions come through; then those that only chains have. */
function toRefs(graph: StepGraph, thinned: Thinned): Map<number, string> {
  const sessions = new Map<number, number>();
  const add = (code: number, n: number) => {
    if (code !== REST) sessions.set(code, (sessions.get(code) ?? 0) + n);
  };
  for (const i of thinned.nodes) add(graph.nodes[i]!.command, graph.nodes[i]!.sessions);
  const inPicture = new Set(sessions.keys());
  for (const { commands } of graph.chains.slice(0, CHAINS_SHOWN))
    for (const code of commands) if (!inPicture.has(code)) add(code, 0);
  const ranked = [...sessions].sort(([a, left], [b, right]) => right - left || a - b);
  const digits = Math.max(2, String(ranked.length).length);
  return new Map(ranked.map(([code], i) => [code, `C${String(i + 1).padStart(digits, "0")}`]));
}

function drawSankey(
  { commands }: SessionCommands,
  graph: StepGraph,
  thinned: Thinned,
  purposes: readonly Purpose[],
  refs: ReadonlyMap<number, string>,
): string {
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
  const columnWidth = Math.max(COLUMN_LEAST, Math.min(COLUMN_MOST, Math.floor(WIDTH / columns)));
  const layout = layoutSankey(
    nodes.map(({ step, sessions, command }) => ({ column: step, value: sessions, isLast: command === REST })),
    links,
    { height, padding: NODE_PADDING, nodeLeast: NODE_LEAST },
  );
  const width = columns * columnWidth;
  const total = graph.sessions;
  const x = (step: number) => step * columnWidth;
  const bands = links.map(({ source, target, value }, i) => {
    const { sourceY, targetY, width: band } = layout.links[i]!;
    const [from, to] = [x(nodes[source]!.step) + NODE_WIDTH, x(nodes[target]!.step)];
    const middle = (from + to) / 2;
    const [y0, y1] = [round1(sourceY + HEADER_HEIGHT), round1(targetY + HEADER_HEIGHT)];
    return element("path", {
      class: `band p-${purposeOfNode(nodes[source]!, purposes)}`,
      d: `M${from} ${y0}C${middle} ${y0} ${middle} ${y1} ${to} ${y1}`,
      "stroke-width": Math.max(0.8, round1(band)),
      "data-sessions": value,
    });
  });
  const characters = Math.floor((columnWidth - NODE_WIDTH - 16) / CHARACTER_WIDTH);
  const leaving = new Set(links.map(({ source }) => source));
  const bars = nodes.map((node, i) => {
    const { y, height: own } = layout.nodes[i]!;
    return drawNode(node, {
      index: i,
      x: x(node.step),
      y: y + HEADER_HEIGHT,
      height: own,
      purpose: purposeOfNode(node, purposes),
      name:
        node.command === REST ? `${plural(node.commands, "other command")}` : toLongText(commands[node.command]!).text,
      ref: refs.get(node.command),
      share: formatShare(node.sessions / total),
      characters,
      isLeft: leaving.has(i),
    });
  });
  const heads = Array.from({ length: columns }, (_, step) =>
    element("text", { class: "tick", x: x(step), y: 12 }, step === 0 ? "first command" : `${ordinal(step + 1)}`),
  );
  const svg = element(
    "svg",
    {
      class: "chart sankey",
      viewBox: `0 0 ${width} ${height + HEADER_HEIGHT + 8}`,
      width,
      height: height + HEADER_HEIGHT + 8,
      role: "img",
      "aria-label": `Step graph of the commands of ${plural(total, "session")}; the tables below say the same in numbers`,
    },
    ...heads,
    element("g", { class: "bands", "aria-hidden": "true" }, ...bands),
    ...bars,
  );
  return toMarkupText(svg);
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
}

function drawNode(node: FlowNode, place: NodePlace): Markup {
  const { index, x, y, height, purpose, name, ref, share, characters, isLeft } = place;
  const middle = round1(y + height / 2);
  const textX = x + NODE_WIDTH + END_WIDTH + 4;
  const isTwo = height >= TWO_LINES;
  // A band as thin as that would strike the text through: it stands above.
  const labelY = isTwo ? middle - 7 : height < (isLeft ? ONE_LINE : ONE_LINE_FREE) ? round1(y - 5) : middle;
  const label = ellipsize(name, Math.max(4, characters));
  const count = `${ref === undefined ? "" : `${ref} · `}${formatNumber(node.sessions)} · ${share}`;
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
  const said = `${ref === undefined ? "" : `${ref}: `}${ellipsize(name, 400)}`;
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

/** Ways through the shown nodes, for the script: `[sessions, node, node, ...]`, -1 where a node is hidden. */
function toPagePaths(graph: StepGraph, thinned: Thinned) {
  const place = new Map(thinned.nodes.map((node, i) => [node, i]));
  const merged = new Map<string, number>();
  for (const { nodes, sessions } of graph.paths) {
    const way = nodes.map(node => place.get(node) ?? -1).join(" ");
    merged.set(way, (merged.get(way) ?? 0) + sessions);
  }
  const all = [...merged].sort(([, a], [, b]) => b - a);
  const kept = all.slice(0, PATHS_MOST);
  return {
    links: thinned.links.map(i => [place.get(graph.links[i]!.source)!, place.get(graph.links[i]!.target)!]),
    paths: kept.map(([way, sessions]) => [sessions, ...way.split(" ").map(Number)]),
    uncovered: all.slice(PATHS_MOST).reduce((sum, [, sessions]) => sum + sessions, 0),
  };
}

function toChainView(
  { commands: codes, isCut, sessions }: Chain,
  i: number,
  total: number,
  { commands }: SessionCommands,
  purposes: readonly Purpose[],
  refs: ReadonlyMap<number, string>,
) {
  return {
    rank: formatNumber(i + 1),
    sessions: formatNumber(sessions),
    share: formatShare(sessions / total),
    links: codes.map(code => ({
      ref: refs.get(code) ?? "",
      text: ellipsize(toLongText(commands[code]!).text, 90),
      className: `p-${purposes[code]!}`,
    })),
    isCut,
  };
}

function toCommandView(
  code: number,
  ref: string,
  { commands, spellings }: SessionCommands,
  purposes: readonly Purpose[],
) {
  const command = commands[code]!;
  const { example, spellings: n } = spellings[code]!;
  const purpose = PURPOSES.find(({ id }) => id === purposes[code])!;
  return {
    ref,
    purpose: purpose.name,
    className: `p-${purpose.id}`,
    ...toLongText(command),
    isMasked: example !== command,
    spellings: n === 1 ? "as typed" : `${plural(n, "spelling")}, the first`,
    example: toLongText(example).text,
  };
}

function toFacts(commands: SessionCommands, graph: StepGraph, logs: LogTally, options: ChainsOptions) {
  const { counts, textBytes } = logs;
  return [
    { name: "Logs", value: `${formatNumber(logs.logs.length)} (${formatBytes(textBytes)})` },
    { name: "Events", value: formatNumber(counts.events + counts.repaired) },
    { name: "of them repaired", value: formatNumber(counts.repaired) },
    { name: "Rejected lines", value: formatNumber(counts.rejected) },
    { name: "Sensors", value: listSensors(commands.sensors) },
    { name: "Sessions with commands", value: formatNumber(graph.sessions) },
    { name: "First command", value: `${formatInstant(commands.firstUs)} UTC` },
    { name: "Last command", value: `${formatInstant(commands.lastUs)} UTC` },
    { name: "Different commands", value: formatNumber(commands.commands.length) },
    { name: "Positions", value: `first ${options.steps}` },
    { name: "Commands per position", value: `${options.top}, the rest grouped` },
    { name: "Threshold", value: plural(options.threshold, "session") },
    { name: "Masks", value: options.isRaw ? "off, commands as typed" : "on" },
  ];
}
