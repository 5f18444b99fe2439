/** Sessions as stories: which are one, which comes first, what is told of it; under a filter; whatever was typed. */
import { describe, expect, test } from "bun:test";
import { SessionMarks } from "../../../lib/campaigns/session-marks.ts";
import { tellStories } from "../../../lib/campaigns/session-stories.ts";
import type { EventScope } from "../../../lib/events/scope.ts";
import { readSessions } from "../../../lib/logs/log-sessions.ts";
import { openTables } from "../../../lib/logs/walk-tables.ts";
import { everything } from "../../../lib/view/cells.ts";
import { toMarkupText } from "../../../lib/view/markup.ts";
import { buildStoriesData, storiesMarkup } from "../../../lib/view/report-stories.ts";
import { buildScope } from "../../../lib/view/report-view.ts";
import { buildReduced } from "../../support/build.ts";
import { type LogEvent, NOON_MS, readEvents } from "../../support/event-logs.ts";
import { buildReportData } from "../../support/report.ts";

const PLACES = { where: "/srv/logs", scripts: "/opt/kit/scripts", folders: [] };
const HASH = "ab".repeat(32);
const DAY = Math.floor(NOON_MS / 86_400_000);

/** A session that types some commands, a minute after the one before. */
function session(nth: number, commands: readonly string[], { shasum, ...rest }: { shasum?: string; src_ip?: string; sensor?: string; username?: string } = {}): LogEvent[] {
  const own = (eventid: string, second: number, more: object = {}): LogEvent => ({ eventid, at: 60 * nth + second, session: `s${nth}`, ...rest, ...more });
  return [
    own("session.connect", 0),
    own("login.success", 1, { username: rest.username ?? "root", password: "x" }),
    ...commands.map((input, i) => own("command.input", 2 + i / 10, { input })),
    ...(shasum === undefined ? [] : [own("session.file_download", 30, { shasum, url: "http://198.51.100.9/x" })]),
    own("session.closed", 40),
  ];
}

const LOG = [
  ...session(0, ["uname -a"], { src_ip: "192.0.2.1" }),
  ...session(1, ["uname -a"], { src_ip: "192.0.2.2" }),
  ...session(2, ["cd /tmp", "./a"], { src_ip: "192.0.2.3", shasum: HASH }),
  ...session(3, ["cd /tmp", "./b"], { src_ip: "192.0.2.3", shasum: HASH, sensor: "b" }),
  ...session(4, ["<img src=x onerror=alert(1)>\u001b[2J", "", "rm -rf /"], { username: "</code>" }),
  ...session(1440, ["ls"], { src_ip: "192.0.2.5" }),
];

async function tell(scope: EventScope = {}) {
  using set = await readEvents(LOG);
  const marks = new SessionMarks();
  for await (const { table } of openTables(set)) marks.take(await readSessions(table));
  return tellStories(marks.finish(), scope);
}

describe("stories", () => {
  test("what left a file comes first; who typed or left the same is one; then what the commands are for", async () => {
    const { stories, all } = await tell();
    expect(stories.map(({ session: id, commands, variants, addresses, tally }) => [id, commands[0], variants, addresses, tally.count.reduce((a, b) => a + b, 0)])).toEqual([
      ["s2", "cd /tmp", 2, 1, 2],
      ["s4", "<img src=x onerror=alert(1)>\u001b[2J", 1, 1, 1],
      ["s0", "uname -a", 1, 2, 2],
      ["s1440", "ls", 1, 1, 1],
    ]);
    expect(all).toBe(4);
    expect(stories[0]).toMatchObject({ files: [HASH], filesAll: 1, credential: ["root", "x"], address: "192.0.2.3", purpose: "execution" });
    expect((await tell({ sinceDay: DAY + 1 })).stories.map(({ session: id }) => id)).toEqual(["s1440"]);
    expect((await tell({ sensors: ["b"] })).stories.map(({ session: id, variants }) => [id, variants])).toEqual([["s3", 1]]);
  });

  async function page(filter?: { day?: number; sensors?: number[] }) {
    const row = (date: string, sensor: string) => ({ kind: "event", date, sensor, key: { eventid: "e", hour: 1 }, count: 1 }) as const;
    const data = buildReportData(buildReduced([row("2024-03-01", "a"), row("2024-03-01", "b"), row("2024-03-02", "a")]), { show: 5 });
    const all = everything(data.grid);
    const range = filter?.day === undefined ? all.range : { first: filter.day, last: filter.day };
    const scope = buildScope(data, { range, sensors: Uint8Array.from(filter?.sensors ?? [1, 1]) }, { lastDays: 7, thresholdPercent: 20 });
    return storiesMarkup(scope, buildStoriesData(await tell(), data.grid, ["a", "b"])!, PLACES).map(toMarkupText);
  }

  test("are told in a line or two, each with the command that traces its first session", async () => {
    const [first, hostile, third] = await page();
    const textOf = (markup: string) => markup.replace(/<[^>]*>/g, "");
    expect(textOf(first!)).toContain("cd /tmp → ./a2 sessions in 2 variants, from 192.0.2.3 as root / x on a: 1 file abababababab…");
    expect(first).toContain('data-copy="bun /opt/kit/scripts/trace-sid.ts -sid s2 /srv/logs"');
    expect(textOf(third!)).toContain("uname -a2 sessions, from 192.0.2.1 and 1 other address as root / x");
    expect(hostile).not.toMatch(/<img|\u001b|<\/code> \//);
    expect(hostile).toContain("&lt;img src=x");
    expect(hostile).toContain("(an empty line)");
  });

  test("those with a session on the days and sensors chosen, with as many as they have there", async () => {
    expect((await page({ day: DAY + 1 })).join("")).toContain("s1440");
    expect(await page({ day: DAY + 1 })).toHaveLength(1);
    const onB = await page({ sensors: [0, 1] });
    expect(onB).toHaveLength(1);
    expect(onB[0]).toContain("once in this selection, first of all from");
    expect((await page({ day: DAY + 1, sensors: [0, 1] }))[0]).toContain("Nothing was typed in this selection.");
  });
});
