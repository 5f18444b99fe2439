/** What else the first screen tells: which changes and novelties become sentences, which of all sentences are chosen. */
import { describe, expect, test } from "bun:test";
import type { Episode } from "../../../lib/history/episodes.ts";
import { findMoreToTell } from "../../../lib/pages/more-to-tell.ts";
import { toMarkupText } from "../../../lib/view/markup.ts";
import type { Statistics } from "../../../lib/statistics/statistics.ts";
import { chooseSentences, type HistoryData, type HistoryRow, placeOf, rowAt, sentencesMarkup } from "../../../lib/view/report-history.ts";
import type { Scope } from "../../../lib/view/report-view.ts";

const FIRST = Date.parse("2026-03-01") / 86_400_000;
const LAST = FIRST + 39;
const SENSORS = ["a", "b"];
const HASH = "1d06afbbe8c8b9f45563b94edf47372ed748ce83efa11df5e28bfb98eb2e89b0";
const SCOPE = { data: { grid: { firstDay: FIRST, days: 40, sensors: 2 }, sensors: SENSORS, sections: [] }, watched: new Float64Array(40).fill(1) } as unknown as Scope;

const CHANGE = { view: "period", sensor: null, kind: "login", key: ["root", "x"], unit: "events", firstDay: LAST - 6, lastDay: LAST, count: 30, expected: 4.25, ratio: 7, low: 3, high: 12, category: "up", reported: true, disagrees: false, sensorsSeen: 2, sensorsUp: 2 };
const change = (more: object) => ({ ...CHANGE, ...more });
const fresh = (type: string, value: string, sensors: string[]) => ({ type, value: [value], count: 3, sensors: sensors.map(sensor => ({ sensor })) });
function statistics(changes: object[], entries: ReturnType<typeof fresh>[] = []): Statistics {
  const totals = ["hash", "sshKey", "urlHost"].map(type => ({ type, new: entries.filter(entry => entry.type === type).length }));
  return { changes, sensors: SENSORS, lastDay: LAST, novelty: { sinceDay: LAST - 6, totals, new: entries } } as unknown as Statistics;
}
const textOf = ({ sentence }: HistoryRow) => sentence.map((text, i) => (i % 2 === 1 ? `[${text}]` : text)).join("");
const tell = (given: Statistics, episodes: Partial<Episode>[] = []) => findMoreToTell(SCOPE, given, episodes as Episode[]);

test("a campaign that made most of its days comes before changes, but not beside an episode of its commands", () => {
  const leading = { name: "<b>otter", first: FIRST, last: FIRST + 6, typed: 587, all: 614, addresses: 411, sensors: ["a"], commands: ["uname -a"], perDay: [80, 90, 80, 90, 80, 90, 77] };
  const keys = [{ family: "command", values: ["uname -a"] }] as unknown as Episode["keys"];
  const [row, after] = findMoreToTell(SCOPE, statistics([change({})]), [{ first: FIRST + 3, last: FIRST + 4, keys }] as Episode[], leading);
  expect(textOf(row!)).toBe("1 to 7 Mar: 587 of 614 sessions with commands (95.6 %) are one campaign, [<b>otter], from 411 addresses on 1 of 2 sensors.");
  expect([row!.shape, row!.basis, row!.sensors, row!.saidBy, after!.shape]).toEqual(["campaign", "counted", [0], [0], "change"]);
  expect(row!.perStep.slice(5, 8)).toEqual([90, 77, 0]);
  const others = { rows: [], found: 0, more: [row!, after!] } satisfies HistoryData;
  const all = { range: { first: FIRST, last: LAST }, sensors: Uint8Array.of(1, 1) };
  expect(chooseSentences(others, all).map(({ shape }) => shape)).toEqual(["campaign", "change"]);
});

describe("tested changes", () => {
  test("the strongest of all days and sensors first, none twice, none of what nobody did or nobody believes", () => {
    const rows = tell(
      statistics([
        change({ kind: "event", key: ["cowrie.login.success"], low: 90 }),
        change({ key: ["root", "y"], low: 80, disagrees: true }),
        change({ key: ["root", "z"], low: 70, reported: false }),
        change({ kind: "command", key: ["ls"], view: "day", firstDay: LAST, low: 60 }),
        change({ kind: "connect", key: ["192.0.2.1", 22], count: 0, ratio: 0.01, low: 0, high: 0.02, category: "gone" }),
        change({}),
        change({ kind: "subnet", key: ["198.51.100.0/24"], low: 5, unit: "sources", category: "new" }),
        change({ kind: "username", key: ["root"], low: 2 }),
        change({ kind: "login", key: ["b", "c"], sensor: "b", category: "new here", low: 50 }),
      ]),
    );
    expect(rows.map(textOf)).toEqual([
      "3 to 9 Apr: a new subnet [198.51.100.0/24], from 30 addresses (each day's) on both sensors, where 4.3 were expected.",
      "3 to 9 Apr: more of credential [root / x], 30 times on both sensors, where 4.3 were expected.",
      "3 to 9 Apr: address [192.0.2.1 port 22] is gone: none where 4.3 were expected.",
      "3 to 9 Apr: credential [b / c] is new on [b], 30 times, where 4.3 were expected.",
    ]);
    expect(rows.map(({ basis, sensors }) => [basis, sensors])).toEqual([["tested", []], ["tested", []], ["tested", []], ["tested", [1]]]);
  });

  test("episodes of the same days that tell it are named, also a script by its program", () => {
    const keys = (family: string, values: string[]) => [{ family, values }] as unknown as Episode["keys"];
    const episodes = [
      { first: FIRST, last: FIRST + 3, keys: keys("command", ["uname -a"]) },
      { first: LAST - 8, last: LAST - 5, keys: keys("command", ["uname -a"]) },
      { first: LAST, last: LAST, keys: keys("command", ["ps"]) },
    ];
    expect(tell(statistics([change({ kind: "program", key: ["uname"] })]), episodes)[0]!.saidBy).toEqual([1]);
  });
});

describe("what was new", () => {
  test("one sentence, with what episodes do not tell; of the sensors that saw it", () => {
    const entries = [fresh("hash", HASH, ["b"]), fresh("hash", "f0".repeat(32), ["b"]), fresh("sshKey", "SHA256:k", ["b"]), fresh("urlHost", "203.0.113.5", ["b"]), fresh("urlHost", "203.0.113.6", ["b"])];
    const [row] = tell(statistics([], entries));
    expect(textOf(row!)).toBe("3 to 9 Apr, seen for the first time: 2 files, first of all [1d06afbbe8c8…], 1 SSH key [SHA256:k] and 2 download hosts such as [203.0.113.5], on 1 of 2 sensors.");
    expect([row!.basis, row!.sensors]).toEqual(["counted", [1]]);
    const told = [{ keys: [{ family: "file", values: [HASH] }] }] as unknown as Episode[];
    expect(tell(statistics([], entries.slice(0, 1)), told)).toEqual([]);
    expect(tell(statistics([], entries.slice(0, 2)), told).map(textOf)[0]).toContain("2 files, first of all [f0f0f0f0f0f0…]");
  });

  test("a value stays text", () => {
    const text = sentencesMarkup(tell(statistics([change({ key: ["<img src=x>\u001b[2J", null] })], [fresh("urlHost", "</script><b>", ["a"])])), () => 0).map(toMarkupText).join("");
    expect(text).toContain("&lt;img src=x&gt;");
    expect(text).toContain("&lt;/script&gt;&lt;b&gt;");
    expect(text).not.toMatch(/<img|<b>|\u001b/);
  });
});

describe("the five sentences", () => {
  const row = (shape: HistoryRow["shape"], score: number, more: Partial<HistoryRow> = {}): HistoryRow => ({ shape, score, first: LAST - 6, last: LAST, begins: true, ends: true, basis: "counted", sensors: [], sentence: [], name: ["", ""], perStep: [], ...more });
  const attackers = [100, 90, 80, 70, 5].map(score => row("burst", score, { first: FIRST + score / 10, last: FIRST + score / 10 }));
  const outage = row("outage", 0, { basis: "sensors" });
  const silent = row("silent", 0, { basis: "sensors" });
  const change1 = row("change", 0, { saidBy: [0] });
  const change2 = row("change", 0);
  const change3 = row("change", 0);
  const firsts = row("firsts", 0, { sensors: [1] });
  const whole = { range: { first: FIRST, last: LAST }, sensors: Uint8Array.from([1, 1]) };
  const choose = (rows: HistoryRow[], more: HistoryRow[], filter = whole) => chooseSentences({ rows, found: rows.length, more }, filter);

  test("three strong episodes, then a silent sensor, a change that none of them says, what was new", () => {
    const [one, two, three, four, weak] = attackers as [HistoryRow, HistoryRow, HistoryRow, HistoryRow, HistoryRow];
    expect(choose([...attackers, outage], [change1, change2, change3, firsts])).toEqual([one, two, three, change2, firsts]);
    expect(choose([...attackers, silent], [change2, firsts])).toEqual([one, two, three, silent, change2]);
    expect(choose([...attackers, outage], [])).toEqual([one, two, three, outage, four]);
    expect(choose([one, weak, outage], [firsts])).toEqual([one, firsts, outage, weak]);
    expect(choose([one], [change2, change3, firsts])).toEqual([one, change2, firsts, change3]);
    expect(choose([], [])).toEqual([]);
  });

  test("of a part of its days or sensors nothing is said that was counted over all of them", () => {
    const part = (first: number, sensors: number[]) => ({ range: { first, last: LAST }, sensors: Uint8Array.from(sensors) });
    expect(choose([], [change2, firsts], part(LAST - 6, [1, 1]))).toEqual([change2, firsts]);
    expect(choose([], [change2, firsts], part(LAST - 6, [0, 1]))).toEqual([firsts]);
    expect(choose([], [change2, firsts], part(LAST - 5, [1, 1]))).toEqual([]);
  });

  test("each has a place by which a click finds it", () => {
    const data: HistoryData = { rows: attackers, found: 5, more: [change2, firsts] };
    for (const one of [...attackers, change2, firsts]) expect(rowAt(data, placeOf(data, one))).toBe(one);
    expect(rowAt(data, 99)).toBeUndefined();
  });
});
