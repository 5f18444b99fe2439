import { describe, expect, test } from "bun:test";
import type { Node } from "../../../lib/remote/nodes.ts";
import type { LineCounts, SourceInfo } from "../../../lib/events/source.ts";
import type { AnalyzedNode, NodeLog } from "../../../lib/remote/analyze-node.ts";
import { leaveOutShared } from "../../../lib/remote/shared-logs.ts";
import type { Outcome } from "../../../lib/remote/fleet.ts";
import { toReducedRows } from "../../../lib/reduced/reduced-arrow.ts";
import { buildReduced, type LiteralRow } from "../../support/build.ts";

const COUNTS: LineCounts = { lines: 3, events: 2, repaired: 0, rejected: 1, pending: 0 };

/** A log whose text is all in its name: the first letter is its first line. */
function log(text: string, path = `/logs/${text}`): NodeLog {
  const source = { path, sizeBytes: text.length, headHash: text[0]!, wholeHash: text, counts: COUNTS };
  return { source: source as SourceInfo, remotePath: path };
}

/** A log that was read here. */
function readHere(text: string, rows: LiteralRow[]): NodeLog {
  return { ...log(text), rows: toReducedRows(buildReduced(rows)) };
}

function outcome(
  name: string,
  place: "node" | "here",
  logs: readonly NodeLog[],
  rows: LiteralRow[] = [],
): Outcome<AnalyzedNode> {
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
    hasEmpty: false,
    table: place === "node" ? buildReduced(rows) : undefined,
    rejects: logs.map(({ source: { path } }) => ({ path, json: `{"source":"${path}"}\n` })),
  };
  return { node: { name } as Node, seconds: 1, value };
}

/** Nodes that answer truly, and count again what they are asked to, or something else. */
function fleet(recount?: (i: number) => Outcome<AnalyzedNode>) {
  const notices: string[] = [];
  const problems: string[] = [];
  const counted: [number, string[]][] = [];
  return {
    notices,
    problems,
    counted,
    options: {
      onNotice: (line: string) => void notices.push(line),
      onProblem: (line: string) => void problems.push(line),
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

  const login = (sensor: string, password: string, count: number, success = 0): LiteralRow => {
    return { kind: "login", date: "2024-01-01", sensor, key: { username: "root", password }, count, success };
  };
  const TRUE = [login("s", "123", 5, 1), login("s", "456", 2)];
  const LIES: [what: string, rows: LiteralRow[], lacks: number][] = [
    ["nothing", [], 7],
    ["something else", [login("s", "evil", 7)], 7],
    ["fewer", [login("s", "123", 4, 1), login("s", "456", 2)], 1],
    ["other sensors'", [login("t", "123", 5, 1), login("t", "456", 2)], 7],
    ["no success", [login("s", "123", 5), login("s", "456", 2)], 1],
  ];
  test.each(LIES)("a node that says it has a log and counts %s does not take it from another", async (_what, rows, lacks) => {
    const liars = [outcome("a", "node", [log("x12")], rows), outcome("a", "here", [readHere("x12", rows)])];
    const honest = [outcome("b", "node", [log("x12")], TRUE), outcome("b", "here", [readHere("x12", TRUE)])];
    for (const liar of liars) {
      for (const other of honest) {
        const { options, notices, problems } = fleet();
        expect(await leaveOutShared([liar, other], options)).toEqual([liar, other]);
        const events = lacks === 1 ? "1 event" : `${lacks} events`;
        expect([notices, problems]).toEqual([
          [],
          [`b: 1 log that a would hold as well, "/logs/x12" the first: the counts there lack ${events} of them, so both count`],
        ]);
        // With all that it counts, and whatever else, it may.
        const { options: others } = fleet();
        const true_ = outcome("a", "node", [log("x12"), log("y")], [...TRUE, login("s", "789", 1), login("t", "123", 3)]);
        expect(textsOf(await leaveOutShared([true_, other], others))).toEqual(["x12 y", ""]);
      }
    }
  });

  test("what a node counts of logs that another has is what it counts less of the others", async () => {
    const own = login("s", "own", 9);
    const logs = [log("x1"), log("y")];
    const recount = () => outcome("b", "node", [log("y")], [own]);
    for (const [rows, texts] of [
      [TRUE, ["x12", "y"]],
      [[own], ["x12", "x1 y"]],
    ] as const) {
      const { options, problems } = fleet(recount);
      const nodes = [outcome("a", "node", [log("x12")], [...rows]), outcome("b", "node", logs, [...TRUE, own])];
      const settled = await leaveOutShared(nodes, options);
      expect(textsOf(settled)).toEqual([...texts]);
      expect(problems).toHaveLength(texts[1] === "y" ? 0 : 1);
      expect(settled[1]!.value!.wireBytes).toBe(20);
    }
  });

  test("an event of a line that a rotation has cut may be counted at one node only", async () => {
    const cut = { ...log("x12"), source: { ...log("x12").source, tail: '{"event' } };
    const { options, problems } = fleet();
    const nodes = [outcome("a", "node", [cut], TRUE), outcome("b", "node", [cut], [...TRUE, login("s", "seam", 1)])];
    expect(textsOf(await leaveOutShared(nodes, options))).toEqual(["x12", ""]);
    expect(problems).toEqual([]);
  });

  test("a node that has failed shares nothing", async () => {
    const { options } = fleet();
    const failed = { node: { name: "a" } as Node, seconds: 1, error: "no way" };
    expect(textsOf(await leaveOutShared([failed, outcome("b", "here", [log("x")])], options))).toEqual(["no way", "x"]);
  });
});
