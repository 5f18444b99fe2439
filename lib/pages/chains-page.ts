/** `command-chains.html`: what intruders type after login, as a step graph and tables, one page that needs nothing else. */
import chainsStyle from "../../templates/chains.css" with { type: "text" };
import head from "../../templates/head.mustache" with { type: "text" };
import page from "../../templates/chains.mustache" with { type: "text" };
import provenance from "../../templates/provenance.mustache" with { type: "text" };
import purposeStyle from "../../templates/purpose.css" with { type: "text" };
import stepStyle from "../../templates/step-graph.css" with { type: "text" };
import { bundleScript } from "./client-script.ts";
import { type Chain, REST, type StepGraph, type Thinned } from "../view/step-graph.ts";
import { formatBytes, formatInstant, formatNumber, formatShare, plural, toSpan } from "../text/format.ts";
import { renderPage, toScriptJson } from "./html.ts";
import { BASE_STYLE, cardsWithoutScript } from "./page-style.ts";
import { sensorLabel } from "../text/labels.ts";
import type { LogTally } from "../logs/log-options.ts";
import { toLongText } from "../text/long-text.ts";
import { element, type Markup, toMarkupText } from "../view/markup.ts";
import { foldedMarkup, legendMarkup, scrollBox, tableMarkup } from "../view/parts-markup.ts";
import type { ChainRowView } from "../view/report-chains.ts";
import { CHAINS_COLUMNS, chainsTable } from "../view/report-markup.ts";
import { MASKS } from "../text/masks.ts";
import { purposeOf } from "../text/purpose.ts";
import { type Purpose, PURPOSES } from "../text/purpose-names.ts";
import type { SessionCommands } from "../sessions/session-commands.ts";
import { describeHidden, describeLegend, drawStepGraph, toPagePaths } from "../view/step-graph-picture.ts";
import { ellipsize } from "../text/text.ts";

const SCRIPT = await bundleScript("chains.js");

/** Width of the picture, in pixels. */
const WIDTH = 1340;
/** Characters of a command that its node's title says; the table below has all of them. */
const TITLE_MOST = 400;
const COMMAND_COLUMNS = ["Name", "Purpose", "Text"];
const TABLES = [
  { selector: "#top .scroll", names: CHAINS_COLUMNS },
  { selector: "#commands .scroll", names: COMMAND_COLUMNS },
];
/** Chains in the table. */
const CHAIN_ROWS = 25;
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
  const picture = drawStepGraph(graph, thinned, {
    width: WIDTH,
    textOf: code => toLongText(commands.commands[code]!).text,
    purposes,
    refs,
    titleMost: TITLE_MOST,
    beside: "the tables below say the same in numbers",
  });
  const paths = toPagePaths(graph, thinned);
  const hidden = describeHidden(thinned, options.threshold);
  const hasNodes = thinned.nodes.length > 0;
  const chains = graph.chains.slice(0, CHAIN_ROWS);
  const view = {
    title: "Cowrie command chains",
    lede: `${plural(graph.sessions, "session")} with commands on ${plural(commands.sensors.length, "sensor")}, ${toSpan(dayText(commands.firstUs), dayText(commands.lastUs))} UTC`,
    hasNodes,
    hidden,
    isHidden: hidden !== "",
    positions: graph.steps === 1 ? "One position" : `The first ${graph.steps} positions`,
    threshold: formatNumber(options.threshold),
    legend: { markup: toMarkupText(legendMarkup(describeLegend(graph, thinned, purposes))) },
    svg: toMarkupText(picture),
    uncovered:
      paths.uncovered > 0
        ? `Highlighting knows ${formatShare(1 - paths.uncovered / Math.max(1, graph.sessions))} of the sessions.`
        : "",
    chainsShown:
      graph.chains.length > chains.length
        ? `First ${chains.length} of ${plural(graph.chains.length, "distinct chain")}`
        : plural(graph.chains.length, "distinct chain"),
    chains: toTable("Most frequent chains", chainsTable(chains.map((chain, i) => toChainRow(chain, i, graph.sessions, commands, purposes, refs)))),
    commandsShown:
      commands.commands.length > refs.size
        ? `${plural(refs.size, "command")} of the picture and the chains, of ${formatNumber(commands.commands.length)}`
        : plural(refs.size, "command"),
    commands: toTable("Commands in full", tableMarkup(COMMAND_COLUMNS, [...refs].map(([code, ref]) => commandRow(code, ref, commands, purposes)), "texts")),
    isMasked: !options.isRaw,
    masks: MASKS.map(({ what }) => what),
    provenance: { facts: toFacts(commands, graph, logs, options), hasLimits: false, limits: [], sources: false },
    dataJson: toScriptJson({ links: paths.links, paths: paths.paths }),
  };
  const style = BASE_STYLE + purposeStyle + stepStyle + chainsStyle + cardsWithoutScript(TABLES);
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

function dayText(us: number): string {
  return formatInstant(us).slice(0, 10);
}

function listSensors(sensors: readonly string[]): string {
  const shown = sensors.slice(0, 8).map(sensorLabel).join(", ");
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
  for (const { commands } of graph.chains.slice(0, CHAIN_ROWS))
    for (const code of commands) if (!inPicture.has(code)) add(code, 0);
  const ranked = [...sessions].sort(([a, left], [b, right]) => right - left || a - b);
  const digits = Math.max(2, String(ranked.length).length);
  return new Map(ranked.map(([code], i) => [code, `C${String(i + 1).padStart(digits, "0")}`]));
}

function toTable(name: string, table: Markup) {
  return { markup: toMarkupText(scrollBox(name, table)) };
}

function toChainRow(
  { commands: codes, isCut, sessions }: Chain,
  i: number,
  total: number,
  { commands }: SessionCommands,
  purposes: readonly Purpose[],
  refs: ReadonlyMap<number, string>,
): ChainRowView {
  return {
    rank: formatNumber(i + 1),
    sessions: formatNumber(sessions),
    share: formatShare(sessions / total),
    links: codes.map(code => {
      const text = ellipsize(toLongText(commands[code]!).text, 90);
      return { ref: refs.get(code) ?? "", text, isLong: false, head: text, purpose: `p-${purposes[code]!}` };
    }),
    isCut,
  };
}

function commandRow(code: number, ref: string, { commands, spellings }: SessionCommands, purposes: readonly Purpose[]): Markup {
  const command = commands[code]!;
  const { example, spellings: n } = spellings[code]!;
  const purpose = PURPOSES.find(({ id }) => id === purposes[code])!;
  const words = n === 1 ? "as typed" : `${plural(n, "spelling")}, the first`;
  const typed = element("span", { class: "example" }, `${words}: `, element("code", {}, toLongText(example).text));
  return element(
    "tr",
    {},
    element("td", { class: "ref" }, ref),
    element("td", {}, element("span", { class: `tag p-${purpose.id}` }, purpose.name)),
    element("td", {}, foldedMarkup(toLongText(command)), example === command ? undefined : typed),
  );
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
    { name: "Distinct commands", value: formatNumber(commands.commands.length) },
    { name: "Positions", value: `first ${options.steps}` },
    { name: "Commands per position", value: `${options.top}, the rest grouped` },
    { name: "Threshold", value: plural(options.threshold, "session") },
    { name: "Masks", value: options.isRaw ? "off, commands as typed" : "on" },
  ];
}
