import { describe, expect, test } from "bun:test";
import { groupEqual } from "../../../lib/sessions/equal-sessions.ts";
import { findSessions } from "../../../lib/sessions/event-search.ts";
import { textWidth } from "../../../lib/text/text.ts";
import { buildStories } from "../../../lib/sessions/story.ts";
import {
  addressToText,
  countsOf,
  describeDuration,
  formatOffset,
  groupStories,
  notFoundText,
  sessionFacts,
  showPart,
  storiesToText,
  summaryFacts,
} from "../../../lib/sessions/trace-text.ts";
import { type LogEvent, readEvents } from "../../support/event-logs.ts";
import { HOSTILE_TEXTS } from "../../hostile/texts.ts";
import { summarize } from "../../../lib/sessions/story-summary.ts";

const PLAIN = { width: undefined, color: false };

async function stories(events: LogEvent[]) {
  using set = await readEvents(events);
  return buildStories(await findSessions(set, ["s1"]));
}

const SESSION: LogEvent[] = [
  { eventid: "session.connect", at: 0, src_port: 4000, dst_ip: "10.0.0.1", dst_port: 2222, protocol: "ssh" },
  { eventid: "login.failed", at: 1.25, username: "root", password: "" },
  { eventid: "login.success", at: 2, username: "root", password: " x" },
  { eventid: "command.input", at: 75.5, input: "id" },
  { eventid: "session.closed", at: 80, duration: 80 },
];

describe("storiesToText", () => {
  test("is aligned, offset from the connect, quoted where an end could not be seen", async () => {
    expect([...storiesToText(await stories(SESSION), PLAIN)].join("")).toBe(`Session s1 on a
  from      192.0.2.1:4000 to 10.0.0.1:2222, ssh
  time      2024-03-01 12:00:00 to 12:01:20 UTC, 1 min 20 s
  events    5: 2 logins (1 accepted), 1 command
  ATT&CK    T1033 System Owner/User Discovery

  0:00.000  connect         192.0.2.1:4000 to 10.0.0.1:2222 (ssh)
  0:01.250  login refused   root / ""
  0:02.000  login accepted  root / " x"
  1:15.500  command         id
  1:20.000  closed          after 1 min 20 s
`);
  });

  test("sends nothing of an attacker to a terminal as it is, and is cut to its width", async () => {
    const hostile = HOSTILE_TEXTS.filter(text => text !== "").flatMap((text, i): LogEvent[] => [
      { eventid: "login.failed", at: i, username: text, password: text },
      { eventid: "command.input", at: i + 0.1, input: text },
      { eventid: "session.file_download", at: i + 0.2, url: text, outfile: text, shasum: text },
      { eventid: "client.var", at: i + 0.3, name: text, value: text },
      { eventid: "client.version", at: i + 0.4, version: text },
      { eventid: "log.closed", at: i + 0.5, ttylog: text },
      { eventid: `odd.${text}`, at: i + 0.6, odd: text, [text]: text },
      { eventid: "direct-tcpip.data", at: i + 0.7, dst_ip: text, dst_port: 1, data: text },
      { eventid: "session.connect", at: i + 0.8, src_ip: text, protocol: text },
    ]);
    const found = await stories(hostile);
    for (const width of [undefined, 80, 20]) {
      const options = { width, color: false };
      const text = [
        ...storiesToText(found, options),
        ...addressToText("\u001b[2J\u202e", found, summarize(found), options),
      ].join("");
      expect(text).not.toMatch(/[^\n\P{C}]|[\u2028\u2029\ufeff]/u);
      if (width !== undefined) {
        const tooWide = text.split("\n").filter(line => textWidth(line) > Math.max(width, 45));
        expect(tooWide).toEqual([]);
      }
    }
  });

  test("is coloured only if wanted", async () => {
    const found = await stories(SESSION);
    const text = (color: boolean) => [...storiesToText(found, { width: 60, color })].join("");
    expect(text(false)).not.toContain("\u001b");
    expect(text(true)).toContain("\u001b[32m");
    expect(text(true).replace(/\u001b\[\d*m/g, "")).toBe(text(false));
  });
});

describe("addressToText", () => {
  test("has the summary on top and groups by sensor and day", async () => {
    const other = (input: string): LogEvent => ({ eventid: "command.input", at: 1, input });
    const found = await stories([
      ...SESSION,
      ...[...SESSION, other("a")].map(event => ({ ...event, at: event.at + 90_000 })),
      ...[...SESSION, other("b")].map(event => ({ ...event, sensor: "b" })),
    ]);
    const text = [...addressToText("192.0.2.1", found, summarize(found), PLAIN)].join("");
    expect(text).toStartWith(`192.0.2.1
  seen      2024-03-01 12:00:00 to 2024-03-02 13:01:20 UTC
  sessions  3 on 2 days
  sensors   a, b
  logins    6 with 2 credentials, 3 accepted (50.0 %)
  commands  5, 3 distinct
  files     none
`);
    expect(text.match(/^[ab], .*/gm)).toEqual([
      "a, 2024-03-01, 1 session",
      "a, 2024-03-02, 1 session",
      "b, 2024-03-01, 1 session",
    ]);
    expect(groupStories(found).map(({ sensor, stories: own }) => [sensor, own.length])).toEqual([
      ["a", 1],
      ["a", 1],
      ["b", 1],
    ]);
  });

  test("sessions that did the same are one, with their number; -n keeps the most frequent", async () => {
    const common = { protocol: "ssh", dst_ip: "198.51.100.1" };
    const scans: LogEvent[] = [0, 10, 86_400].flatMap((at, i) => [
      { eventid: "session.connect", at, session: `scan${i}`, src_port: 1000 + i, sensor: i < 2 ? "a" : "b", ...common },
      { eventid: "session.closed", at: at + 1 + i / 10, session: `scan${i}`, duration: 1 + i / 10, sensor: i < 2 ? "a" : "b" },
    ]);
    using set = await readEvents([...scans, ...SESSION.map(event => ({ ...event, session: "s1" }))]);
    const found = buildStories(await findSessions(set, ["scan0", "scan1", "scan2", "s1"]));
    const rows = groupEqual(found);
    expect(rows.map(({ story, stories: own }) => [story.session, own.length])).toEqual([["scan0", 3], ["s1", 1]]);
    const text = (limit: number) => [...addressToText("x", found, summarize(found), PLAIN, limit)].join("");
    expect(text(0)).toContain(`
3 equal sessions on 2 sensors, 2024-03-01 12:00:00 to 2024-03-02 12:00:00, ssh, 1.00 s to 1.20 s
  first scan0 on a (shown), last scan2 on b
    0:01.000  closed  after 1.00 s

a, 2024-03-01, 1 session
`);
    expect(text(1)).toEndWith("\nFirst 1 of 2 distinct sessions; -n 0 shows all\n");
    expect(text(1)).not.toContain("session s1");
    expect(text(2)).toBe(text(0));
  });
});

describe("facts", () => {
  const story = async (...events: LogEvent[]) => (await stories(events))[0]!;
  const connect = SESSION[0]!;
  const facts = async (...events: LogEvent[]) => Object.fromEntries(sessionFacts(await story(...events)));

  test("counts are those that are not 0", async () => {
    const one: LogEvent[] = [
      { eventid: "login.failed", at: 1, username: "a", password: "b" },
      { eventid: "session.file_upload", at: 2, filename: "f", shasum: "ab".repeat(32) },
      { eventid: "direct-tcpip.request", at: 3, dst_ip: "x", dst_port: 1 },
    ];
    expect(countsOf(await story(connect))).toBe("");
    expect(countsOf(await story(connect, ...one))).toBe("1 login, 1 file, 1 forward");
    expect(countsOf(await story(connect, { eventid: "command.input", at: 1, input: "id" }))).toBe("1 command");
  });

  test("what the log does not tell is said", async () => {
    expect(describeDuration(await story(connect))).toBe("0.00 s seen, end not in these logs");
    expect(describeDuration(await story(SESSION[3]!, SESSION[4]!))).toBe("1 min 20 s seen, beginning not in these logs");
    expect(await facts(SESSION[3]!)).toMatchObject({ from: "192.0.2.1, protocol unknown", events: "1: 1 command" });
    expect(await facts({ ...connect, protocol: undefined }, { eventid: "session.closed", at: 1 })).toEqual({
      from: "192.0.2.1:4000 to 10.0.0.1:2222, ssh (derived)",
      time: "2024-03-01 12:00:00 to 12:00:01 UTC, 1.00 s (derived)",
      events: "2",
    });
    const night = { eventid: "session.closed", at: 43_201, duration: 43_201 };
    expect((await facts(connect, night)).time).toBe("2024-03-01 12:00:00 to 2024-03-02 00:00:01 UTC, 12 h 00 min");
    const client: LogEvent[] = [{ eventid: "client.version", at: 1, version: "v" }, { eventid: "client.kex", at: 1, hassh: "h" }];
    expect(await facts(connect, ...client)).toMatchObject({ client: "v", HASSH: "h" });
  });

  test("of very many, the summary shows the first, and how many there are", async () => {
    const many = Array.from({ length: 12 }, (_, i): LogEvent[] => {
      const own = { sensor: `s${String(i).padStart(2, "0")}`, src_ip: `192.0.2.${i}` };
      return [
        { ...connect, at: i, ...own },
        { eventid: "client.version", at: i + 0.1, version: `v${Math.floor(i / 2)}`, ...own },
        { eventid: "client.kex", at: i + 0.2, hassh: `h${Math.floor(i / 2)}`, ...own },
        { eventid: "login.failed", at: i + 0.3, username: "u", password: String(i), ...own },
        { eventid: "command.input", at: i + 0.4, input: `command ${i}`, ...own },
        { eventid: "session.file_upload", at: i + 0.5, filename: `f${i}`, shasum: String(i % 10).repeat(64), ...own },
        { eventid: "direct-tcpip.request", at: i + 0.6, dst_ip: "x", dst_port: 1, ...own },
      ];
    }).flat();
    const found = await stories(many);
    const summary = summarize(found);
    expect(summaryFacts(summary)).toEqual([
      ["seen", "2024-03-01 12:00:00 to 2024-03-01 12:00:11 UTC"],
      ["sessions", "12 on 1 day, from 12 addresses"],
      ["sensors", `${summary.sensors.slice(0, 10).join(", ")}, and 2 more`],
      ["logins", "12 with 12 credentials, 0 accepted (0.0 %)"],
      ["commands", "12"],
      ["files", "12, 10 distinct"],
      ["forwards", "12"],
      ["client", "v0 (2 sessions)"],
      ["client", "v1 (2 sessions)"],
      ["client", "v2 (2 sessions)"],
      ["HASSH", "h0 (2 sessions)"],
      ["HASSH", "h1 (2 sessions)"],
      ["HASSH", "h2 (2 sessions)"],
    ]);
    const text = [...addressToText("x", found, summary, PLAIN)].join("");
    for (const title of ["Credentials tried", "Commands", "Files"]) expect(text).toContain(`\n${title}, first 10 of 12\n`);
    expect(text.match(/^ +1 +1 +command /gm)).toHaveLength(10);
    expect(text).toContain(`upload  no verdict  ${"0".repeat(64)}  f0\n`);
    expect(text).toContain("  12:00:00  session s1, 192.0.2.0, ssh, 0.60 s seen, end not in these logs, 1 login, 1 command, 1 file, 1 forward\n");
    const few = await stories(SESSION);
    expect(Object.fromEntries(summaryFacts(summarize(few)))).toEqual({
      seen: "2024-03-01 12:00:00 to 2024-03-01 12:01:20 UTC",
      sessions: "1 on 1 day",
      sensors: "a",
      logins: "2 with 2 credentials, 1 accepted (50.0 %)",
      commands: "1",
      files: "none",
    });
    expect(Object.fromEntries(summaryFacts(summarize([few[0]!].map(one => ({ ...one, logins: [], commands: [] })))))).toMatchObject({ logins: "none", commands: "none" });
  });
});

describe("formatOffset", () => {
  test.each([
    [0, "0:00.000"],
    [999, "0:00.000"],
    [59_999_000, "0:59.999"],
    [3_599_999_999, "59:59.999"],
    [3_600_000_000, "1:00:00.000"],
    [-1_500_000, "-0:01.500"],
  ])("%d us: %s", (us, text) => {
    expect(formatOffset(us)).toBe(text);
  });
});

test("what is not found says how much was searched", () => {
  const searched = { logs: 3, days: 2, firstUs: 0, lastUs: 86_400_000_000 };
  expect(notFoundText('session "x"', searched)).toBe(
    'Cannot find session "x": searched 3 files of 2 days, 1970-01-01 to 1970-01-02',
  );
  expect(showPart({ text: "", isForeign: true })).toBe('""');
  expect(showPart({ text: "", isForeign: false })).toBe("");
});
