import { describe, expect, test } from "bun:test";
import { buildStepGraph, REST, type StepGraph, thinGraph } from "../../../lib/view/step-graph.ts";
import { seededRandom } from "../../support/random.ts";

/** Random sessions of few commands, so that loops, repeats and equal chains are frequent. */
function randomSessions(seed: string): number[][] {
  const random = seededRandom(seed);
  return Array.from({ length: random.int(200) }, () =>
    Array.from({ length: random.int(12) }, () => random.zipf(1.8, 30)),
  );
}

/** What flows into a node flows out of it, ends there, or goes on. */
function breaches({ nodes, links, sessions, steps }: StepGraph): string[] {
  const into = nodes.map(() => 0);
  const out = nodes.map(() => 0);
  for (const link of links) {
    into[link.target]! += link.sessions;
    out[link.source]! += link.sessions;
  }
  const faults = nodes.flatMap((node, i) => [
    ...(node.step > 0 && into[i] !== node.sessions ? [`${i}: ${into[i]} come in, ${node.sessions} are there`] : []),
    ...(out[i]! + node.ended + node.continued !== node.sessions ? [`${i}: ${node.sessions} do not come out`] : []),
    ...(node.continued > 0 && node.step !== steps - 1 ? [`${i}: goes on before the last position`] : []),
  ]);
  const sum = (pick: (node: StepGraph["nodes"][number]) => number) =>
    nodes.reduce((total, node) => total + pick(node), 0);
  if (sum(node => (node.step === 0 ? node.sessions : 0)) !== sessions) faults.push("not all begin");
  if (sum(node => node.ended + node.continued) !== sessions) faults.push("not all end or go on");
  return faults;
}

describe("buildStepGraph", () => {
  test("merges repeats, keeps loops apart by position, shows where sessions end", () => {
    const graph = buildStepGraph([[7, 7, 8, 7], [7, 8], [9]], { steps: 8, top: 10 });
    expect(graph).toEqual({
      sessions: 3,
      steps: 3,
      nodes: [
        { step: 0, command: 7, sessions: 2, ended: 0, continued: 0, commands: 1 },
        { step: 0, command: 9, sessions: 1, ended: 1, continued: 0, commands: 1 },
        { step: 1, command: 8, sessions: 2, ended: 1, continued: 0, commands: 1 },
        { step: 2, command: 7, sessions: 1, ended: 1, continued: 0, commands: 1 },
      ],
      links: [
        { source: 0, target: 2, sessions: 2 },
        { source: 2, target: 3, sessions: 1 },
      ],
      paths: [
        { nodes: [0, 2], sessions: 1 },
        { nodes: [0, 2, 3], sessions: 1 },
        { nodes: [1], sessions: 1 },
      ],
      chains: [
        { commands: [7, 8], isCut: false, sessions: 1 },
        { commands: [7, 8, 7], isCut: false, sessions: 1 },
        { commands: [9], isCut: false, sessions: 1 },
      ],
    });
  });

  test("groups what is behind the top, but not a single command", () => {
    const three = buildStepGraph([[1], [1], [2], [3]], { steps: 1, top: 1 });
    expect(three.nodes.map(({ command, commands, sessions }) => [command, commands, sessions])).toEqual([
      [1, 1, 2],
      [REST, 2, 2],
    ]);
    const two = buildStepGraph([[1], [1], [2]], { steps: 1, top: 1 });
    expect(two.nodes.map(({ command }) => command)).toEqual([1, 2]);
  });

  test("sessions longer than the positions go on; repeats of the last do not count", () => {
    const { nodes } = buildStepGraph(
      [
        [1, 2, 3],
        [1, 2, 2],
      ],
      { steps: 2, top: 5 },
    );
    expect(nodes.at(-1)).toEqual({ step: 1, command: 2, sessions: 2, ended: 1, continued: 1, commands: 1 });
  });

  test("of nothing is nothing", () => {
    const nothing = { sessions: 0, steps: 0, nodes: [], links: [], paths: [], chains: [] };
    expect(buildStepGraph([], { steps: 8, top: 12 })).toEqual(nothing);
    expect(buildStepGraph([[]], { steps: 8, top: 12 })).toEqual(nothing);
  });

  test("what flows into a node flows out, ends or goes on, on any sessions", () => {
    for (let round = 0; round < 200; round++) {
      const random = seededRandom(`options ${round}`);
      const options = { steps: 1 + random.int(10), top: 1 + random.int(8) };
      expect({ round, faults: breaches(buildStepGraph(randomSessions(`law ${round}`), options)) }).toEqual({
        round,
        faults: [],
      });
    }
  });

  test("counts as one would by hand, one session after the other", () => {
    for (let round = 0; round < 100; round++) {
      const sessions = randomSessions(`plain ${round}`);
      const [steps, top] = [6, 3];
      const graph = buildStepGraph(sessions, { steps, top });
      const ways = sessions
        .map(codes => codes.filter((code, i) => code !== codes[i - 1]).slice(0, steps))
        .filter(codes => codes.length > 0);
      const own = graph.nodes.map(({ step, command }) => `${step}:${command}`);
      const nodeAt = (way: number[], step: number) => {
        const at = own.indexOf(`${step}:${way[step]}`);
        return at >= 0 ? at : own.indexOf(`${step}:${REST}`);
      };
      const counted = new Map<string, number>();
      for (const way of ways) {
        for (let step = 1; step < way.length; step++) {
          const key = `${nodeAt(way, step - 1)}>${nodeAt(way, step)}`;
          counted.set(key, (counted.get(key) ?? 0) + 1);
        }
      }
      expect(new Map(graph.links.map(({ source, target, sessions: n }) => [`${source}>${target}`, n]))).toEqual(
        counted,
      );
      expect(graph.nodes.map(({ sessions: n }) => n)).toEqual(
        own.map((_, i) => ways.filter(way => way.some((_code, step) => nodeAt(way, step) === i)).length),
      );
    }
  });
});

describe("thinGraph", () => {
  test("hides and counts; no link that is shown loses an end", () => {
    const graph = buildStepGraph([[1, 2], [1, 2], [1, 3], [4]], { steps: 4, top: 9 });
    const thinned = thinGraph(graph, 2);
    expect(thinned).toMatchObject({ hiddenNodes: 2, hiddenLinks: 1, hiddenSessions: 1 });
    for (let round = 0; round < 50; round++) {
      const random = buildStepGraph(randomSessions(`thin ${round}`), { steps: 6, top: 4 });
      const { nodes, links } = thinGraph(random, 4);
      const shown = new Set(nodes);
      expect(links.every(i => shown.has(random.links[i]!.source) && shown.has(random.links[i]!.target))).toBe(true);
    }
  });

  test("a threshold of one hides nothing", () => {
    const graph = buildStepGraph(randomSessions("all"), { steps: 5, top: 4 });
    expect(thinGraph(graph, 1)).toMatchObject({ hiddenNodes: 0, hiddenLinks: 0, hiddenSessions: 0 });
  });
});
