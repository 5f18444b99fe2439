import { describe, expect, test } from "bun:test";
import { buildStepGraph } from "../../../lib/view/step-graph.ts";
import { countCrossings, layoutSankey, type SankeyLink, type SankeyNode } from "../../../lib/view/sankey.ts";
import { seededRandom } from "../../support/random.ts";

const OPTIONS = { height: 600, padding: 14, nodeLeast: 3 };

function randomGraph(seed: string): { nodes: SankeyNode[]; links: SankeyLink[] } {
  const random = seededRandom(seed);
  const sessions = Array.from({ length: 1 + random.int(400) }, () =>
    Array.from({ length: 1 + random.int(9) }, () => random.zipf(1.7, 40)),
  );
  const graph = buildStepGraph(sessions, { steps: 8, top: 8 });
  return {
    nodes: graph.nodes.map(({ step, sessions: value }) => ({ column: step, value })),
    links: graph.links.map(({ source, target, sessions: value }) => ({ source, target, value })),
  };
}

describe("layoutSankey", () => {
  test("nodes of a column stay apart and inside, bands inside their nodes", () => {
    for (let round = 0; round < 60; round++) {
      const { nodes, links } = randomGraph(`sankey ${round}`);
      const layout = layoutSankey(nodes, links, OPTIONS);
      const columns = Map.groupBy(nodes.keys(), i => nodes[i]!.column);
      for (const column of columns.values()) {
        const order = column.sort((a, b) => layout.nodes[a]!.y - layout.nodes[b]!.y);
        order.forEach((node, i) => {
          const { y, height } = layout.nodes[node]!;
          expect(y).toBeGreaterThanOrEqual(-1e-6);
          expect(y + height).toBeLessThanOrEqual(OPTIONS.height + 1e-6);
          expect(height).toBeGreaterThanOrEqual(OPTIONS.nodeLeast);
          const next = layout.nodes[order[i + 1]!];
          if (next !== undefined) expect(next.y - y - height).toBeGreaterThanOrEqual(OPTIONS.padding - 1e-6);
        });
      }
      links.forEach(({ source, target, value }, i) => {
        const { sourceY, targetY, width } = layout.links[i]!;
        expect(width).toBeCloseTo(value * layout.scale, 6);
        for (const [node, y] of [
          [source, sourceY],
          [target, targetY],
        ] as const) {
          expect(y - width / 2).toBeGreaterThanOrEqual(layout.nodes[node]!.y - 1e-6);
          expect(y + width / 2).toBeLessThanOrEqual(layout.nodes[node]!.y + layout.nodes[node]!.height + 1e-6);
        }
      });
    }
  });

  test("crosses less than nodes in the order of their values do", () => {
    let before = 0;
    let after = 0;
    for (let round = 0; round < 40; round++) {
      const { nodes, links } = randomGraph(`crossings ${round}`);
      const layout = layoutSankey(nodes, links, OPTIONS);
      const columns = [...Map.groupBy(nodes.keys(), i => nodes[i]!.column).values()];
      const sorted = (rank: (i: number) => number) =>
        columns.map(column => [...column].sort((a, b) => rank(a) - rank(b)));
      before += countCrossings(columns, links, nodes);
      after += countCrossings(
        sorted(i => layout.nodes[i]!.y),
        links,
        nodes,
      );
    }
    expect(after).toBeLessThan(before * 0.65);
  });

  test("two ways that cross are untangled", () => {
    const nodes = [0, 0, 1, 1].map((column, i) => ({ column, value: 10 - i }));
    const links = [
      { source: 0, target: 3, value: 7 },
      { source: 1, target: 2, value: 8 },
    ];
    const layout = layoutSankey(nodes, links, OPTIONS);
    expect(layout.nodes[0]!.y < layout.nodes[1]!.y).toBe(layout.nodes[3]!.y < layout.nodes[2]!.y);
  });

  test("lays out one node, and none", () => {
    expect(layoutSankey([], [], OPTIONS).nodes).toEqual([]);
    expect(layoutSankey([{ column: 0, value: 5 }], [], OPTIONS).nodes).toEqual([{ y: 0, height: 600 }]);
  });
});
