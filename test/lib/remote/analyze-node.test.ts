import { describe, expect, test } from "bun:test";
import type { Node } from "../../../lib/remote/nodes.ts";
import type { LineCounts, SourceInfo } from "../../../lib/events/source.ts";
import { type AnalyzedNode, leaveOutShared, type NodeLog } from "../../../lib/remote/analyze-node.ts";
import type { Outcome } from "../../../lib/remote/fleet.ts";
import { buildReduced } from "../../support/build.ts";

const COUNTS: LineCounts = { lines: 3, events: 2, repaired: 0, rejected: 1, pending: 0 };

/** A log whose text is all in its name: the first letter is its first line. */
function log(text: string, path = `/logs/${text}`): NodeLog {
  const source = { path, sizeBytes: text.length, headHash: text[0]!, wholeHash: text, counts: COUNTS };
  return { source: source as SourceInfo, remotePath: path };
}

function outcome(name: string, place: "node" | "here", logs: readonly NodeLog[]): Outcome<AnalyzedNode> {
  const counts = Object.fromEntries(Object.entries(COUNTS).map(([key, n]) => [key, n * logs.length]));
  const value: AnalyzedNode = {
    place,
    logCount: logs.length,
    reused: 0,
    leftOut: 0,
    damaged: 0,
    counts: counts as unknown as LineCounts,
    textBytes: logs.reduce((sum, { source }) => sum + source.sizeBytes, 0),
    wireBytes: 10,
    failed: [],
    logs,
    empty: [],
    table: place === "node" ? buildReduced([]) : undefined,
    rejects: logs.map(({ source: { path } }) => ({ path, json: `{"source":"${path}"}\n` })),
  };
  return { node: { name } as Node, seconds: 1, value };
}

/** Nodes that answer truly, and count again what they are asked to, or something else. */
function fleet(recount?: (i: number) => Outcome<AnalyzedNode>) {
  const notices: string[] = [];
  const counted: [number, string[]][] = [];
  return {
    notices,
    counted,
    options: {
      onNotice: (line: string) => void notices.push(line),
      ask: async (questions: readonly { log: NodeLog; bytes: number }[]) =>
        questions.map(({ log: { source }, bytes }) => Buffer.from(source.wholeHash.slice(0, bytes))),
      async again(kept: ReadonlyMap<number, ReadonlySet<string>>) {
        for (const [i, paths] of kept) counted.push([i, [...paths]]);
        return new Map(
          [...kept].map(([i, paths]) => [
            i,
            recount?.(i) ??
              outcome(
                `n${i}`,
                "node",
                [...paths].map(path => log(path.slice(6))),
              ),
          ]),
        );
      },
    },
  };
}

const textsOf = (outcomes: readonly Outcome<AnalyzedNode>[]) =>
  outcomes.map(({ value, error }) => error ?? value!.logs.map(({ source }) => source.wholeHash).join(" "));

describe("leaveOutShared", () => {
  test("of states of a log the longest stays, of equal ones the first node's; nobody is asked for nothing", async () => {
    const { options, counted } = fleet();
    const nodes = [
      outcome("a", "here", [log("x1"), log("y12")]),
      outcome("b", "here", [log("x12"), log("y12"), log("z")]),
    ];
    const settled = await leaveOutShared(nodes, options);
    expect(textsOf(settled)).toEqual(["y12", "x12 z"]);
    expect(
      settled.map(({ value }) => [value!.logCount, value!.leftOut, value!.counts.events, value!.textBytes]),
    ).toEqual([
      [1, 1, 2, 3],
      [2, 1, 4, 4],
    ]);
    expect(counted).toEqual([]);
    const alone = { ...options, ask: () => Promise.reject(new Error("asked")) };
    expect(textsOf(await leaveOutShared([nodes[0]!, outcome("c", "here", [log("z")])], alone))).toEqual([
      "x1 y12",
      "z",
    ]);
  });

  test("a node that has counted counts again, what is left of it and no more", async () => {
    const { options, counted, notices } = fleet();
    const nodes = [outcome("a", "here", [log("x12")]), outcome("b", "node", [log("x1"), log("y"), log("z")])];
    const settled = await leaveOutShared(nodes, options);
    expect(counted).toEqual([[1, ["/logs/y", "/logs/z"]]]);
    expect(textsOf(settled)).toEqual(["x12", "y z"]);
    const { leftOut, wireBytes, rejects } = settled[1]!.value!;
    expect([leftOut, wireBytes, rejects.map(({ path }) => path)]).toEqual([1, 20, ["/logs/y", "/logs/z"]]);
    expect(notices).toEqual(['b: left out "/logs/x1": it holds the beginning of "/logs/x12" of a']);
  });

  test("a node that has nothing left is not asked again", async () => {
    const { options, counted, notices } = fleet();
    const logs = ["v", "w", "x", "y", "z"].map(text => log(text));
    const settled = await leaveOutShared([outcome("a", "node", logs), outcome("b", "node", logs)], options);
    expect(textsOf(settled)).toEqual(["v w x y z", ""]);
    expect(counted).toEqual([]);
    expect(notices).toEqual(['b: left out 5 logs that a holds as well, "/logs/v", "/logs/w", "/logs/x" and 2 more']);
  });

  test("a node that fails when it is asked again has failed; so has one whose logs were renamed", async () => {
    const nodes = [outcome("a", "here", [log("x12")]), outcome("b", "node", [log("x1"), log("y")])];
    const broken = fleet(() => ({ node: { name: "b" } as Node, seconds: 1, error: "the connection broke" }));
    expect(textsOf(await leaveOutShared(nodes, broken.options))).toEqual(["x12", "the connection broke"]);
    const renamed = fleet(() => outcome("b", "node", [log("x1", "/logs/y")]));
    expect(textsOf(await leaveOutShared(nodes, renamed.options))).toEqual([
      "x12",
      "its logs were renamed while they were read",
    ]);
  });

  test("a node that has failed shares nothing", async () => {
    const { options } = fleet();
    const failed = { node: { name: "a" } as Node, seconds: 1, error: "no way" };
    expect(textsOf(await leaveOutShared([failed, outcome("b", "here", [log("x")])], options))).toEqual(["no way", "x"]);
  });
});
