import { expect, test } from "bun:test";
import { findSessions } from "../../../lib/sessions/event-search.ts";
import { buildStories, type Story } from "../../../lib/sessions/story.ts";
import { summarize, summaryToJson } from "../../../lib/sessions/story-summary.ts";
import { type LogEvent, NOON_MS, readEvents } from "../../support/event-logs.ts";

const HASH = "cd".repeat(32);

async function trace(log: LogEvent[]): Promise<Story[]> {
  using set = await readEvents(log);
  return buildStories(await findSessions(set, ["s1"]));
}

const connect = { eventid: "session.connect", at: 0, src_port: 4000, dst_ip: "10.0.0.1", dst_port: 2222 };

test("adds up sessions, credentials, commands and files", async () => {
  const stories = await trace([
    connect,
    { eventid: "login.failed", at: 1, username: "a", password: "1" },
    { eventid: "login.failed", at: 2, username: "a", password: "1" },
    { eventid: "login.success", at: 3, username: "b", password: "2" },
    { eventid: "command.input", at: 4, input: "id" },
    { ...connect, at: 90_000 },
    { eventid: "login.success", at: 90_001, username: "a", password: "1" },
    { eventid: "command.input", at: 90_002, input: "id" },
    { eventid: "session.file_upload", at: 90_003, filename: "f", shasum: HASH },
  ]);
  const summary = summarize(stories);
  expect(summary).toMatchObject({ sessions: 2, days: 2, sensors: ["a"], loginsTried: 4, loginsLetIn: 2 });
  expect(
    summary.credentials.map(({ value, count, letIn, sessions }) => [value.username, count, letIn, sessions]),
  ).toEqual([
    ["a", 3, 1, 2],
    ["b", 1, 1, 1],
  ]);
  expect(summary.commands).toEqual([{ value: "id", count: 2, sessions: 2 }]);
  expect(summary.files.map(({ count }) => count)).toEqual([1]);
});

test("is given to programs with names of ours, the most frequent first", async () => {
  const of = (sensor: string, at: number, src_ip: string, ...events: Omit<LogEvent, "at">[]): LogEvent[] =>
    [{ ...connect, eventid: "session.connect" }, ...events].map((event, i): LogEvent => ({ ...event, eventid: String(event.eventid), at: at + i, sensor, src_ip }));
  const client = [{ eventid: "client.version", version: "v" }, { eventid: "client.kex", hassh: "h" }];
  const stories = await trace([
    ...of("b", 10, "192.0.2.2", ...client, { eventid: "login.success", username: "u" }),
    ...of("a", 0, "192.0.2.1", ...client, { eventid: "command.input", input: "ls" }, { eventid: "command.input", input: "id" }, { eventid: "command.input", input: "ls" }),
    ...of("c", 86_400, "192.0.2.1", { eventid: "direct-tcpip.request" }, { eventid: "session.file_download", url: "http://x", shasum: HASH }),
    { eventid: "virustotal.scanfile", at: 86_410, sensor: "c", sha256: HASH, positives: 3, total: 60 },
  ]);
  const iso = (seconds: number) => new Date(NOON_MS + seconds * 1000).toISOString().replace("Z", "000Z");
  expect(summaryToJson(summarize(stories))).toEqual({
    sessions: 3,
    first_seen: iso(0),
    last_seen: iso(86_410),
    days: 2,
    sensors: ["a", "b", "c"],
    addresses: ["192.0.2.1", "192.0.2.2"],
    logins: { tried: 1, let_in: 1 },
    credentials: [{ username: "u", password: null, count: 1, success: 1 }],
    commands: [
      { input: "ls", count: 2, sessions: 1 },
      { input: "id", count: 1, sessions: 1 },
    ],
    files: [{ shasum: HASH, name: "http://x", is_upload: false, verdict: { positives: 3, total: 60 }, count: 1 }],
    versions: [{ version: "v", sessions: 2 }],
    hassh: [{ hassh: "h", sessions: 2 }],
    forwards: 1,
  });
});
