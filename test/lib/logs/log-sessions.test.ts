import { expect, test } from "bun:test";
import { allTexts } from "../../../lib/columns/dictionary.ts";
import { chunkedText } from "../../../lib/events/log-text.ts";
import { mapLog } from "../../../lib/events/map-log.ts";
import { type LogSessions, readSessions } from "../../../lib/logs/log-sessions.ts";
import { openTables } from "../../../lib/logs/walk-tables.ts";
import { dayOf } from "../../../lib/text/time.ts";
import { type LogEvent, NOON_MS, readEvents, toLine } from "../../support/event-logs.ts";

const DAY = dayOf(NOON_MS * 1000);
const EVENTS: LogEvent[] = [
  { eventid: "session.connect", at: 0 },
  { eventid: "session.connect", at: 1, session: "s2", sensor: "b" },
  { eventid: "login.failed", at: 2, username: "root", password: "1" },
  { eventid: "client.version", at: 3, session: "s2", sensor: "b", version: "SSH-2.0-Go" },
  { eventid: "login.success", at: 4, username: "root", password: "2" },
  { eventid: "command.input", at: 9, input: "second" },
  { eventid: "command.input", at: 8, input: "first" },
  { eventid: "command.input", at: 10, input: "fed", realm: "cat" },
  { eventid: "session.file_download", at: 11, url: "http://192.0.2.9/x", shasum: "ab" },
  { eventid: "session.file_download", at: 12, url: "http://192.0.2.9/x", shasum: "ab" },
  { eventid: "session.closed", at: 20, duration: 20 },
  { eventid: "session.closed", at: 20, session: "s2", sensor: "b", duration: "0.5" },
  { eventid: "session.connect", at: 30, session: "s1", sensor: "b" },
];

const listOf = ({ starts, values }: LogSessions["typed"], slot: number) => [...values.subarray(starts[slot], starts[slot + 1])];
const textAt = ({ codes, texts }: LogSessions["address"], slot: number) => (codes[slot]! < 0 ? null : allTexts(texts)[codes[slot]!]!);

async function sessionsOf(events: readonly LogEvent[]): Promise<LogSessions> {
  using set = await readEvents(events);
  for await (const { table } of openTables(set)) return readSessions(table);
  throw new Error("no table");
}

test("what each session left, in order of time; who left nothing and was closed is counted alone", async () => {
  const log = await sessionsOf(EVENTS);
  expect(log.connects).toBe(3);
  expect(allTexts(log.ids).map((id, slot) => [id, log.sensors[log.sensor[slot]!], log.isWhole[slot]])).toEqual([
    ["s1", "a", 1],
    ["s1", "b", 0],
  ]);
  const texts = allTexts(log.inputs);
  expect(texts).toEqual(["second", "first"]);
  expect([0, 1].map(slot => listOf(log.typed, slot).map(code => texts[code]))).toEqual([["first", "second"], []]);
  expect([...log.typedUs]).toEqual([(NOON_MS + 8000) * 1000, Infinity]);
  expect([...log.firstUs, ...log.lastUs].map(us => us / 1e6 - NOON_MS / 1000)).toEqual([0, 30, 20, 30]);
  expect([textAt(log.credential, 0), textAt(log.credential, 1)]).toEqual(["root\u00002", null]);
  expect(textAt(log.address, 1)).toBe("192.0.2.1");
  expect(log.version.texts.size).toBe(0);
  expect(log.traces).toEqual([
    { what: "url", text: "http://192.0.2.9/x", beside: "http://192.0.2.9/x" },
    { what: "download", text: "ab", beside: "http://192.0.2.9/x" },
  ]);
  expect(listOf(log.left, 0)).toEqual([0, 1, 0, 1]);
  const { sensor, day, step, count } = log.lengths;
  expect([...sensor].map((code, i) => [log.sensors[code], day[i]! - DAY, step[i], count[i]])).toEqual([
    ["a", 0, 3, 1],
    ["b", 0, 0, 1],
  ]);
});

test("a table that was just built gives what the stored one gives, with keys offered and without", async () => {
  const offered = { eventid: "client.fingerprint", at: 5, session: "s3", fingerprint: "aa:bb" };
  for (const events of [EVENTS, [...EVENTS, offered]]) {
    const text = new TextEncoder().encode(events.map(event => `${toLine(event)}\n`).join(""));
    const { table } = await mapLog("log", chunkedText("none", (async function* () { yield text; })()));
    expect(await readSessions(table)).toEqual(await sessionsOf(events));
    table.close();
  }
});

test("many sessions on two sensors of one id, and codes beyond the first arrays", async () => {
  const events = Array.from({ length: 1000 }, (_, i) => ({ eventid: "command.input", at: i, session: `s${i >> 1}`, sensor: "ab"[i & 1]!, input: `c${i}` }));
  const log = await sessionsOf(events);
  expect([log.ids.size, log.inputs.size, log.sensors]).toEqual([1000, 1000, ["a", "b"]]);
  expect(Array.from({ length: 1000 }, (_, slot) => listOf(log.typed, slot)[0])).toEqual(Array.from({ length: 1000 }, (_, i) => i));
});

test("a table without sessions has none", async () => {
  const log = await sessionsOf([{ eventid: "session.connect", at: 0, session: undefined }]);
  expect([log.connects, log.ids.size, log.sensors]).toEqual([0, 0, []]);
});
