/** What happened, in both pages: sentences, lanes, table; inert whatever attackers wrote; as the filter leaves it. */
import { describe, expect, test } from "bun:test";
import { findEpisodes } from "../../../lib/history/episodes.ts";
import { type StatsAnswer, statsHere, statsTasks } from "../../../lib/pages/stats-run.ts";
import { everything } from "../../../lib/view/cells.ts";
import { toMarkupText } from "../../../lib/view/markup.ts";
import { chooseSentences, rowsWithin, sentencesMarkup, timelineChart, toHistoryData, toMarks } from "../../../lib/view/report-history.ts";
import { toIsoDay } from "../../../lib/text/format.ts";
import { buildReduced, type LiteralRow } from "../../support/build.ts";
import { bodyOf, renderReport } from "../../support/report.ts";

const FIRST = Date.parse("2026-03-01") / 86_400_000;
const HOSTILE = "</script><img src=x onerror=alert(1)>\u001b[2J";

/** Forty days of two sensors: a credential of ten addresses a day from the 25th on, an address that makes a day. */
function rows(): LiteralRow[] {
  return Array.from({ length: 40 }, (_, day): LiteralRow[] => {
    const date = toIsoDay(FIRST + day);
    return ["a", "b"].flatMap((sensor): LiteralRow[] => {
      const from = Array.from({ length: 10 }, (_, i) => `192.0.2.${(day * 7 + i) % 250}`);
      const usual: LiteralRow[] = Array.from({ length: 24 }, (_, hour) => {
        const us = Date.parse(date) * 1000 + (hour + 0.5) * 3_600_000_000;
        const key = { eventid: "cowrie.session.connect", hour };
        return { kind: "event", date, sensor, key, count: 9, from, firstSeenUs: us, lastSeenUs: us };
      });
      if (day >= 25) usual.push({ kind: "login", date, sensor, key: { username: "root", password: HOSTILE }, count: 12, from });
      if (day === 10 && sensor === "a") usual.push({ kind: "connect", date, sensor, key: { src_ip: "198.51.100.9", dst_port: 22 }, count: 500 });
      return usual;
    });
  }).flat();
}

const TABLE = buildReduced(rows());
const EPISODES = findEpisodes(TABLE);
const GRID = { firstDay: FIRST, days: 40, sensors: 2 };
const DATA = toHistoryData(EPISODES, GRID, ["a", "b"]);
const filter = (first: number, last: number, sensors = [1, 1]) => ({
  range: { first: FIRST + first, last: FIRST + last },
  sensors: Uint8Array.from(sensors),
});

describe("what a page carries", () => {
  test("sentences, each with its line; the filter leaves those of its days and sensors", () => {
    expect(DATA.found).toBe(EPISODES.length);
    const told = chooseSentences(DATA, everything(GRID));
    expect(told.map(({ first, basis }) => [first - FIRST, basis])).toEqual([[25, "tested"], [10, "counted"]]);
    expect(told[0]!.perStep.slice(24, 27)).toEqual([0, 24, 24]);
    expect(rowsWithin(DATA, filter(12, 20))).toEqual([]);
    expect(rowsWithin(DATA, filter(10, 10)).map(({ first }) => first - FIRST)).toEqual([10]);
    expect(rowsWithin(DATA, filter(10, 10, [0, 1]))).toEqual([]);
    expect(toMarks(told)).toEqual([{ nth: 1, first: FIRST + 25, last: FIRST + 39 }, { nth: 2, first: FIRST + 10, last: FIRST + 10 }]);
  });

  test("a lane an episode, newest on top; what goes on is open at its end", () => {
    const text = toMarkupText(timelineChart(DATA.rows, { first: FIRST, last: FIRST + 39 }, 1000, row => DATA.rows.indexOf(row)).svg);
    expect(text.match(/class="lane /g)).toHaveLength(DATA.rows.length);
    expect(text.indexOf("lane tested began")).toBeLessThan(text.indexOf("lane counted burst"));
    expect(text.match(/class="open"/g)).toHaveLength(1);
  });

  test("texts of attackers stay text", () => {
    const text = sentencesMarkup(chooseSentences(DATA, everything(GRID)), () => 0).map(toMarkupText).join("");
    expect(text).not.toContain("<img");
    expect(text).not.toContain("\u001b");
    expect(text).toContain("&lt;/script&gt;&lt;img src=x");
  });
});

describe("in the pages", () => {

  test("result.html tells it first, then its lanes and its table; without episodes it has neither", () => {
    const options = { topN: 5, thresholdPercent: 20, lastDays: 7 };
    const body = bodyOf(renderReport(TABLE, { ...options, episodes: EPISODES }));
    expect(body).toContain('<ol class="story">');
    expect(body).toContain('id="history"');
    expect(body.match(/<li class="told/g)).toHaveLength(2);
    expect(body).not.toContain("<img");
    const plain = bodyOf(renderReport(TABLE, options));
    expect(plain).not.toContain('class="story"');
    expect(plain).not.toContain('id="history"');
    expect(plain).toContain('id="activity"');
  });

  test("stats.html has a section of it, with the same episodes as the run hands on", async () => {
    const { html, episodes } = await statsHere({ table: TABLE, options: { thresholdPercent: 20, lastDays: 7 } });
    expect(episodes).toEqual(EPISODES);
    const body = bodyOf(html);
    expect(body).toContain("What happened when?");
    expect(body.match(/class="lane /g)).toHaveLength(EPISODES.length);
    expect(body).not.toContain("<img");
  });

  test("stats.html tells who made a peak as the report does, in this thread and in another", async () => {
    const request = { table: TABLE, options: { thresholdPercent: 20, lastDays: 7 } };
    const leader = { activity: "logins", day: FIRST + 26, total: 24, address: "203.0.113.5", count: 20, sensors: ["a"] } as const;
    const { html, episodes } = await statsHere(request, Promise.resolve([leader]));
    expect(episodes).toEqual(EPISODES);
    expect(bodyOf(html)).toContain("203.0.113.5");
    expect(bodyOf(html).match(/class="lane /g)).toHaveLength(EPISODES.length + 1);
    const answer = statsTasks();
    expect(((await answer(request)) as Exclude<StatsAnswer, string>).episodes).toEqual(EPISODES);
    expect(await answer({ leaders: [leader] })).toBe(html);
  });
});
