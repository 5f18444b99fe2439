import { expect, test } from "bun:test";
import { findSeams, settleSeams } from "../../../lib/reduced/joined-lines.ts";
import type { SourceInfo } from "../../../lib/events/source.ts";

const NOON_US = Date.UTC(2024, 2, 1, 12) * 1000;
const HOUR_US = 3_600_000_000;
const COUNTS = { lines: 9, events: 5, repaired: 1, rejected: 2, pending: 1 };

/** A log whose events lie between two hours, counted from noon. */
const log = (path: string, first: number, last: number, halves: { head?: string; tail?: string } = {}): SourceInfo => ({
  path,
  sizeBytes: 1,
  headHash: path,
  wholeHash: path,
  counts: COUNTS,
  firstSeenUs: NOON_US + first * HOUR_US,
  lastSeenUs: NOON_US + last * HOUR_US,
  ...halves,
});

/** A line of an hour, cut in two. */
function halvesOf(hour: number): { tail: string; head: string } {
  const timestamp = new Date((NOON_US + hour * HOUR_US) / 1000).toISOString();
  const line = JSON.stringify({ eventid: "cowrie.session.connect", timestamp, session: "s", sensor: "a", src_ip: "192.0.2.1" });
  return { tail: line.slice(0, 40), head: line.slice(40) };
}

async function joined(...sources: SourceInfo[]): Promise<(readonly [string, string])[]> {
  const seams = await findSeams(sources);
  for (const { table } of seams) expect(table.rows).toBe(1);
  seams.forEach(({ table }) => table.close());
  return seams.map(({ before, after }) => [before.path, after.path] as const);
}

test("a half is joined to the log of its folder that begins next, whatever the order and number of logs", async () => {
  const cut = [10, 20, 30, 40, 50].map(halvesOf);
  const logs = [0, 10, 20, 30, 40, 50].map((first, i) =>
    log(`a/${i}`, first, first + 10, { ...(i < 5 && { tail: cut[i]!.tail }), ...(i > 0 && { head: cut[i - 1]!.head }) }),
  );
  const expected = [0, 1, 2, 3, 4].map(i => [`a/${i}`, `a/${i + 1}`] as const);
  expect(await joined(...logs)).toEqual(expected);
  expect((await joined(...logs.toReversed())).sort()).toEqual(expected);
  const far = { ...logs[1]!, path: "b/1" };
  expect(await joined(logs[0]!, far)).toEqual([]);
});

test("the event must lie between its neighbours, give or take an hour", async () => {
  const at = async (hour: number, first = 10) => {
    const { tail, head } = halvesOf(hour);
    return (await joined(log("a", 0, 10, { tail }), log("b", first, 20, { head }))).length;
  };
  expect(await Promise.all([at(9), at(8.9), at(11), at(11.1)])).toEqual([1, 0, 1, 0]);
  // The next log may begin an hour before the first half's log ends, no sooner.
  expect(await Promise.all([at(10, 9), at(10, 8.9)])).toEqual([1, 0]);
});

test("what gives no event, or no two halves, is no cut line", async () => {
  const { tail, head } = halvesOf(10);
  const next = log("b", 10, 20, { head });
  expect(await joined(log("a", 0, 10, { tail: "{" }), next)).toEqual([]);
  expect(await joined(log("a", 0, 10), next)).toEqual([]);
  expect(await joined(log("a", 0, 10, { tail }), log("b", 10, 20))).toEqual([]);
  // Each half once.
  expect(await joined(log("a", 0, 10, { tail }), log("a2", 0, 10, { tail }), next)).toEqual([["a", "b"]]);
  // Its own head is not what a log's tail is joined to.
  expect(await joined(log("a", 10, 10.5, { tail, head }))).toEqual([]);
});

test("counts say that two halves became one event", async () => {
  const { tail, head } = halvesOf(10);
  const [a, b, c] = [log("a", 0, 10, { tail }), log("b", 10, 20, { head, tail: "{" }), log("c", 30, 31, { tail, head })] as const;
  const seams = await findSeams([a, b, c]);
  seams.forEach(({ table }) => table.close());
  const [first, second, third] = settleSeams([a, b, c], seams);
  expect(first).toEqual({ ...log("a", 0, 10), counts: { ...COUNTS, pending: 0, repaired: 2 } });
  expect(second).toEqual({ ...log("b", 10, 20, { tail: "{" }), counts: { ...COUNTS, rejected: 1 } });
  expect(third).toBe(c);
  const settled = settleSeams([{ ...a, counts: { ...COUNTS, pending: 0 } }], seams);
  expect(settled[0]!.counts).toEqual({ ...COUNTS, pending: 0 });
  const rejected = { ...a, counts: { ...COUNTS, pending: 0 } };
  expect(settleSeams([rejected], [{ ...seams[0]!, before: rejected }])[0]!.counts).toEqual({ ...COUNTS, pending: 0, rejected: 1, repaired: 2 });
});
