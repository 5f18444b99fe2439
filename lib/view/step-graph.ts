/**
 * Step graph of sessions: a node is a position and a command, so that a command typed twice makes no loop. Knows no
 * pixels.
 *
 * Repeats in a row count once. At each position the most frequent commands have nodes of their own, all others share
 * one, the rest. The law: what flows into a node flows out of it, ends there, or goes on behind the last position.
 */

/** Node of the commands that have none of their own. */
export const REST = -1;

export interface FlowNode {
  /** Position, 0 = first command of a session. */
  readonly step: number;
  /** Code of the command, or {@link REST}. */
  readonly command: number;
  /** Sessions that come through here. */
  readonly sessions: number;
  /** Sessions whose last command this is. */
  readonly ended: number;
  /** Sessions that type more, behind the last position; 0 elsewhere. */
  readonly continued: number;
  /** How many different commands share the node; 1 unless it is the rest. */
  readonly commands: number;
}

export interface FlowLink {
  /** Indices into the nodes. */
  readonly source: number;
  readonly target: number;
  readonly sessions: number;
}

/** The way some sessions took. */
export interface FlowPath {
  /** One node per position, from the first on. */
  readonly nodes: readonly number[];
  readonly sessions: number;
}

/** Equal chains of commands, repeats merged, cut at the last position. */
export interface Chain {
  readonly commands: readonly number[];
  /** The sessions type more than the positions show. */
  readonly isCut: boolean;
  readonly sessions: number;
}

export interface StepGraph {
  readonly sessions: number;
  /** Positions that are used. */
  readonly steps: number;
  /** By step, then sessions falling, then code; the rest of a step comes last. */
  readonly nodes: readonly FlowNode[];
  /** By source, then target. */
  readonly links: readonly FlowLink[];
  /** By sessions falling, then nodes. */
  readonly paths: readonly FlowPath[];
  /** By sessions falling, then commands. */
  readonly chains: readonly Chain[];
}

export interface StepGraphOptions {
  /** Positions at most, from 1 on. */
  readonly steps: number;
  /** Commands per position that have a node of their own. */
  readonly top: number;
}

/**
 * Build the step graph.
 *
 * @param sessions `sessions[i]` = codes in order; empty ones do not count.
 */
export function buildStepGraph(sessions: readonly (readonly number[])[], { steps, top }: StepGraphOptions): StepGraph {
  return graphOfChains(countChains(sessions, steps), top);
}

/**
 * Build the step graph of chains that are counted already.
 *
 * @param unsorted Each chain once; of no more commands than positions are wanted.
 * @param top Commands per position that have a node of their own.
 */
export function graphOfChains(unsorted: readonly Chain[], top: number): StepGraph {
  const chains = [...unsorted].sort(compareChains);
  const used = chains.reduce((most, { commands }) => Math.max(most, commands.length), 0);
  const nodes: { -readonly [K in keyof FlowNode]: FlowNode[K] }[] = [];
  /** `nodeOf[step]`: command -> index of its node; REST -> the rest's. */
  const nodeOf = Array.from({ length: used }, () => new Map<number, number>());
  for (let step = 0; step < used; step++) {
    const counts = new Map<number, number>();
    for (const { commands, sessions: n } of chains) {
      const command = commands[step];
      if (command !== undefined) counts.set(command, (counts.get(command) ?? 0) + n);
    }
    const ranked = [...counts].sort(([a, left], [b, right]) => right - left || a - b);
    // A rest of one command is that command.
    const kept = ranked.length <= top + 1 ? ranked : ranked.slice(0, top);
    for (const [command, n] of kept) {
      nodeOf[step]!.set(command, nodes.push({ step, command, sessions: n, ended: 0, continued: 0, commands: 1 }) - 1);
    }
    const others = ranked.slice(kept.length);
    if (others.length === 0) continue;
    const n = others.reduce((sum, [, count]) => sum + count, 0);
    const rest = { step, command: REST, sessions: n, ended: 0, continued: 0, commands: others.length };
    nodeOf[step]!.set(REST, nodes.push(rest) - 1);
  }

  const links = new Map<number, number>();
  const paths = new Map<string, { nodes: number[]; sessions: number }>();
  for (const { commands, isCut, sessions: n } of chains) {
    const way = commands.map((command, step) => nodeOf[step]!.get(command) ?? nodeOf[step]!.get(REST)!);
    way.forEach((node, step) => {
      if (step === 0) return;
      const link = way[step - 1]! * nodes.length + node;
      links.set(link, (links.get(link) ?? 0) + n);
    });
    const last = nodes[way.at(-1)!]!;
    if (isCut) last.continued += n;
    else last.ended += n;
    const key = way.join(" ");
    const path = paths.get(key);
    if (path === undefined) paths.set(key, { nodes: way, sessions: n });
    else path.sessions += n;
  }
  return {
    sessions: chains.reduce((sum, { sessions: n }) => sum + n, 0),
    steps: used,
    nodes,
    links: [...links]
      .sort(([a], [b]) => a - b)
      .map(([link, n]) => ({ source: Math.floor(link / nodes.length), target: link % nodes.length, sessions: n })),
    paths: [...paths.values()].sort((a, b) => b.sessions - a.sessions || compareLists(a.nodes, b.nodes)),
    chains,
  };
}

/** Equal chains once, with their sessions. */
function countChains(sessions: readonly (readonly number[])[], steps: number): Chain[] {
  const chains = new Map<string, { commands: number[]; isCut: boolean; sessions: number }>();
  for (const codes of sessions) {
    const commands: number[] = [];
    let isCut = false;
    let before = NaN;
    for (const code of codes) {
      if (code === before) continue;
      before = code;
      if (commands.length === steps) {
        isCut = true;
        break;
      }
      commands.push(code);
    }
    if (commands.length === 0) continue;
    const key = `${commands.join(" ")}${isCut ? " +" : ""}`;
    const chain = chains.get(key);
    if (chain === undefined) chains.set(key, { commands, isCut, sessions: 1 });
    else chain.sessions++;
  }
  return [...chains.values()];
}

/** Most sessions first, ties by commands. */
function compareChains(a: Chain, b: Chain): number {
  return b.sessions - a.sessions || compareLists(a.commands, b.commands) || Number(a.isCut) - Number(b.isCut);
}

function compareLists(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}

/** What a threshold leaves of a graph. */
export type Thinned = ReturnType<typeof thinGraph>;

/** Leave out links of fewer than `threshold` sessions, and nodes of fewer. */
export function thinGraph({ nodes, links }: StepGraph, threshold: number) {
  const shown = links.flatMap(({ sessions }, i) => (sessions >= threshold ? [i] : []));
  // Every end of a shown link carries as many sessions at least, so no shown link loses an end.
  const shownNodes = nodes.flatMap(({ sessions }, i) => (sessions >= threshold ? [i] : []));
  const hidden = links.filter(({ sessions }) => sessions < threshold);
  return {
    /** Indices of the nodes and links that are shown, rising. */
    nodes: shownNodes,
    links: shown,
    hiddenNodes: nodes.length - shownNodes.length,
    hiddenLinks: hidden.length,
    /** Sum of the sessions over the hidden links: one that takes two of them counts twice. */
    hiddenSessions: hidden.reduce((sum, { sessions }) => sum + sessions, 0),
  };
}
