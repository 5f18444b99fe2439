/**
 * Places for the nodes and links of a step graph: columns from left to right, heights in proportion, few crossings.
 * Pure numbers; knows neither events nor elements.
 *
 * Positions by barycenter sweeps as in Sugiyama's method, the best order met being kept; then nodes are drawn towards
 * what they are linked with, without changing that order. No node has a place of its own: the rest of a column kept at its
 * bottom crossed the ways of the others two to six times as often.
 */

export interface SankeyNode {
  readonly column: number;
  readonly value: number;
}

export interface SankeyLink {
  readonly source: number;
  readonly target: number;
  readonly value: number;
}

export interface SankeyOptions {
  /** Height of all, in pixels. */
  readonly height: number;
  /** Space between nodes of a column. */
  readonly padding: number;
  /** Height of a node at least, so that it can be seen and met by a pointer. */
  readonly nodeLeast: number;
}

const ORDER_SWEEPS = 24;
const PLACE_SWEEPS = 40;

/** Lay out a graph whose links lead from one column to the next. */
export function layoutSankey(
  nodes: readonly SankeyNode[],
  links: readonly SankeyLink[],
  { height, padding, nodeLeast }: SankeyOptions,
) {
  const columnCount = nodes.reduce((most, { column }) => Math.max(most, column + 1), 0);
  const columns: number[][] = Array.from({ length: columnCount }, () => []);
  nodes.forEach(({ column }, i) => columns[column]!.push(i));
  const before: SankeyEnd[][] = nodes.map(() => []);
  const behind: SankeyEnd[][] = nodes.map(() => []);
  for (const { source, target, value } of links) {
    behind[source]!.push({ node: target, value });
    before[target]!.push({ node: source, value });
  }
  const order = findOrder(columns, nodes, links, before, behind);
  const scale = findScale(order, nodes, height, padding, nodeLeast);
  const heights = nodes.map(({ value }) => Math.max(nodeLeast, value * scale));
  const tops = placeNodes(order, heights, before, behind, height, padding);
  return {
    /** Pixels per unit of value. */
    scale,
    /** `nodes[i]`: top and height. */
    nodes: tops.map((y, i) => ({ y, height: heights[i]! })),
    /** `links[i]`: the middle of its band at the source and at the target, and its width. */
    links: placeLinks(nodes, links, tops, heights, scale),
  };
}

interface SankeyEnd {
  readonly node: number;
  readonly value: number;
}

/** The order of each column with the fewest crossings met. */
function findOrder(
  columns: readonly number[][],
  nodes: readonly SankeyNode[],
  links: readonly SankeyLink[],
  before: readonly SankeyEnd[][],
  behind: readonly SankeyEnd[][],
): number[][] {
  // What leads nowhere stands below what does, or the ways of the others would be bent round it.
  const shelf = (node: number) => Number(before[node]!.length + behind[node]!.length === 0);
  const byRank = (rank: (node: number) => number) => (a: number, b: number) =>
    shelf(a) - shelf(b) || rank(a) - rank(b) || nodes[b]!.value - nodes[a]!.value || a - b;
  let order = columns.map(column => [...column].sort(byRank(() => 0)));
  const place = new Float64Array(nodes.length);
  const setPlaces = (column: readonly number[]) => {
    // The middle of the node if the column were stacked without gaps: heavy nodes take their room.
    const all = column.reduce((sum, node) => sum + nodes[node]!.value, 0) || 1;
    let sum = 0;
    for (const node of column) {
      place[node] = (sum + nodes[node]!.value / 2) / all;
      sum += nodes[node]!.value;
    }
  };
  order.forEach(setPlaces);
  let best = order.map(column => [...column]);
  let fewest = countCrossings(best, links, nodes);
  for (let sweep = 0; sweep < ORDER_SWEEPS && fewest > 0; sweep++) {
    const forward = sweep % 2 === 0;
    const ends = forward ? before : behind;
    const turn = [...order.keys()];
    if (!forward) turn.reverse();
    for (const column of turn) {
      const rank = (node: number) => barycenter(ends[node]!, place) ?? place[node]!;
      order[column]!.sort(byRank(rank));
      setPlaces(order[column]!);
    }
    const crossings = countCrossings(order, links, nodes);
    if (crossings < fewest) {
      fewest = crossings;
      best = order.map(column => [...column]);
    }
  }
  order = best;
  return order;
}

function barycenter(ends: readonly SankeyEnd[], place: ArrayLike<number>): number | undefined {
  let weight = 0;
  let sum = 0;
  for (const { node, value } of ends) {
    weight += value;
    sum += value * place[node]!;
  }
  return weight === 0 ? undefined : sum / weight;
}

/** Crossings of links between neighbouring columns, each weighing as much as the thinner of the two. */
export function countCrossings(
  order: readonly (readonly number[])[],
  links: readonly SankeyLink[],
  nodes: readonly SankeyNode[],
): number {
  const rank = new Float64Array(nodes.length);
  for (const column of order) column.forEach((node, i) => (rank[node] = i));
  const byColumn = new Map<number, SankeyLink[]>();
  for (const link of links) {
    const { column } = nodes[link.source]!;
    const own = byColumn.get(column);
    if (own === undefined) byColumn.set(column, [link]);
    else own.push(link);
  }
  let crossings = 0;
  for (const own of byColumn.values()) {
    for (let i = 0; i < own.length; i++) {
      for (let j = 0; j < i; j++) {
        const [a, b] = [own[i]!, own[j]!];
        const turn = (rank[a.source]! - rank[b.source]!) * (rank[a.target]! - rank[b.target]!);
        if (turn < 0) crossings += Math.min(a.value, b.value);
      }
    }
  }
  return crossings;
}

/** The largest scale at which every column fits. */
function findScale(
  order: readonly number[][],
  nodes: readonly SankeyNode[],
  height: number,
  padding: number,
  nodeLeast: number,
): number {
  let scale = Infinity;
  for (const column of order) {
    const room = height - padding * (column.length - 1);
    // Nodes below their least height take it whatever the scale: what they take is not there for the others.
    let values = column.map(node => nodes[node]!.value).sort((a, b) => a - b);
    let left = room;
    for (;;) {
      const own = left / (values.reduce((sum, value) => sum + value, 0) || 1);
      if (values.length <= 1 || values[0]! * own >= nodeLeast) {
        scale = Math.min(scale, own);
        break;
      }
      values = values.slice(1);
      left -= nodeLeast;
    }
  }
  return Number.isFinite(scale) ? Math.max(0, scale) : 0;
}

/** Tops of the nodes: near what they are linked with, in order, apart, and within the height. */
function placeNodes(
  order: readonly number[][],
  heights: readonly number[],
  before: readonly SankeyEnd[][],
  behind: readonly SankeyEnd[][],
  height: number,
  padding: number,
): number[] {
  const middle = new Float64Array(heights.length);
  for (const column of order) {
    let y = 0;
    for (const node of column) {
      middle[node] = y + heights[node]! / 2;
      y += heights[node]! + padding;
    }
  }
  for (let sweep = 0; sweep < PLACE_SWEEPS; sweep++) {
    const forward = sweep % 2 === 0;
    const turn = forward ? order : [...order].reverse();
    // Later sweeps move less, so that the picture settles.
    const pull = 0.98 ** sweep;
    for (const column of turn) {
      for (const node of column) {
        const wanted = barycenter((forward ? before : behind)[node]!, middle);
        if (wanted !== undefined) middle[node]! += (wanted - middle[node]!) * pull;
      }
      keepApart(column, middle, heights, height, padding);
    }
  }
  return heights.map((own, node) => middle[node]! - own / 2);
}

function keepApart(
  column: readonly number[],
  middle: Float64Array,
  heights: readonly number[],
  height: number,
  padding: number,
): void {
  let edge = 0;
  for (const node of column) {
    middle[node] = Math.max(middle[node]!, edge + heights[node]! / 2);
    edge = middle[node]! + heights[node]! / 2 + padding;
  }
  edge = height;
  for (const node of [...column].reverse()) {
    middle[node] = Math.min(middle[node]!, edge - heights[node]! / 2);
    edge = middle[node]! - heights[node]! / 2 - padding;
  }
}

/** Where links leave and enter: in the order of their other ends, from the top of the node on. */
function placeLinks(
  nodes: readonly SankeyNode[],
  links: readonly SankeyLink[],
  tops: readonly number[],
  heights: readonly number[],
  scale: number,
): { sourceY: number; targetY: number; width: number }[] {
  const middle = tops.map((top, i) => top + heights[i]! / 2);
  const placed = links.map(({ value }) => ({ sourceY: 0, targetY: 0, width: value * scale }));
  const leaving: number[][] = nodes.map(() => []);
  const entering: number[][] = nodes.map(() => []);
  links.forEach(({ source, target }, i) => {
    leaving[source]!.push(i);
    entering[target]!.push(i);
  });
  nodes.forEach((_, node) => {
    let y = tops[node]!;
    for (const i of leaving[node]!.sort((a, b) => middle[links[a]!.target]! - middle[links[b]!.target]! || a - b)) {
      placed[i]!.sourceY = y + placed[i]!.width / 2;
      y += placed[i]!.width;
    }
    y = tops[node]!;
    for (const i of entering[node]!.sort((a, b) => middle[links[a]!.source]! - middle[links[b]!.source]! || a - b)) {
      placed[i]!.targetY = y + placed[i]!.width / 2;
      y += placed[i]!.width;
    }
  });
  return placed;
}
